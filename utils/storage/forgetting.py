"""Taking a person out of conversations.

Functions of a connection inside the caller's transaction. What always holds: no row is left that is reachable by the
user or the guild, none whose parent is gone, and no answer or summary that was made of the user's words; other people's
questions stay, also those that were answered together with the user's, but without that answer.
"""

from __future__ import annotations

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.schema import attachments, conversations, messages, turns, usage_days

# Discord's ids begin in 2015 and are large; none is 0
_NOBODY = 0


async def forget_user(connection: AsyncConnection, user_id: int) -> None:
    """Delete all that a user said and was answered; of the user's conversations, what others said stays, unowned."""
    await _summaries_of(connection, user_id)
    await _shared_answers(connection, user_id)
    for table in (attachments, messages):
        await connection.execute(delete(table).where(table.c.user_id == user_id))
    await _hand_over_turns(connection, user_id)
    for table in (turns, usage_days):
        await connection.execute(delete(table).where(table.c.user_id == user_id))
    owned = conversations.c.owner_id == user_id
    used = exists().where(turns.c.conversation_id == conversations.c.id)
    await connection.execute(delete(conversations).where(owned, ~used))
    await connection.execute(
        update(conversations).where(owned).values(owner_id=_NOBODY, instructions=None, title=None, options=None)
    )


async def _summaries_of(connection: AsyncConnection, user_id: int) -> None:
    spoke = exists().where(messages.c.conversation_id == conversations.c.id, messages.c.user_id == user_id)
    await connection.execute(
        update(conversations)
        # what was said before a branch is in the branch's summary too
        .where(spoke | conversations.c.parent_id.is_not(None))
        .values(summary=None, summary_turn_id=None, revision=conversations.c.revision + 1)
    )


async def _shared_answers(connection: AsyncConnection, user_id: int) -> None:
    """Delete the answers of turns in which the user spoke among others."""
    spoken_in = select(messages.c.turn_id).where(messages.c.user_id == user_id)
    await connection.execute(delete(messages).where(messages.c.role == "model", messages.c.turn_id.in_(spoken_in)))


async def _hand_over_turns(connection: AsyncConnection, user_id: int) -> None:
    """Give turns that hold other people's messages to one of those."""
    other = (
        select(func.min(messages.c.user_id))
        .where(messages.c.turn_id == turns.c.id, messages.c.role == "user")
        .scalar_subquery()
    )
    left = exists().where(messages.c.turn_id == turns.c.id, messages.c.role == "user")
    # the row's name was the user's; the messages carry their own
    await connection.execute(
        update(turns)
        .where(turns.c.user_id == user_id, left)
        .values(user_id=other, user_name=b"", token=None, error_detail=None)
    )
