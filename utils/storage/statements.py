"""The statements that change turns and messages and take more than one line.

Functions of a connection inside the caller's transaction; they know tables, not backends; ``reading`` is their other
half. What always holds: ``advance`` never moves a turn that is answered; a turn has at most one answer that is not
replaced; whatever changes what was said also takes the summary of its conversation away, and counts its ``revision``
up, so that a summary made meanwhile is not stored. Forgetting is ``forgetting``'s.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import insert_for
from utils.storage.records import Values
from utils.storage.schema import attachments, conversations, messages, turns


async def add_message(connection: AsyncConnection, message: Values, files: Sequence[Values]) -> bool:
    """Store a message, after the others of its turn, and its attachments; False: its source was stored before."""
    last = await connection.scalar(
        select(func.max(messages.c.position)).where(messages.c.turn_id == message["turn_id"])
    )
    insert = insert_for(connection, messages).on_conflict_do_nothing(index_elements=["source_id"])
    row = {**message, "position": 0 if last is None else last + 1}
    if (await connection.execute(insert, row)).rowcount == 0:
        return False
    if files:
        await connection.execute(attachments.insert(), list(files))
    return True


async def advance(connection: AsyncConnection, turn_id: int, values: Values) -> bool:
    """Move a turn on; False: it is answered already, or gone."""
    moved = await connection.execute(
        update(turns).where(turns.c.id == turn_id, turns.c.state != "answered").values(values)
    )
    return moved.rowcount > 0


async def replace_answers(connection: AsyncConnection, turn_id: int, now: float) -> None:
    """Make the turn's answer one that was replaced."""
    await connection.execute(
        update(messages)
        .where(messages.c.turn_id == turn_id, messages.c.role == "model", messages.c.replaced_at.is_(None))
        .values(replaced_at=now)
    )


async def has_answer(connection: AsyncConnection, turn_id: int) -> bool:
    """Tell whether the turn has an answer that was not replaced."""
    found = await connection.scalar(
        select(messages.c.id)
        .where(messages.c.turn_id == turn_id, messages.c.role == "model", messages.c.replaced_at.is_(None))
        .limit(1)
    )
    return found is not None


async def changed(connection: AsyncConnection, conversation_id: int, *, from_turn_id: int) -> None:
    """Note that something said in or after a turn is not what it was."""
    here = conversations.c.id == conversation_id
    await connection.execute(update(conversations).where(here).values(revision=conversations.c.revision + 1))
    await connection.execute(
        update(conversations)
        .where(
            (here & (conversations.c.summary_turn_id >= from_turn_id)) | (conversations.c.parent_id == conversation_id)
        )
        .values(summary=None, summary_turn_id=None)
    )
