"""Writes to a file are gathered into few commits, acknowledged after them, and fail together only when all is lost."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage import StorageBusyError, StorageClosedError, StorageFullError
from utils.storage.sqlite import SqliteBackend


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncIterator[SqliteBackend]:
    opened = await SqliteBackend.open(tmp_path / "bot.db", clock=lambda: 0.0, busy_timeout_s=0.01)
    yield opened
    await opened.aclose()


@pytest.fixture
def commits(backend: SqliteBackend) -> list[int]:
    seen: list[int] = []
    event.listen(backend._writing.sync_engine, "commit", lambda _connection: seen.append(1))
    return seen


def _insert(name: str, size: int = 1):
    async def job(connection: AsyncConnection) -> str:
        statement = text("INSERT INTO meta (name, value) VALUES (:name, :value)")
        await connection.execute(statement, {"name": name, "value": "x" * size})
        return name

    return job


def _names(path: Path) -> set[str]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as other:
        return {name for (name,) in other.execute("SELECT name FROM meta")}


async def test_a_lone_write_is_committed_at_once(backend: SqliteBackend, commits: list[int], tmp_path: Path):
    assert await backend.write(_insert("a")) == "a"
    assert _names(tmp_path / "bot.db") == {"a"}
    assert len(commits) == 1


async def test_writes_that_wait_share_commits_of_at_most_100(backend: SqliteBackend, commits: list[int]):
    results = await asyncio.gather(*[backend.write(_insert(f"{number}")) for number in range(250)])
    assert results == [f"{number}" for number in range(250)]
    assert len(commits) == 3


async def test_a_batch_ends_when_its_time_is_over(tmp_path: Path):
    """With a clock that leaps at every look, no batch gathers more than the job it began with."""
    ticks = iter(range(10_000))
    opened = await SqliteBackend.open(tmp_path / "bot.db", clock=lambda: float(next(ticks)))
    seen: list[int] = []
    event.listen(opened._writing.sync_engine, "commit", lambda _connection: seen.append(1))
    await asyncio.gather(*[opened.write(_insert(f"{number}")) for number in range(10)])
    await opened.aclose()
    assert len(seen) == 10


async def test_nobody_is_told_before_the_commit(backend: SqliteBackend, tmp_path: Path):
    """Whoever is told that it is stored finds it there through another program's eyes."""

    async def write(number: int) -> bool:
        name = await backend.write(_insert(f"{number}"))
        return name in _names(tmp_path / "bot.db")

    assert all(await asyncio.gather(*[write(number) for number in range(30)]))


async def test_a_full_disk_fails_every_write_of_the_transaction_and_none_after_room_was_made(
    backend: SqliteBackend, tmp_path: Path
):
    async def allow_pages(connection: AsyncConnection, pages: int) -> None:
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    await backend._writer.submit_bare(lambda connection: allow_pages(connection, 60))
    writes = [backend.write(_insert("small")), backend.write(_insert("large", 1_000_000))]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert all(isinstance(result, StorageFullError) and result.code == "SQLITE_FULL" for result in results)
    assert "free some room" in str(results[0])
    assert _names(tmp_path / "bot.db") == set()
    await backend._writer.submit_bare(lambda connection: allow_pages(connection, 100_000))
    await asyncio.gather(backend.write(_insert("small")), backend.write(_insert("large", 1_000_000)))
    assert _names(tmp_path / "bot.db") == {"small", "large"}


async def test_work_outside_a_transaction_keeps_its_place_in_the_queue(backend: SqliteBackend):
    seen: list[str] = []

    async def note(_connection: AsyncConnection, name: str) -> None:
        seen.append(name)

    await asyncio.gather(
        backend.write(lambda connection: note(connection, "first")),
        backend.write(lambda connection: note(connection, "second")),
        backend._writer.submit_bare(lambda connection: note(connection, "bare")),
        backend.write(lambda connection: note(connection, "last")),
    )
    assert seen == ["first", "second", "bare", "last"]


async def test_a_failure_nobody_waits_for_is_logged_without_its_words(
    backend: SqliteBackend, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING):
        await backend.write(_insert("a"))
        task = asyncio.create_task(backend.write(_insert("a")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await backend.write(_insert("b"))
    assert [record.getMessage() for record in caplog.records] == [
        "database work failed after its caller had gone: StorageDataError (SQLITE_CONSTRAINT_PRIMARYKEY)"
    ]


async def test_a_writer_cancelled_with_its_loop_leaves_no_caller_waiting(backend: SqliteBackend):
    writing = [asyncio.create_task(backend.write(_insert(f"{number}"))) for number in range(5)]
    await asyncio.sleep(0)
    backend._writer._task.cancel()
    results = await asyncio.gather(*writing, return_exceptions=True)
    assert {type(result) for result in results} == {StorageClosedError}


async def test_the_file_is_kept_as_promised(backend: SqliteBackend):
    """On the writing connection: WAL, each commit synced (2 is FULL), deleted bytes overwritten, references held."""

    async def settings(connection: AsyncConnection) -> list[object]:
        names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "busy_timeout")
        return [await connection.scalar(text(f"PRAGMA {name}")) for name in names]

    assert await backend.write(settings) == ["wal", 2, 1, 1, 10]


async def test_a_foreign_lock_is_waited_for_once_by_all_who_wait(tmp_path: Path):
    """Thirty writes behind a foreign lock are told so after one waiting time, not after thirty."""
    opened = await SqliteBackend.open(tmp_path / "bot.db", busy_timeout_s=0.05)
    tries: list[str | None] = []
    event.listen(opened._writing.sync_engine, "handle_error", lambda context: tries.append(context.statement))
    with closing(sqlite3.connect(tmp_path / "bot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writes = [opened.write(_insert(f"{number}")) for number in range(30)]
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert {type(result) for result in results} == {StorageBusyError}
        assert tries == ["BEGIN IMMEDIATE"]
        other.execute("ROLLBACK")
    await opened.write(_insert("later"))
    await opened.aclose()
    assert _names(tmp_path / "bot.db") == {"later"}
