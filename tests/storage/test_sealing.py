"""Encryption at rest: no word in the file, none read at another place, and no start with a wrong key."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from secrets import randbits
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.storage.conftest import Asker
from tests.storage.keys import FIRST, SECOND, given, id_of
from utils.security.masterkeys import MasterKeys
from utils.storage import Storage, StorageDataError, StorageKeyError, open_storage
from utils.storage.personal import coded_columns, row_id_of
from utils.storage.schema import attachments, messages, metadata

Opener = Callable[..., AbstractAsyncContextManager[Storage]]


@pytest.fixture
def sealed(url: str) -> Opener:
    """Opens the database under test with the first master key, or with others."""
    first = given(FIRST)
    return lambda keys=first: open_storage(url, keys=keys)


async def say(storage: Storage, text: str = "MARKER text") -> int:
    """Store a question with markers in all its words; gives the turn's id."""
    asker = Asker(storage)
    file = ("MARKER.txt", "text/plain", b"MARKER file")
    turn = await asker.ask(
        await asker.conversation(), text, user_name="MARKER name", attachments=[file], source_id=randbits(60)
    )
    return turn.id


async def stored(storage: Storage) -> dict[str, list[bytes]]:
    """Give all bytes of every column that passes the codec, by place."""

    async def job(connection: Any) -> dict[str, list[bytes]]:
        return {
            f"{table.name}.{column.name}": [
                value for value in (await connection.execute(select(column))).scalars() if value is not None
            ]
            for table in metadata.sorted_tables
            for column in coded_columns(table)
        }

    return await storage._backend.read(job)


def all_bytes(folder: Path) -> bytes:
    """Give the content of all files of a folder."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


def test_every_column_that_passes_the_codec_is_bound_to_a_row():
    """A table with words has an id of integers that its bytes can be bound to."""
    tables = [table for table in metadata.sorted_tables if coded_columns(table)]
    assert len(tables) >= 5
    assert all(row_id_of(table).type.python_type is int for table in tables)


async def test_words_are_stored_sealed_and_come_back(sealed: Opener):
    """All that a person said is sealed under the newest key; after a restart it is read as it was."""
    async with sealed() as storage:
        turn_id = await say(storage)
        values = [value for of_place in (await stored(storage)).values() for value in of_place]
        assert len(values) >= 5
        assert all(value.startswith(b"\x01" + bytes.fromhex(id_of(FIRST))) for value in values)
        assert not any(b"MARKER" in value for value in values)
    async with sealed() as storage:
        [question] = await storage.conversations.messages_of_turn(turn_id)
        assert (question.text, question.user_name) == ("MARKER text", "MARKER name")
        assert (question.attachments[0].name, question.attachments[0].content) == ("MARKER.txt", b"MARKER file")


@pytest.mark.parametrize(
    ("table", "column"), [(messages, messages.c.content), (attachments, attachments.c.content)], ids=["text", "file"]
)
async def test_swapped_rows_are_refused(sealed: Opener, table, column):
    """What was said in one turn cannot be put into another's mouth by whoever can write to the database."""
    async with sealed() as storage:
        first, second = await say(storage, "one"), await say(storage, "two")

        async def swap(connection: Any) -> None:
            rows = (await connection.execute(select(table.c.id, column))).all()
            for (row_id, _), (_, other) in zip(rows, reversed(rows), strict=True):
                await connection.execute(update(table).where(table.c.id == row_id).values({column.name: other}))

        await storage._backend.write(swap)
        for turn_id in (first, second):
            with pytest.raises(StorageDataError, match=rf"{column} was changed outside of this program"):
                await storage.conversations.messages_of_turn(turn_id)


async def test_a_start_with_another_key_is_refused_and_changes_nothing(sealed: Opener):
    """The sentence names the missing key; with the right one everything is there."""
    async with sealed() as storage:
        turn_id = await say(storage)
        before = await stored(storage)
    with pytest.raises(StorageKeyError, match=f"encrypted with master key {id_of(FIRST)}, which MASTER_KEYS"):
        async with sealed(given(SECOND)):
            pass
    async with sealed() as storage:
        assert await stored(storage) == before
        assert (await storage.conversations.messages_of_turn(turn_id))[0].text == "MARKER text"


async def test_a_start_without_any_key_is_refused(sealed: Opener):
    """An encrypted database is never written to unencrypted."""
    async with sealed():
        pass
    with pytest.raises(StorageKeyError, match="open it with its master key"):
        async with sealed(None):
            pass


async def test_a_lost_key_file_is_not_replaced(tmp_path: Path):
    """When the file is gone, the start says so and makes no new one that would be in the right one's way."""
    keys = MasterKeys(tmp_path / "keys" / "master.key")
    url = f"sqlite:///{tmp_path / 'data' / 'bot.db'}"
    async with open_storage(url, keys=keys):
        pass
    kept = keys.path.read_bytes()
    keys.path.unlink()
    with pytest.raises(StorageKeyError, match=r"which .*master\.key does not hold; put that key back"):
        async with open_storage(url, keys=keys):
            pass
    assert not keys.path.exists()
    keys.path.write_bytes(kept)
    keys.path.chmod(0o600)
    async with open_storage(url, keys=keys):
        pass


async def test_a_key_beside_the_database_is_refused(tmp_path: Path):
    """One copy of the data's folder must not hold both."""
    with pytest.raises(StorageKeyError, match="name a file in another folder"):
        async with open_storage(str(tmp_path / "bot.db"), keys=MasterKeys(tmp_path / "master.key")):
            pass
    assert not (tmp_path / "master.key").exists()


async def test_what_was_stored_before_encryption_is_read(sealed: Opener):
    """Switching encryption on needs no migration."""
    async with sealed(None) as storage:
        turn_id = await say(storage)
    async with sealed() as storage:
        assert (await storage.conversations.messages_of_turn(turn_id))[0].text == "MARKER text"


async def test_no_word_is_in_any_file(tmp_path: Path):
    """Neither the database nor its log holds a marker, while open and when closed."""
    path = tmp_path / "bot.db"
    async with open_storage(str(path), keys=given(FIRST)) as storage:
        for number in range(20):
            await say(storage, f"MARKER {number} " * 50)
        assert b"MARKER" not in all_bytes(tmp_path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM messages").fetchone() == (20,)
    assert b"MARKER" not in all_bytes(tmp_path)
