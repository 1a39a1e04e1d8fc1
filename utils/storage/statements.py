"""The statements over conversations, turns and messages that take more than one line.

Functions of a connection inside the caller's transaction; they know tables and ``Records``, not backends. What always
holds: ``advance`` never moves a turn that is answered; ``forget_user`` and ``forget_guild`` leave no row that is
reachable by the user or the guild, and no row whose parent is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.records import Records, Values
from utils.storage.rows import StoredAttachment, StoredMessage
from utils.storage.schema import attachments, conversations, messages, turns, usage_days

# Discord's ids begin in 2015 and are large; none is 0
_NOBODY = 0


async def add_message(connection: AsyncConnection, message: Values, files: Sequence[Values]) -> None:
    """Store a message and its attachments."""
    await connection.execute(messages.insert(), message)
    if files:
        await connection.execute(attachments.insert(), list(files))


async def advance(connection: AsyncConnection, turn_id: int, values: Values) -> bool:
    """Move a turn on; False: it is answered already, or gone."""
    moved = await connection.execute(
        update(turns).where(turns.c.id == turn_id, turns.c.state != "answered").values(values)
    )
    return moved.rowcount > 0


def with_asker() -> Select[Any]:
    """Select messages together with the stored name of who asked; ``turns`` is joined for conditions."""
    return select(messages, turns.c.user_name).join(turns, messages.c.turn_id == turns.c.id)


def newest_answered(conversation_id: int, max_messages: int) -> Select[Any]:
    """Select the messages of answered turns, newest first."""
    return (
        with_asker()
        .where(messages.c.conversation_id == conversation_id, turns.c.state == "answered")
        .order_by(messages.c.turn_id.desc(), messages.c.position.desc())
        .limit(max_messages)
    )


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


async def forget_user(connection: AsyncConnection, user_id: int) -> None:
    """Delete all turns of a user; of the user's conversations, what others said in them stays, without an owner."""
    for table in (attachments, messages, turns, usage_days):
        await connection.execute(delete(table).where(table.c.user_id == user_id))
    owned = conversations.c.owner_id == user_id
    used = exists().where(turns.c.conversation_id == conversations.c.id)
    await connection.execute(delete(conversations).where(owned, ~used))
    await connection.execute(update(conversations).where(owned).values(owner_id=_NOBODY, instructions=None, title=None))


async def forget_guild(connection: AsyncConnection, guild_id: int) -> None:
    """Delete all that was said in a guild."""
    for table in (attachments, messages, turns, usage_days, conversations):
        await connection.execute(delete(table).where(table.c.guild_id == guild_id))
