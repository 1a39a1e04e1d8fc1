"""How a person's words become stored bytes, and back.

``Codec`` is what the repositories need of one; ``PlainCodec`` stores the bytes as they are. What always holds: the
first stored byte names the scheme, so a codec can tell its own rows from another's, and rows of several schemes can
lie side by side. A codec is told the column and the row's id, so that a cipher can bind the bytes to their place.
``encode_text`` and ``decode_text`` lose nothing, not even half of a surrogate pair that came in through JSON.
"""

from __future__ import annotations

from typing import Protocol

from utils.storage.errors import StorageDataError

_PLAIN = b"\x00"


class Codec(Protocol):
    """Turns the bytes of one column of one row into what is stored, and back."""

    def encode(self, place: str, row_id: int, plain: bytes) -> bytes:
        """Give the bytes to store; ``place`` is "table.column", ``row_id`` the id the row will have."""
        ...

    def decode(self, place: str, row_id: int, stored: bytes) -> bytes:
        """Give back what ``encode`` was given for the same place and row.

        :raises StorageDataError: the bytes are of an unknown scheme, or do not belong there.
        """
        ...


class PlainCodec:
    """Scheme 0x00: the bytes as they are."""

    __slots__ = ()

    def encode(self, place: str, row_id: int, plain: bytes) -> bytes:  # noqa: ARG002 - the protocol's arguments
        """Put the scheme byte before the bytes."""
        return _PLAIN + plain

    def decode(self, place: str, row_id: int, stored: bytes) -> bytes:
        """Take the scheme byte off.

        :raises StorageDataError: the bytes were stored by another scheme.
        """
        if stored[:1] != _PLAIN:
            raise StorageDataError(
                f"Row {row_id} of {place} is stored in a form this start cannot read; start with the encryption key."
            )
        return stored[1:]


def encode_text(codec: Codec, place: str, row_id: int, text: str) -> bytes:
    """Give the bytes to store for ``text``."""
    return codec.encode(place, row_id, text.encode("utf-8", "surrogatepass"))


def decode_text(codec: Codec, place: str, row_id: int, stored: bytes) -> str:
    """Give back the text that ``encode_text`` was given for the same place and row; nothing stored is no words.

    :raises StorageDataError: the bytes are of an unknown scheme, or do not belong there.
    """
    return codec.decode(place, row_id, stored).decode("utf-8", "surrogatepass") if stored else ""
