"""Whatever is wrong with a file or a server, one sentence of our own says what to do, and no secret."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import traceback
from contextlib import closing
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # asyncpg ships no types
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tests.storage.conftest import Asker
from utils.storage import (
    NotOurDatabaseError,
    Storage,
    StorageAccessError,
    StorageBusyError,
    StorageDataError,
    StorageError,
    StorageUnavailableError,
    errors,
    open_storage,
)
from utils.storage.border import translate, translating

_ROOT = Path(__file__).parents[2]
_PASSWORD = "s3" + "cret"
_WORDS = "private" + " words"


async def _refusal(url: str, kind: type[StorageError]) -> str:
    with pytest.raises(kind) as refusal:
        async with open_storage(url, busy_timeout_s=0.01):
            pass
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).endswith(".")
    return str(refusal.value)


@pytest.fixture
def obedient() -> list[str]:
    """A command's beginning that makes what follows obey the rights of files, as root does not."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("as root without setpriv, no file can be made unwritable")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def _open_in_child(obedient: list[str], path: Path) -> str:
    command = [*obedient, sys.executable, "-m", "tests.storage.child_opener", str(path)]
    return subprocess.check_output(command, cwd=_ROOT, text=True).strip()


async def test_missing_folders_are_made(tmp_path: Path):
    async with open_storage(str(tmp_path / "a" / "b" / "bot.db")) as storage:
        assert storage.description.startswith(f"SQLite {sqlite3.sqlite_version}")
    assert (tmp_path / "a" / "b" / "bot.db").stat().st_size > 0


@pytest.mark.parametrize("name", ["a b.db", "a%20b?c#d.db", "名前.db"])
async def test_file_names_are_taken_as_they_are_written(tmp_path: Path, name: str):
    async with open_storage(str(tmp_path / name)) as storage:
        await storage.meta.set("a", "b")
        assert await storage.meta.get("a") == "b"
    assert (tmp_path / name).is_file()


async def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "file").touch()
    assert "name another folder in DATABASE_URL" in await _refusal(
        str(tmp_path / "file" / "bot.db"), StorageAccessError
    )


async def test_a_folder_in_place_of_the_file(tmp_path: Path):
    assert "DATABASE_URL names a file" in await _refusal(str(tmp_path), StorageAccessError)


def test_a_folder_without_the_right_to_write(obedient: list[str], tmp_path: Path):
    tmp_path.chmod(0o555)
    assert _open_in_child(obedient, tmp_path / "bot.db").startswith("StorageAccessError: The folder")


def test_a_file_without_the_right_to_write(obedient: list[str], tmp_path: Path):
    path = tmp_path / "bot.db"
    assert _open_in_child(obedient, path) == "written"
    path.chmod(0o444)
    assert _open_in_child(obedient, path).startswith("StorageAccessError: The database file cannot be written to")


async def test_a_file_that_is_no_database(tmp_path: Path):
    path = tmp_path / "bot.db"
    path.write_bytes(b"these are my notes, not a database. " * 100)
    assert "not an SQLite database" in await _refusal(str(path), NotOurDatabaseError)
    assert path.read_bytes().startswith(b"these are my notes")


async def test_a_file_locked_at_start_by_another_program(tmp_path: Path):
    path = tmp_path / "bot.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE notes (a)")
        other.execute("BEGIN EXCLUSIVE")
        assert "close that program and try again" in await _refusal(str(path), StorageBusyError)
        other.execute("ROLLBACK")
        async with open_storage(str(path)):
            pass


async def test_a_file_locked_later_by_another_program_works_again_afterwards(tmp_path: Path):
    path = tmp_path / "bot.db"
    async with open_storage(str(path), busy_timeout_s=0.01) as storage:
        await storage.meta.set("a", "1")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            results = await asyncio.gather(
                storage.meta.set("a", "2"), storage.meta.set("b", "2"), return_exceptions=True
            )
            assert [type(result) for result in results] == [StorageBusyError, StorageBusyError]
            assert await storage.meta.get("a") == "1"
            other.execute("ROLLBACK")
        await storage.meta.set("a", "3")
        assert await storage.meta.get("a") == "3"


async def test_a_lock_that_is_given_free_in_time_is_waited_for(tmp_path: Path):
    path = tmp_path / "bot.db"
    async with open_storage(str(path)) as storage:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writing = asyncio.create_task(storage.meta.set("a", "1"))
            assert await storage.meta.get("a") is None
            other.execute("ROLLBACK")
        await writing


async def test_a_server_that_is_not_there(tmp_path: Path):
    url = f"postgresql://ann:s3cret@/bot?host={tmp_path}"
    assert "check that it runs" in await _refusal(url, StorageUnavailableError)


async def test_a_database_that_the_server_does_not_have(postgres_folder: Path):
    url = f"postgresql://postgres:s3cret@/nowhere?host={postgres_folder}"
    assert "create it first" in await _refusal(url, StorageAccessError)


async def test_a_login_that_the_server_refuses_shows_no_password(postgres_folder: Path):
    url = f"postgresql://stranger:{_PASSWORD}@/postgres?host={postgres_folder}"
    with pytest.raises(StorageAccessError) as refusal:
        async with open_storage(url):
            pass
    assert "check user, password and rights" in str(refusal.value)
    assert _PASSWORD not in "".join(traceback.format_exception(refusal.value))


async def test_a_server_that_hung_up_is_found_again(postgres_url: str, postgres_folder: Path):
    async with open_storage(postgres_url) as storage:
        await storage.meta.set("a", "1")
        other = await asyncpg.connect(host=str(postgres_folder), user="postgres", database="postgres")
        cut = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = 'postgres' AND pid <> pg_backend_pid()"
        )
        assert await other.fetchval(cut) >= 1
        await other.close()
        await storage.meta.set("a", "2")
        assert await storage.meta.get("a") == "2"


async def test_a_server_that_hangs_up_within_a_write_is_named_and_nothing_is_stored(postgres_url: str):
    async with open_storage(postgres_url) as storage:

        async def job(connection) -> None:
            await connection.execute(text("INSERT INTO meta (name, value) VALUES ('half', 'done')"))
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

        with pytest.raises(StorageUnavailableError, match="cannot be reached"):
            await storage._backend.write(job)
        assert await storage.meta.get("half") is None


async def test_a_refused_value_is_in_no_traceback(storage: Storage, asker: Asker):
    """The drivers quote the value they refuse; it may be a person's words, so their error is not passed on."""
    conversation = await asker.conversation()
    with pytest.raises(StorageDataError) as refusal:
        await asker.ask(conversation, _WORDS, locale=object(), user_name=_WORDS, guild_id=_WORDS)
    assert _WORDS not in "".join(traceback.format_exception(refusal.value))
    assert refusal.value.__cause__ is None


def test_every_error_of_the_tree_is_a_storage_error_with_one_place_in_it():
    named = [value for value in vars(errors).values() if isinstance(value, type)]
    assert all(issubclass(kind, StorageError) and kind.__doc__ for kind in named)
    tree = errors.__doc__ or ""
    assert [kind.__name__ for kind in named if kind.__name__ not in tree] == []


def test_errors_that_are_no_databases_pass_the_border():
    assert translate(ValueError("x")) is None
    with pytest.raises(KeyError), translating():
        raise KeyError("x")
    own = StorageBusyError("x")
    with pytest.raises(StorageBusyError) as passed, translating():
        raise own
    assert passed.value is own


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (SQLAlchemyError("x"), StorageUnavailableError),
        (sqlite3.ProgrammingError("no code"), StorageDataError),
        (sqlite3.OperationalError("no code"), StorageUnavailableError),
        (asyncpg.DiskFullError("x"), errors.StorageFullError),
        (asyncpg.ForeignKeyViolationError("x"), errors.MissingRowError),
        (asyncpg.UniqueViolationError("x"), StorageDataError),
        (asyncpg.TooManyConnectionsError("x"), StorageUnavailableError),
        (asyncpg.InvalidPasswordError("x"), StorageAccessError),
        (asyncpg.UndefinedTableError("x"), StorageUnavailableError),
        (ConnectionRefusedError(), StorageUnavailableError),
        (TimeoutError(), StorageUnavailableError),
    ],
)
def test_foreign_errors_get_a_class_of_ours(error: Exception, kind: type[StorageError]):
    assert type(translate(error)) is kind
