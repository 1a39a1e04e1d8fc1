"""The statements over conversations, turns and messages that take more than one line.

Functions of a connection inside the caller's transaction; they know tables and ``Records``, not backends. What always
holds: ``advance`` never moves a turn that is answered; a turn has at most one answer that is not replaced; whatever
changes what was said also takes the summary of its conversation away, and counts its ``revision`` up, so that a
summary made meanwhile is not stored. Forgetting is ``forgetting``'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import insert_for
from utils.storage.records import Records, Values
from utils.storage.rows import StoredAttachment, StoredMessage
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


def with_asker(*, replaced: bool = False) -> Select[Any]:
    """Select messages with the stored name of who asked, for rows without their own; ``turns`` is joined.

    ``replaced``: the answers that gave way to newer ones, instead of what was said in the end.
    """
    return (
        select(messages, turns.c.user_name.label("asker_name"))
        .join(turns, messages.c.turn_id == turns.c.id)
        .where(
            messages.c.role != "removed",
            messages.c.replaced_at.is_not(None) if replaced else messages.c.replaced_at.is_(None),
        )
    )


def newest_answered(
    conversation_id: int, max_messages: int, *, after_turn_id: int | None = None, before_turn_id: int | None = None
) -> Select[Any]:
    """Select the messages of answered turns, newest first, between two turns that do not belong."""
    wanted = with_asker().where(messages.c.conversation_id == conversation_id, turns.c.state == "answered")
    if after_turn_id is not None:
        wanted = wanted.where(messages.c.turn_id > after_turn_id)
    if before_turn_id is not None:
        wanted = wanted.where(messages.c.turn_id < before_turn_id)
    return wanted.order_by(messages.c.turn_id.desc(), messages.c.position.desc()).limit(max_messages)


async def load_messages(connection: AsyncConnection, records: Records, wanted: Select[Any]) -> list[StoredMessage]:
    """Read the messages of one conversation that ``wanted`` selects, in its order, with their attachments."""
    rows = (await connection.execute(wanted)).mappings().all()
    if not rows:
        return []
    files = await _load_files(connection, records, rows)
    return [records.message(row, files[row["id"]]) for row in rows]


async def _load_files(
    connection: AsyncConnection, records: Records, rows: Sequence[RowMapping]
) -> defaultdict[int, list[StoredAttachment]]:
    # by range and not by list of ids: a history may hold more messages than a statement takes parameters
    turn_ids = [row["turn_id"] for row in rows]
    found = await connection.execute(
        select(attachments)
        .join(messages, attachments.c.message_id == messages.c.id)
        .where(
            messages.c.conversation_id == rows[0]["conversation_id"],
            messages.c.turn_id.between(min(turn_ids), max(turn_ids)),
        )
        .order_by(attachments.c.message_id, attachments.c.position)
    )
    wanted = {row["id"] for row in rows}
    files: defaultdict[int, list[StoredAttachment]] = defaultdict(list)
    for row in found.mappings():
        if row["message_id"] in wanted:
            files[row["message_id"]].append(records.attachment(row))
    return files
