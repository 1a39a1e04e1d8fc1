"""What is forgotten is gone, rows and bytes, and nothing else is; on both databases."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.storage.conftest import Asker
from utils.storage import Storage, StorageBusyError, open_storage
from utils.storage.schema import attachments, conversations, messages, turns, usage_days


async def _count(storage: Storage) -> dict[str, int]:
    async def job(connection):
        return {
            table.name: await connection.scalar(select(func.count()).select_from(table))
            for table in (conversations, turns, messages, attachments, usage_days)
        }

    return await storage._backend.read(job)


def _all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def _exchange(asker: Asker, conversation, user_id: int, word: str) -> None:
    turn = await asker.ask(
        conversation, f"{word}?", user_id=user_id, user_name=word, attachments=[(word, "text/plain", word.encode())]
    )
    await asker.answer(turn, f"{word}!")


async def test_forgetting_a_user_deletes_that_users_rows_only(storage: Storage, asker: Asker):
    mine, others = await asker.conversation(owner_id=7), await asker.conversation(owner_id=8, channel_id=12)
    for conversation in (mine, others):
        await _exchange(asker, conversation, 7, "mine")
    await _exchange(asker, others, 8, "hers")
    await storage.privacy.forget_user(7)
    assert await _count(storage) == {
        "conversations": 1,
        "turns": 1,
        "messages": 2,
        "attachments": 1,
        "usage_days": 1,
    }
    left = await storage.conversations.history(others.id, max_messages=10)
    assert [message.text for message in left] == ["hers?", "hers!"]


async def test_what_others_said_in_a_users_conversation_stays_without_owner(storage: Storage, asker: Asker):
    conversation = await asker.conversation(owner_id=7)
    await _exchange(asker, conversation, 7, "mine")
    await _exchange(asker, conversation, 8, "hers")
    await storage.privacy.forget_user(7)
    kept = await storage.conversations.get_conversation(conversation.id)
    assert kept is not None
    assert (kept.owner_id, kept.title, kept.instructions) == (0, None, None)
    assert [message.text for message in await storage.conversations.history(kept.id, max_messages=9)] == [
        "hers?",
        "hers!",
    ]


async def test_forgetting_a_guild_leaves_other_guilds_and_direct_messages(storage: Storage, asker: Asker):
    await _exchange(asker, await asker.conversation(guild_id=5), 7, "five")
    for guild_id in (6, None):
        await _exchange(asker, await asker.conversation(guild_id=guild_id), 7, "kept")
    await storage.privacy.forget_guild(5)
    assert await _count(storage) == {
        "conversations": 2,
        "turns": 2,
        "messages": 4,
        "attachments": 2,
        "usage_days": 2,
    }


async def test_answer_that_comes_after_its_user_was_forgotten_is_not_stored(storage: Storage, asker: Asker):
    turn = await asker.ask(await asker.conversation(), "why?")
    await storage.privacy.forget_user(7)
    assert not await asker.answer(turn, "because")
    assert set((await _count(storage)).values()) == {0}


@pytest.mark.parametrize("whom", ["user", "guild"])
async def test_no_forgotten_byte_is_left_in_the_files(tmp_path: Path, whom: str):
    """Markers in every field of forty exchanges are in no file once the user, or the guild, is forgotten."""
    path = tmp_path / "bot.db"
    async with open_storage(str(path)) as storage:
        asker = Asker(storage)
        shared, other = (
            await asker.conversation(owner_id=7, guild_id=5),
            await asker.conversation(owner_id=8, guild_id=6),
        )
        for number in range(40):
            await _exchange(asker, shared, 7, f"MARKER{number}" * 100)
        await _exchange(asker, other, 8, "HERS")
        if whom == "user":
            await _exchange(asker, shared, 8, "HERS")
            await storage.privacy.forget_user(7)
        else:
            await storage.privacy.forget_guild(5)
        stored = _all_bytes(tmp_path)
        assert stored.count(b"MARKER") == 0
        assert stored.count(b"be kind") == 1
        assert b"HERS" in stored


async def test_a_foreign_reader_that_keeps_traces_in_the_log_is_named(tmp_path: Path):
    path = tmp_path / "bot.db"
    async with open_storage(str(path), busy_timeout_s=0.01) as storage:
        asker = Asker(storage)
        await _exchange(asker, await asker.conversation(), 7, "mine")
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM turns").fetchone() == (1,)
            with pytest.raises(StorageBusyError, match="close that program and delete again"):
                await storage.privacy.forget_user(7)
        await storage.privacy.forget_user(7)
        assert set((await _count(storage)).values()) == {0}
