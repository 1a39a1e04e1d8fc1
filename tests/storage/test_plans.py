"""What is read often is found by an index, however much is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import Select

from utils.storage import open_storage
from utils.storage.schema import conversations, turns
from utils.storage.statements import newest_answered

_OWED = select(turns).where(turns.c.state.in_(("asked", "answering"))).order_by(turns.c.id)
_OF_CHANNEL = select(conversations).where(conversations.c.channel_id == 1).order_by(conversations.c.id.desc()).limit(1)


@pytest.mark.parametrize(
    ("wanted", "index", "sorts"),
    [
        (newest_answered(1, 50), "ix_messages_conversation_id_turn_id_position", False),
        (_OF_CHANNEL, "ix_conversations_channel_id_id", False),
        (_OWED, "ix_turns_state", True),
    ],
    ids=["history", "conversation of a channel", "unfinished"],
)
async def test_statement_uses_its_index(tmp_path: Path, wanted: Select[Any], index: str, sorts: bool):
    """No table is scanned; a history and a channel's conversation are not even sorted."""
    compiled = str(wanted.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    async with open_storage(str(tmp_path / "bot.db")) as storage:

        async def job(connection):
            return [row[3] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]

        plan = await storage._backend.read(job)
    assert any(index in step for step in plan), plan
    assert not [step for step in plan if step.startswith("SCAN")], plan
    assert any("TEMP B-TREE" in step for step in plan) == sorts, plan
