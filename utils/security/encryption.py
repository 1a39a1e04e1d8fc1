"""Encryption of what is kept: AES-GCM under keys derived from a ring of master keys.

``KeyRing.seal`` and ``unseal`` take a purpose (such as "messages.content"), a context and bytes. Each purpose has a
subkey of its own, derived by HKDF-SHA256, so that what is sealed for one can never be read as another's; the context
(where the bytes belong, such as a row's id) is associated data, so that bytes moved elsewhere are refused. Sealed
bytes begin with the id of their master key: the newest seals, every one of the ring unseals.
What always holds: nonces are random, and one subkey stays far below 2**32 of them (NIST SP 800-38D, 8.3); no ``repr``
and no error shows a key. Where master keys come from is ``masterkeys``' business, which rows are sealed anew the
storage's.

EncryptionError
├── MasterKeyError              the operator must mend the master keys
├── UnknownMasterKeyError       the bytes were sealed under a master key that the ring lacks
└── TamperedError               the bytes were changed, or belong somewhere else
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MASTER_KEY_BYTES = 32
KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_DERIVATION = b"discord-gemini-pool 1 "


class EncryptionError(Exception):
    """Base of what encryption raises; the message is one sentence without a secret."""


class MasterKeyError(EncryptionError):
    """The operator must mend the master keys."""


class UnknownMasterKeyError(EncryptionError):
    """The bytes were sealed under a master key that the ring lacks; ``key_id`` names it."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"This was encrypted with master key {key_id}, which is not given; put that key back.")
        self.key_id = key_id


class TamperedError(EncryptionError):
    """The bytes were changed, or belong somewhere else."""

    def __init__(self) -> None:
        super().__init__("What is stored was changed or belongs somewhere else; restore it from a backup.")


class KeyRing:
    """Master keys of 32 bytes each, the newest first.

    :raises MasterKeyError: there is none, one has another length, or two cannot be told apart.
    """

    __slots__ = ("_ciphers", "_masters", "_random")

    def __init__(self, masters: Sequence[bytes], *, random: Callable[[int], bytes] = os.urandom) -> None:
        if not masters or any(len(master) != MASTER_KEY_BYTES for master in masters):
            raise MasterKeyError(f"A master key must have {MASTER_KEY_BYTES} bytes; write it in base64.")
        self._masters = {_derive(master, b"id", KEY_ID_BYTES): master for master in masters}
        if len(self._masters) < len(masters):
            raise MasterKeyError("Two of the master keys are the same; leave one of them out.")
        self._random = random
        self._ciphers: dict[tuple[bytes, str], AESGCM] = {}

    def __repr__(self) -> str:
        return f"<key ring {', '.join(self.ids)}>"

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the master keys in hexadecimal digits, the newest first; they give nothing of a key away."""
        return tuple(key_id.hex() for key_id in self._masters)

    @property
    def head(self) -> bytes:
        """What everything begins with that is sealed now."""
        return next(iter(self._masters))

    def seal(self, purpose: str, context: bytes, plain: bytes) -> bytes:
        """Encrypt under the newest master key: its id, a nonce, the ciphertext with its tag (32 bytes more)."""
        nonce = self._random(_NONCE_BYTES)
        return self.head + nonce + self._cipher(self.head, purpose).encrypt(nonce, plain, context)

    def unseal(self, purpose: str, context: bytes, sealed: bytes) -> bytes:
        """Give back what ``seal`` was given for the same purpose and context.

        :raises UnknownMasterKeyError: the ring lacks the master key.
        :raises TamperedError: the bytes were changed, or belong somewhere else.
        """
        key_id, nonce = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES : KEY_ID_BYTES + _NONCE_BYTES]
        if len(nonce) < _NONCE_BYTES:
            raise TamperedError
        if key_id not in self._masters:
            raise UnknownMasterKeyError(key_id.hex())
        try:
            return self._cipher(key_id, purpose).decrypt(nonce, sealed[KEY_ID_BYTES + _NONCE_BYTES :], context)
        except InvalidTag:
            raise TamperedError from None

    def _cipher(self, key_id: bytes, purpose: str) -> AESGCM:
        cipher = self._ciphers.get((key_id, purpose))
        if cipher is None:
            subkey = _derive(self._masters[key_id], b"purpose " + purpose.encode(), MASTER_KEY_BYTES)
            cipher = self._ciphers[key_id, purpose] = AESGCM(subkey)
        return cipher


def _derive(master: bytes, label: bytes, length: int) -> bytes:
    # a random master key needs no salt (RFC 5869, 3.1); the label keeps the derived keys apart
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=_DERIVATION + label).derive(master)
