"""Which rows are whose: the statements that count, read and delete what is stored about a person or a guild.

No table is listed here. Every table with a column ``user_id`` or ``owner_id`` holds things of persons, every table with
``guild_id`` things of guilds; a table that is added later is counted, exported and deleted without a word here. What
always holds: children go before their parents, and what conversations are taken apart by (``forgetting``) goes first.
Functions of a connection inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Column, LargeBinary, Select, Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage import forgetting
from utils.storage.schema import conversations, metadata, turns

_OWNERS = ("user_id", "owner_id")


def personal_tables() -> Iterator[tuple[Table, Column[int]]]:
    """Give each table that holds things of persons, with the column that says whose; children before parents."""
    for table in reversed(metadata.sorted_tables):
        for name in _OWNERS:
            if name in table.c:
                yield table, table.c[name]
                break


def coded_columns(table: Table) -> list[Column[bytes]]:
    """Name the columns of a table whose bytes pass the codec."""
    return [column for column in table.columns if isinstance(column.type, LargeBinary)]


def row_id_of(table: Table) -> Column[int]:
    """Name the column that a table's coded bytes are bound to: ``id``, or the one its ``info`` names as ``row_id``."""
    column: Column[int] = table.c[table.info.get("row_id", "id")]
    return column


def owned_rows(table: Table, owner: Column[int], user_id: int) -> Select[tuple[int]]:
    """Select a person's rows of one table in the order they were made."""
    return select(table).where(owner == user_id).order_by(*table.primary_key.columns)


async def forget_user(connection: AsyncConnection, user_id: int) -> int:
    """Delete all that is stored of a person; gives how many rows were theirs."""
    count = 0
    for table, owner in personal_tables():
        count += int(await connection.scalar(select(func.count()).select_from(table).where(owner == user_id)) or 0)
    await forgetting.forget_user(connection, user_id)
    for table, owner in personal_tables():
        await connection.execute(delete(table).where(owner == user_id))
    return count


async def forget_guild(connection: AsyncConnection, guild_id: int) -> int:
    """Delete all that is stored of a guild; gives how many rows."""
    count = 0
    for table in reversed(metadata.sorted_tables):
        if "guild_id" in table.c:
            count += (await connection.execute(delete(table).where(table.c.guild_id == guild_id))).rowcount
    return count


async def forget_turns(connection: AsyncConnection, turn_ids: Sequence[int]) -> int:
    """Delete turns with all that hangs on them, and the summaries that were made of them; gives how many turns.

    The ``revision`` of their conversations grows, so that a summary which is being made of them is thrown away.
    """
    of_them = select(turns.c.conversation_id).where(turns.c.id.in_(turn_ids))
    family = select(conversations.c.id).where(conversations.c.id.in_(of_them)).cte("family", recursive=True)
    # what was said before a branch is in the branch's summary too
    family = family.union(select(conversations.c.id).where(conversations.c.parent_id == family.c.id))
    await connection.execute(
        update(conversations)
        .where(conversations.c.id.in_(select(family.c.id)))
        .values(summary=None, summary_turn_id=None, revision=conversations.c.revision + 1)
    )
    return (await connection.execute(delete(turns).where(turns.c.id.in_(turn_ids)))).rowcount
