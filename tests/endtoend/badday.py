"""A bad day of the machine that the bot runs on, ordered by a test.

``Machine`` is what a bot process sees instead of the plain machine once it is started with ``environment``: a library
in C (``machine/badday.c``) stands before the C library, so the faults are those of the system calls themselves and
every part of the bot is the real one. ``order`` changes what goes wrong, at once. ``after_power_loss`` makes of the
record of writes and syncs what a disk may hold when the power goes.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).resolve().parent / "machine" / "badday.c"
SECTOR: Final = 512
_ORDERS = struct.Struct("=iiiiq")
_HEAD = struct.Struct("=cBQQ")


def build(folder: Path) -> Path | None:
    """Make the library; None where this machine has no C compiler, or is no Linux."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not Path("/proc/self/maps").exists():
        return None
    library = folder / "badday.so"
    command = [compiler, "-std=gnu11", "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return library


class Machine:
    """What processes started with ``environment`` live on; ``endings`` are those of the watched files' paths."""

    def __init__(self, library: Path, folder: Path, *endings: str) -> None:
        self._library = library
        self._endings = endings
        self._orders = folder / "orders"
        self.record = folder / "record"
        self.order()

    def environment(self, *, recorded: bool = False) -> dict[str, str]:
        """Give the variables for a process that is to live here; ``recorded``: its writes are written down."""
        record = {"BADDAY_LOG": str(self.record)} if recorded else {}
        return {
            "LD_PRELOAD": str(self._library),
            "BADDAY_ORDERS": str(self._orders),
            "BADDAY_FILES": ":".join(self._endings),
            **record,
        }

    def order(self, *, write: int = 0, read: int = 0, names_gone: bool = False, clock_s: int = 0) -> None:
        """Let writes and reads of the watched files fail with an errno, names be unknown, and the clock be ahead."""
        content = _ORDERS.pack(write, read, names_gone, 0, clock_s)
        # in place: the processes have this very file mapped
        page = os.open(self._orders, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(page, content)
        os.close(page)

    def after_power_loss(self, dice: random.Random) -> None:
        """Leave in the watched files what a disk may hold that lost its power at the record's end.

        Of each file everything up to its last completed sync is there. Of what came after it each 512-byte sector of
        each write, and each cut, is there or not by itself, in whatever order. Removals count as durable at once.
        """
        files: dict[int, _Disk] = {}
        for kind, number, offset, data in records(self.record):
            if kind == b"f":
                files[number] = _Disk(Path(os.fsdecode(data)), dice)
            else:
                files[number].take(kind, offset, data)
        for disk in files.values():
            disk.leave()
        self.record.unlink()


def records(path: Path) -> Iterator[tuple[bytes, int, int, bytes]]:
    """Read a record: kind, number of the file, offset, data; a last one that is not whole is left out."""
    content = path.read_bytes()
    at = 0
    while at + _HEAD.size <= len(content):
        kind, number, offset, size = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        length = size if kind in {b"w", b"f"} else 0
        if at + length > len(content):
            return
        yield kind, number, offset, content[at : at + length]
        at += length


class _Disk:
    """One file: what is on the disk for certain, and what the system still keeps from it."""

    def __init__(self, path: Path, dice: random.Random) -> None:
        self._path = path
        self._dice = dice
        # what the file held when its process began: what the last loss of power left
        self._before = path.with_name(f"{path.name}.before")
        self._there = self._before.exists()
        self._durable = bytearray(self._before.read_bytes()) if self._there else bytearray()
        self._pending: list[tuple[bytes, int, bytes]] = []

    def take(self, kind: bytes, offset: int, data: bytes) -> None:
        """Go on by one record."""
        if kind == b"u":
            self._durable, self._pending, self._there = bytearray(), [], False
        elif kind == b"s":
            for change in self._pending:
                self._apply(*change)
            self._pending = []
        else:
            self._there = True
            self._pending.append((kind, offset, data))

    def leave(self) -> None:
        """Make the file what it is after the power came back."""
        for kind, offset, data in self._pending:
            self._lose(kind, offset, data)
        for path in (self._path, self._before):
            if self._there:
                path.write_bytes(self._durable)
            else:
                path.unlink(missing_ok=True)

    def _lose(self, kind: bytes, offset: int, data: bytes) -> None:
        if kind == b"t":
            if self._dice.random() < 0.5:
                self._apply(kind, offset, data)
            return
        for begin in range(0, len(data), SECTOR):
            if self._dice.random() < 0.5:
                self._apply(kind, offset + begin, data[begin : begin + SECTOR])

    def _apply(self, kind: bytes, offset: int, data: bytes) -> None:
        if kind == b"t":
            del self._durable[offset:]
            self._durable.extend(bytes(offset - len(self._durable)))
            return
        self._durable.extend(bytes(max(0, offset - len(self._durable))))
        self._durable[offset : offset + len(data)] = data
