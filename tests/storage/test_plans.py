"""What is read often is found by an index, however much is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import Select

from utils.storage import open_storage
from utils.storage.reading import newest_answered
from utils.storage.schema import conversations, turns

_OWED = select(turns).where(turns.c.state.in_(("asked", "answering"))).order_by(turns.c.id)
_OF_ANSWER = select(turns).where(turns.c.answer_message_id == 1).limit(1)
_CHATS = (
    select(conversations)
    .where(conversations.c.seen_id > 1, conversations.c.kind.in_(("thread", "dm")))
    .order_by(conversations.c.seen_id.desc())
    .limit(100)
)
_OF_CHANNEL = select(conversations).where(conversations.c.channel_id == 1).order_by(conversations.c.id.desc()).limit(1)


async def _plan(folder: Path, statement: str) -> list[str]:
    async with open_storage(str(folder / "bot.db")) as storage:

        async def job(connection):
            return [row[3] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]

        return await storage._backend.read(job)


async def test_what_is_owed_is_found_by_an_index_of_its_own(tmp_path: Path):
    """The index holds owed turns only, so reading all of it reads nothing else."""
    plan = await _plan(tmp_path, "SELECT * FROM turns WHERE delivered_at IS NULL AND owner IS NULL ORDER BY id")
    assert any("ix_turns_owed" in step for step in plan), plan
    assert not [step for step in plan if "TEMP B-TREE" in step], plan


@pytest.mark.parametrize(
    ("wanted", "index", "sorts"),
    [
        (
            newest_answered(after=False, before=True).params(conversation=1, before=9, most=50),
            "ix_messages_conversation_id_turn_id_position",
            False,
        ),
        (_OF_CHANNEL, "ix_conversations_channel_id_id", False),
        (_OWED, "ix_turns_state", True),
        (_OF_ANSWER, "ix_turns_answer_message_id", False),
        (_CHATS, "ix_conversations_seen_id", False),
    ],
    ids=["history", "conversation of a channel", "unfinished", "turn of an answer", "chats"],
)
async def test_statement_uses_its_index(tmp_path: Path, wanted: Select[Any], index: str, sorts: bool):
    """No table is scanned; a history and a channel's conversation are not even sorted."""
    compiled = str(wanted.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    plan = await _plan(tmp_path, compiled)
    assert any(index in step for step in plan), plan
    assert not [step for step in plan if step.startswith("SCAN")], plan
    assert any("TEMP B-TREE" in step for step in plan) == sorts, plan
