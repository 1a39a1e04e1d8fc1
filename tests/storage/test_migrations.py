"""Migrations lead to the schema, once, and never from a newer or another program's database; on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from utils.storage import NewerSchemaError, NotOurDatabaseError, Storage, open_storage
from utils.storage.migrations import NEWEST
from utils.storage.migrations.steps import load_steps
from utils.storage.schema import metadata

Opener = Callable[[], AbstractAsyncContextManager[Storage]]


async def test_migrating_an_empty_database_gives_the_schema(storage: Storage):
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await storage._backend.read(lambda connection: connection.run_sync(differences)) == []


def test_there_is_one_line_of_steps_from_nothing():
    steps = load_steps()
    assert steps.get_heads() == [NEWEST]
    assert len(steps.get_bases()) == 1


async def test_a_migrated_database_is_opened_again_as_it_is(open_it: Opener):
    async with open_it() as storage:
        await storage.meta.set("run", "one")
    async with open_it() as storage:
        assert await storage.meta.get("run") == "one"


def test_a_start_that_finds_all_steps_taken_is_spared_their_machinery(tmp_path: Path):
    """Opening a database that is up to date imports no Alembic, which takes longer than all the rest of it."""
    script = (
        "import asyncio, sys\n"
        "from utils.storage import open_storage\n"
        "async def go():\n"
        "    async with open_storage(sys.argv[1]):\n"
        "        pass\n"
        "asyncio.run(go())\n"
        "print('alembic' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script, f"sqlite:///{tmp_path / 'x.db'}"]
    outputs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() for _ in range(2)]
    assert outputs == ["True", "False"]


async def test_a_newer_database_is_refused_and_left_alone(open_it: Opener):
    async def set_version(version: str) -> None:
        async with open_it() as storage:
            await storage.meta.set("run", "one")
            await storage._backend.write(
                lambda connection: connection.execute(
                    text("UPDATE alembic_version SET version_num = :version"), {"version": version}
                )
            )

    await set_version("9999")
    with pytest.raises(NewerSchemaError, match=r"newer version of this program \(schema 9999\)"):
        async with open_it():
            pass


async def test_another_programs_tables_are_not_touched(tmp_path: Path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE messages (id INTEGER)")
        other.commit()
    with pytest.raises(NotOurDatabaseError, match=r"another program's tables \(messages\)"):
        async with open_storage(str(path)):
            pass
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("messages",)]


async def test_a_step_that_fails_leaves_nothing_behind(tmp_path: Path):
    path = tmp_path / "bot.db"
    with closing(sqlite3.connect(path)) as other:
        # the last index that the first step makes is taken, so the step dies when almost all is done
        other.execute("CREATE TABLE spare (a)")
        other.execute("CREATE INDEX ix_usage_days_guild_id ON spare (a)")
        other.commit()
    with pytest.raises(Exception, match="could not do what was asked"):
        async with open_storage(str(path)):
            pass
    with closing(sqlite3.connect(path)) as other:
        names = {name for (name,) in other.execute("SELECT name FROM sqlite_master")}
        assert names == {"spare", "ix_usage_days_guild_id"}
        other.execute("DROP TABLE spare")
    async with open_storage(str(path)) as storage:
        assert await storage.meta.get("run") is None


async def test_two_programs_that_start_at_once_on_one_server_both_come_up(postgres_url: str):
    async def start() -> None:
        async with open_storage(postgres_url) as storage:
            await storage.meta.set("run", "one")

    await asyncio.gather(start(), start(), start())
