"""Where master keys come from: a file that only its owner can read, or the environment.

``MasterKeys`` knows the place; ``load`` gives the ring, ``create`` makes the file with a first key, ``add`` puts a new
key on top of it, so that everything is encrypted anew with that. Keys are 32 random bytes in base64, the newest first:
one a line in the file (lines that begin with # are comments), separated by commas in the environment.
What always holds: a file that others can read is refused; a file is made whole or not at all and never overwritten by
``create``; no error shows a key. The file belongs outside of the data's folder and its backups: who has one of both
has nothing. All methods block: call them in a thread.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from utils.security.encryption import MASTER_KEY_BYTES, KeyRing, MasterKeyError
from utils.security.secret import Secret

_OF_OTHERS = 0o077
_COMMENT = "# Master keys, the newest first. Whoever has this file and the database can read both: keep them apart.\n"
_HOW = "32 random bytes in base64, as `openssl rand -base64 32` prints them"


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """``path`` is the file; ``given``, where not None, is the text of the environment and wins over the file."""

    path: Path
    given: Secret | None = None

    @property
    def file(self) -> Path | None:
        """The file that holds the keys; None when the environment does."""
        return None if self.given is not None else self.path

    def load(self) -> KeyRing | None:
        """Read the ring; None: there is no file yet.

        :raises MasterKeyError: the file can be read by others or cannot be read, or what it holds are no keys.
        """
        if self.given is not None:
            return KeyRing(list(_parse(self.given.reveal().split(","), "MASTER_KEYS")))
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error
        if os.name == "posix" and mode & _OF_OTHERS:
            raise MasterKeyError(
                f"The master key in {self.path} can be read by others; run `chmod 600 {self.path}` and start again."
            )
        try:
            text = self.path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(error) from None
        keys = list(_parse((line for line in text.splitlines() if not line.startswith("#")), str(self.path)))
        if not keys:
            raise MasterKeyError(f"{self.path} holds no master key; restore it from where you keep a copy.")
        return KeyRing(keys)

    def create(self) -> KeyRing:
        """Make the file with one new key, readable by its owner only; a file that is there by now stays as it is.

        :raises MasterKeyError: the folder cannot be written to.
        """
        self._write([secrets.token_bytes(MASTER_KEY_BYTES)], replace=False)
        ring = self.load()
        if ring is None:
            raise MasterKeyError(f"{self.path} vanished while it was made; start again.")
        return ring

    def add(self) -> KeyRing:
        """Put a new key on top of the file; the old ones stay, since what they encrypted must be read once more.

        :raises MasterKeyError: the keys come from the environment, or the file cannot be used.
        """
        if self.given is not None:
            raise MasterKeyError(f"The master keys are in MASTER_KEYS; put a new one before them: {_HOW}.")
        if self.load() is None:
            return self.create()
        lines = (line for line in self.path.read_text(encoding="ascii").splitlines() if not line.startswith("#"))
        self._write([secrets.token_bytes(MASTER_KEY_BYTES), *_parse(lines, str(self.path))], replace=True)
        ring = self.load()
        if ring is None:
            raise MasterKeyError(f"{self.path} vanished while it was written; start again.")
        return ring

    def _write(self, keys: Iterable[bytes], *, replace: bool) -> None:
        text = _COMMENT + "".join(base64.b64encode(key).decode() + "\n" for key in keys)
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="ascii") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                self._place(draft, replace=replace)
            finally:
                draft.unlink(missing_ok=True)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise self._unusable(error) from error

    def _place(self, draft: Path, *, replace: bool) -> None:
        if replace:
            draft.replace(self.path)
            return
        try:
            # unlike a rename, a link never takes the place of a file that another start has just made
            self.path.hardlink_to(draft)
        except FileExistsError:
            return

    def _unusable(self, error: Exception) -> MasterKeyError:
        return MasterKeyError(
            f"The master key file {self.path} cannot be used ({type(error).__name__}); give this user the right to it, "
            "or name another file in MASTER_KEY_FILE."
        )


def _parse(texts: Iterable[str], place: str) -> Iterator[bytes]:
    for number, text in enumerate((text.strip() for text in texts), 1):
        if not text:
            continue
        try:
            key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != MASTER_KEY_BYTES:
            raise MasterKeyError(f"Entry {number} of {place} is no master key: write {_HOW}.")
        yield key


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
