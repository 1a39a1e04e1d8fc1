"""How the database is doing, asked on demand: whether it writes and reads, how large it is, which schema it has.

``HealthCheck.look`` does what a question does, a write and a read of it, and times both. What always holds: what it
writes is one small row, the same each time; nothing of the answer is a secret.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import Backend
from utils.storage.errors import StorageDataError
from utils.storage.meta import Meta

_NOTE = "health.checked_at"


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """What was found; sizes in bytes, ``free_bytes`` None where the database is not on a disk of this machine."""

    description: str
    schema: str
    size_bytes: int
    free_bytes: int | None
    write_s: float
    read_s: float


class HealthCheck:
    """Looks after one database; ``clock`` gives seconds that only grow, ``wall`` unix seconds."""

    def __init__(self, backend: Backend, meta: Meta, *, wall: Callable[[], float], clock: Callable[[], float]) -> None:
        self._backend = backend
        self._meta = meta
        self._wall = wall
        self._clock = clock

    async def look(self) -> DatabaseHealth:
        """Write, read, and measure.

        :raises StorageError: the database cannot be written or read, or does not give back what was written.
        """
        began, note = self._clock(), repr(self._wall())
        await self._meta.set(_NOTE, note)
        written = self._clock()
        found = await self._meta.get(_NOTE)
        read = self._clock()
        if found != note:
            raise StorageDataError("The database does not give back what was written; restore a backup.")
        schema, size, file = await self._backend.read(_measure)
        free = await asyncio.to_thread(_free, file) if file is not None else None
        return DatabaseHealth(self._backend.description, schema, size, free, written - began, read - written)


async def _measure(connection: AsyncConnection) -> tuple[str, int, Path | None]:
    schema = str(await connection.scalar(text("SELECT version_num FROM alembic_version")))
    if connection.dialect.name == "postgresql":
        size = await connection.scalar(text("SELECT pg_database_size(current_database())"))
        return schema, int(size or 0), None
    pages = await connection.scalar(text("PRAGMA page_count"))
    page_size = await connection.scalar(text("PRAGMA page_size"))
    file = (await connection.execute(text("SELECT file FROM pragma_database_list WHERE name = 'main'"))).scalar()
    return schema, int(pages or 0) * int(page_size or 0), Path(str(file)) if file else None


def _free(file: Path) -> int:
    return shutil.disk_usage(file.parent).free
