"""An SQLite file: one process owns it, one connection writes to it, others only read.

``SqliteBackend.open`` takes the file's lock (released by the system when the process ends, however it ends), brings
the schema up to date and starts the writer. Why several engines: SQLite takes one writer at a time, and a connection
that reads first and writes later fails at once when another wrote in between; so every write begins with BEGIN
IMMEDIATE on the one writing connection, and readers, awaited or ``threaded``, are opened ``mode=ro``. WAL with
synchronous FULL keeps what was acknowledged through a loss of power; ``secure_delete`` overwrites what is deleted;
``scrub`` empties the log that would still hold it. A second writer on one file must not exist: SQLite before 3.51.3 can
damage a file that two connections write or checkpoint (https://www.sqlite.org/wal.html#walresetbug), so only the writer
checkpoints.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from utils.storage.backend import Job, Look, T
from utils.storage.border import translating
from utils.storage.errors import StorageAccessError, StorageBusyError, StorageError, StorageInUseError
from utils.storage.inflight import InFlight
from utils.storage.migrations import is_up_to_date, load_upgrade
from utils.storage.threaded import ThreadedReader
from utils.storage.writer import GroupWriter

_log = logging.getLogger(__name__)

_READERS = 4
_SCRUB_ATTEMPTS = 3
_OUTSIDE = "outside_transaction"


@dataclass(frozen=True, slots=True)
class _Readers:
    """Both ways to read: statement by statement on the loop, or all at once in a thread."""

    waiting: AsyncEngine
    blocking: ThreadedReader


class SqliteBackend:
    """One open file; made by ``open``."""

    def __init__(
        self, path: Path, lock: FileLock, writing: AsyncEngine, readers: _Readers, clock: Callable[[], float]
    ) -> None:
        self._path = path
        self._lock = lock
        self._writing = writing
        self._readers = readers
        self._reads = InFlight()
        self._writer = GroupWriter(writing, clock=clock)
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, path: Path, *, busy_timeout_s: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> SqliteBackend:
        """Open or make the file; ``busy_timeout_s`` is how long a foreign lock is waited for.

        :raises StorageSetupError: the file or its folder cannot be used, is another's, or is newer.
        :raises StorageUnavailableError: another program holds the file locked, or the disk is full.
        """
        lock = await asyncio.to_thread(_take_ownership, path)
        writing = _engine(path, "rwc", busy_timeout_s, "BEGIN IMMEDIATE", connections=1)
        reading = _engine(path, "ro", busy_timeout_s, "BEGIN", connections=_READERS)
        try:
            with translating():
                await _prepare(writing)
        except BaseException:
            await writing.dispose()
            await asyncio.to_thread(lock.release)
            raise
        readers = _Readers(reading, ThreadedReader(_blocking_engine(path, busy_timeout_s)))
        return cls(path, lock, writing, readers, clock)

    @property
    def description(self) -> str:
        """SQLite's version and the file's name."""
        return f"SQLite {sqlite3.sqlite_version}, {self._path.name}"

    @property
    def exclusive(self) -> bool:
        """Always: the file's lock is ours."""
        return True

    async def write(self, job: Job[T]) -> T:
        """Run ``job`` in a transaction of the writer; see ``Backend``."""
        return await self._writer.submit(job)

    async def read(self, job: Job[T]) -> T:
        """Run ``job`` on a connection that cannot write; see ``Backend``."""
        return await self._reads.run(self._read(job))

    async def look(self, look: Look[T]) -> T:
        """Run ``look`` in the reader's thread, on a connection that cannot write; see ``Backend``."""
        return await self._reads.run(self._readers.blocking.run(look))

    async def scrub(self) -> None:
        """Write the log back into the file and cut it to nothing; see ``Backend``."""
        for _ in range(_SCRUB_ATTEMPTS):
            if await self._writer.submit_bare(_checkpoint):
                return
        raise StorageBusyError(
            "It is deleted, but another program that reads the database keeps its traces in the log; "
            "close that program and delete again."
        )

    async def aclose(self) -> None:
        """Run the queued writes, empty the log, give the file free; see ``Backend``."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _read(self, job: Job[T]) -> T:
        with translating():
            async with self._readers.waiting.connect() as connection:
                return await job(connection)

    async def _close(self) -> None:
        await self._reads.drain()
        await self._readers.waiting.dispose()
        await self._readers.blocking.aclose()
        try:
            if not await self._writer.submit_bare(_checkpoint):
                _log.info("the log of %s stays until the next start: another program reads it", self._path.name)
        except StorageError as error:
            _log.warning("the log of %s stays until the next start: %s", self._path.name, error)
        finally:
            await self._writer.aclose()
            await self._writing.dispose()
            await asyncio.to_thread(self._lock.release)


def _take_ownership(path: Path) -> FileLock:
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # not bound to a thread: it is taken in one and released in another
        lock = FileLock(f"{path}.lock", thread_local=False)
        lock.acquire(blocking=False)
    except Timeout:
        raise StorageInUseError(
            f"Another process already uses {path.name}; stop it, or give this one its own file in DATABASE_URL, "
            "a PostgreSQL server, or the address of the other one's gateway."
        ) from None
    except (OSError, NotImplementedError) as error:
        raise StorageAccessError(
            f"The folder {folder} cannot be written to; give this user the right to, "
            "or name another folder in DATABASE_URL.",
            code=type(error).__name__,
        ) from error
    return lock


def _engine(path: Path, mode: str, busy_timeout_s: float, begin: str, *, connections: int) -> AsyncEngine:
    made = create_async_engine(_url("sqlite+aiosqlite", path, mode), **_options(busy_timeout_s, connections))
    _set_up(made.sync_engine, begin)
    return made


def _blocking_engine(path: Path, busy_timeout_s: float) -> Engine:
    made = create_engine(_url("sqlite+pysqlite", path, "ro"), **_options(busy_timeout_s, connections=1))
    _set_up(made, "BEGIN")
    return made


def _url(driver: str, path: Path, mode: str) -> URL:
    return URL.create(driver, database=f"file:{quote(str(path))}", query={"mode": mode, "uri": "true"})


def _options(busy_timeout_s: float, connections: int) -> dict[str, Any]:
    return {
        "pool_size": connections,
        "max_overflow": 0,
        "hide_parameters": True,
        # None: the driver begins no transaction of its own, the listener does
        "connect_args": {"isolation_level": None, "timeout": busy_timeout_s},
    }


def _set_up(engine: Engine, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        # SQLite keeps none of these in the file
        for pragma in ("secure_delete = ON", "synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        if not connection.get_execution_options().get(_OUTSIDE):
            connection.exec_driver_sql(begin)


async def _prepare(engine: AsyncEngine) -> None:
    mode = await _pragma(engine, "journal_mode = WAL")
    if mode != "wal":
        raise StorageAccessError(
            "The file system of the database cannot keep SQLite's log; name a folder on a local disk in DATABASE_URL."
        )
    if await is_up_to_date(engine):
        return
    upgrade = await load_upgrade()
    # a step that rebuilds a table must not delete, by cascade, the rows that refer to it
    await _pragma(engine, "foreign_keys = OFF")
    async with engine.begin() as connection:
        await upgrade(connection)
    await _pragma(engine, "foreign_keys = ON")


async def _pragma(engine: AsyncEngine, assignment: str) -> object:
    """Set a pragma where SQLite takes it, outside a transaction, and give what it answers (None: nothing)."""
    async with engine.connect() as connection:
        await connection.execution_options(**{_OUTSIDE: True})
        answer = await connection.exec_driver_sql(f"PRAGMA {assignment}")
        return answer.scalar() if answer.returns_rows else None


async def _checkpoint(connection: AsyncConnection) -> bool:
    row = (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).one()
    return bool(row[0] == 0)
