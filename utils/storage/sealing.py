"""Encryption at rest: the codec that seals people's words, and which master keys a database needs.

``SealedCodec`` is scheme 0x01: what ``utils.security.encryption`` makes of the bytes, bound to their column and row;
rows of scheme 0x00 (stored before encryption) are read as they are and sealed by ``reencryption``. ``open_codec``
gives the codec of a database when it is opened. What always holds: the ids of the master keys that rows may be sealed
under stand in ``meta`` before the first such row is written; a start without one of them is refused before anything
is written, so a wrong key overwrites nothing; a new key is made only for a database that needs none yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

from utils.security.encryption import KeyRing, MasterKeyError, TamperedError, UnknownMasterKeyError
from utils.security.masterkeys import MasterKeys
from utils.storage.codec import Codec, PlainCodec
from utils.storage.errors import StorageDataError, StorageKeyError
from utils.storage.meta import Meta

_SEALED = b"\x01"
_KEYS_IN_USE = "encryption.keys"


class SealedCodec:
    """Scheme 0x01: sealed under the ring's newest key, bound to column and row; reads scheme 0x00 too."""

    __slots__ = ("_plain", "_ring")

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._plain = PlainCodec()

    @property
    def head(self) -> bytes:
        """What everything begins with that this codec encodes now."""
        return _SEALED + self._ring.head

    @property
    def key_id(self) -> str:
        """The id of the master key that this codec encodes under now."""
        return self._ring.ids[0]

    def encode(self, place: str, row_id: int, plain: bytes) -> bytes:
        """Seal the bytes for this column and row."""
        return _SEALED + self._ring.seal(place, _context(place, row_id), plain)

    def decode(self, place: str, row_id: int, stored: bytes) -> bytes:
        """Give back what ``encode`` was given for the same column and row.

        :raises StorageDataError: they belong somewhere else, were changed, or need a master key that is not given.
        """
        if stored[:1] != _SEALED:
            return self._plain.decode(place, row_id, stored)
        try:
            return self._ring.unseal(place, _context(place, row_id), stored[1:])
        except UnknownMasterKeyError as error:
            raise StorageDataError(
                f"Row {row_id} of {place} was encrypted with master key {error.key_id}, which is not given; "
                "put that key back and start again."
            ) from None
        except TamperedError:
            raise StorageDataError(
                f"Row {row_id} of {place} was changed outside of this program; restore the database from a backup."
            ) from None


class StrictCodec:
    """What ``SealedCodec`` does, without reading scheme 0x00: for what was never stored unencrypted."""

    __slots__ = ("_codec",)

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def encode(self, place: str, row_id: int, plain: bytes) -> bytes:
        """Encode as the codec does."""
        return self._codec.encode(place, row_id, plain)

    def decode(self, place: str, row_id: int, stored: bytes) -> bytes:
        """Decode as the codec does.

        :raises StorageDataError: as there, and for bytes that somebody put there unencrypted.
        """
        if stored[:1] != _SEALED and isinstance(self._codec, SealedCodec):
            raise StorageDataError(f"Row {row_id} of {place} is not encrypted; remove it and add it again.")
        return self._codec.decode(place, row_id, stored)


async def open_codec(meta: Meta, keys: MasterKeys | None, database: Path | None) -> Codec:
    """Give the codec for a database; ``database`` is its file, if it is one; no ``keys``: stored as it is.

    :raises StorageKeyError: a master key is missing, cannot be used, or lies beside the database.
    """
    used = await keys_in_use(meta)
    if keys is None:
        if used:
            raise StorageKeyError("The database is encrypted; open it with its master key.")
        return PlainCodec()
    try:
        ring = await asyncio.to_thread(_ring, keys, database, used)
    except MasterKeyError as error:
        raise StorageKeyError(str(error)) from error
    if ring.ids[0] not in used:
        await set_keys_in_use(meta, [*used, ring.ids[0]])
    return SealedCodec(ring)


async def keys_in_use(meta: Meta) -> list[str]:
    """Give the ids of the master keys that rows may be sealed under, the oldest first."""
    return (await meta.get(_KEYS_IN_USE) or "").split()


async def set_keys_in_use(meta: Meta, ids: Collection[str]) -> None:
    """Note which master keys the database needs from now on."""
    await meta.set(_KEYS_IN_USE, " ".join(ids))


def _ring(keys: MasterKeys, database: Path | None, used: Collection[str]) -> KeyRing:
    """Read the ring, or make it where none is needed yet; blocking."""
    _refuse_neighbours(keys, database)
    found = keys.load()
    _refuse_missing(keys, used, found.ids if found is not None else ())
    return found if found is not None else keys.create()


def _refuse_neighbours(keys: MasterKeys, database: Path | None) -> None:
    if keys.file is not None and database is not None and keys.file.absolute().parent == database.parent:
        raise StorageKeyError(
            f"The master key {keys.file} lies in the folder of the database, so one copy would hold both; "
            "name a file in another folder in MASTER_KEY_FILE."
        )


def _refuse_missing(keys: MasterKeys, used: Collection[str], given: Collection[str]) -> None:
    missing = [key_id for key_id in used if key_id not in given]
    if missing:
        place = keys.file or "MASTER_KEYS"
        raise StorageKeyError(
            f"The database was encrypted with master key {', '.join(missing)}, which {place} does not hold; "
            "put that key back and start again, nothing was changed."
        )


def _context(place: str, row_id: int) -> bytes:
    return f"{place} {row_id}".encode()
