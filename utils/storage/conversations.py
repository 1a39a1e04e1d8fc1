"""What people asked and what they were answered.

``Conversations`` keeps conversations and what was said in them; the steps of turns are ``turns``'s, of which it is the
other half. A turn goes asked -> answering -> answered or failed, then its end is delivered: after a crash, ``owed``
says what is still to be done. What always holds: a history holds answered turns only, in the order of asking, without
replaced answers and removed messages; one conversation of direct messages per channel; a message that is changed or
removed takes the summary that was made of it along. What an answer is, and when one is made, is the conversations
room's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import T, insert_for
from utils.storage.reading import Reading
from utils.storage.rows import Conversation, ConversationKind, StoredMessage, Turn, UsageDay
from utils.storage.schema import NO_GUILD, attachments, conversations, messages, turns, usage_days
from utils.storage.statements import changed, replace_answers
from utils.storage.turns import Turns, seen

_CHATS = ("thread", "dm")
_DELETED = "deleted"


class Conversations(Turns):
    """Conversations, turns and messages; made by ``open_storage``. ``wall`` gives unix seconds."""

    async def open_conversation(
        self,
        *,
        kind: ConversationKind,
        guild_id: int | None,
        channel_id: int,
        owner_id: int,
        model: str | None,
        temperature: float | None = None,
        instructions: str | None = None,
        title: str | None = None,
        options: Mapping[str, Any] | None = None,
        parent_id: int | None = None,
        parent_turn_id: int | None = None,
        seen_id: int | None = None,
    ) -> Conversation:
        """Store a new conversation; of direct messages, the one that is there is given instead."""
        made = Conversation(
            id=self._records.make_id(),
            kind=kind,
            guild_id=guild_id,
            channel_id=channel_id,
            owner_id=owner_id,
            model=model,
            temperature=temperature,
            instructions=instructions,
            title=title,
            created_at=self._wall(),
            options=dict(options or {}),
            parent_id=parent_id,
            parent_turn_id=parent_turn_id,
            seen_id=seen_id,
        )
        row = self._records.conversation_row(made)
        there = select(conversations).where(conversations.c.channel_id == channel_id, conversations.c.kind == "dm")

        async def job(connection: AsyncConnection) -> Conversation:
            insert = insert_for(connection, conversations).on_conflict_do_nothing()
            if (await connection.execute(insert, row)).rowcount:
                return made
            return self._records.conversation((await connection.execute(there)).mappings().one())

        return await self._backend.write(job)

    async def drop_conversation(self, conversation_id: int) -> None:
        """Delete a conversation and all that was said in it."""

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(delete(conversations).where(conversations.c.id == conversation_id))

        await self._backend.write(job)

    async def find_conversation(self, channel_id: int, kind: ConversationKind | None = None) -> Conversation | None:
        """Give the newest conversation of a channel (and kind), or None."""
        wanted = select(conversations).where(conversations.c.channel_id == channel_id)
        if kind is not None:
            wanted = wanted.where(conversations.c.kind == kind)
        return await self._one(wanted.order_by(conversations.c.id.desc()))

    async def get_conversation(self, conversation_id: int) -> Conversation | None:
        """Give a conversation by its id, or None."""
        return await self._one(select(conversations).where(conversations.c.id == conversation_id))

    async def chats(self, *, seen_after: int, limit: int) -> list[Conversation]:
        """Give the threads and direct messages in which something newer than that id was seen, newest first."""
        wanted = (
            select(conversations)
            .where(conversations.c.seen_id > seen_after, conversations.c.kind.in_(_CHATS))
            .order_by(conversations.c.seen_id.desc())
            .limit(limit)
        )
        return [self._records.conversation(row) for row in await self._rows(wanted)]

    async def note_seen(self, conversation_id: int, message_id: int) -> None:
        """Note that a message was looked at, though nothing of it was stored."""

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(seen(conversation_id, message_id))

        await self._backend.write(job)

    async def forget_seen(self, conversation_id: int) -> None:
        """Count a conversation no more among the ``chats``, until something is asked in it."""
        await self._set(conversation_id, seen_id=None)

    async def set_channel(self, conversation_id: int, channel_id: int) -> None:
        """Let a conversation be held in another channel."""
        await self._set(conversation_id, channel_id=channel_id)

    async def set_title(self, conversation_id: int, title: str) -> None:
        """Give a conversation its title."""
        await self._set(conversation_id, title=self._records.title(conversation_id, title))

    async def set_options(self, conversation_id: int, **fields: Any) -> None:
        """Change ``model``, ``temperature``, ``instructions`` or ``options`` of a conversation."""
        found = await self.get_conversation(conversation_id)
        if found is not None:
            row = self._records.conversation_row(replace(found, **fields))
            chosen = {name: row[name] for name in fields}
            await self._set(conversation_id, **chosen)

    async def set_summary(self, conversation_id: int, summary: str, *, turn_id: int, revision: int) -> bool:
        """Store what was said up to a turn in short; False: something of it changed since ``revision``."""
        unchanged = conversations.c.revision == revision
        coded = self._records.summary(conversation_id, summary)
        return await self._set(conversation_id, unchanged, summary=coded, summary_turn_id=turn_id)

    async def read(self, job: Callable[[Reading], T]) -> T:
        """Run a job that reads, and whatever it makes of that, in one go and maybe in a thread; give its result.

        It sees one state of the database, and must touch nothing that belongs to the loop.

        :raises StorageError: it could not be read.
        """
        return await self._backend.look(lambda connection: job(Reading(connection, self._records)))

    async def history(
        self,
        conversation_id: int,
        *,
        max_messages: int,
        after_turn_id: int | None = None,
        before_turn_id: int | None = None,
    ) -> list[StoredMessage]:
        """Give the newest messages of answered turns, oldest first; never an answer without its question.

        Only those between ``after_turn_id`` and ``before_turn_id``, neither of which belongs.
        """
        return await self.read(
            lambda reading: reading.history(
                conversation_id,
                max_messages=max_messages,
                after_turn_id=after_turn_id,
                before_turn_id=before_turn_id,
            )
        )

    async def messages_of_turn(self, turn_id: int) -> list[StoredMessage]:
        """Give the question, message by message, and the answer if there is one."""
        return await self.read(lambda reading: reading.messages_of_turn(turn_id))

    async def replaced_answers(self, turn_id: int) -> list[StoredMessage]:
        """Give the answers that gave way to newer ones, oldest first."""
        return await self.read(lambda reading: reading.replaced_answers(turn_id))

    async def change_message(self, source_id: int, text: str) -> Turn | None:
        """Give a user's message another text; None: it is not stored, or has that text already."""
        turn = await self.turn_of_source(source_id)
        said = await self.messages_of_turn(turn.id) if turn is not None else []
        message = next((one for one in said if one.source_id == source_id), None)
        if turn is None or message is None or message.text == text:
            return None
        content = self._records.content(message.id, text)

        async def job(connection: AsyncConnection) -> Turn:
            await connection.execute(update(messages).where(messages.c.id == message.id).values(content=content))
            await changed(connection, turn.conversation_id, from_turn_id=turn.id)
            return turn

        return await self._backend.write(job)

    async def remove_message(self, source_id: int) -> Turn | None:
        """Delete what a user's message said, and with the last message of a turn its answers; None: not stored.

        The turn, as it was before, is given; one without a question any more ends as failed, by the kind "deleted".
        """
        turn = await self.turn_of_source(source_id)
        if turn is None:
            return None

        async def job(connection: AsyncConnection) -> Turn:
            await self._blank(connection, messages.c.source_id == source_id)
            await changed(connection, turn.conversation_id, from_turn_id=turn.id)
            question = exists().where(messages.c.turn_id == turn.id, messages.c.role == "user")
            if not await connection.scalar(select(question)):
                await replace_answers(connection, turn.id, self._wall())
                await self._blank(connection, messages.c.turn_id == turn.id)
                await connection.execute(update(turns).where(turns.c.id == turn.id).values(**self._deleted(turn.id)))
            return turn

        return await self._backend.write(job)

    async def _blank(self, connection: AsyncConnection, which: ColumnElement[bool]) -> None:
        ids = list((await connection.execute(select(messages.c.id).where(which))).scalars())
        await connection.execute(delete(attachments).where(attachments.c.message_id.in_(ids)))
        for message_id in ids:
            values = {"role": "removed", "content": self._records.content(message_id, ""), "user_name": None}
            await connection.execute(update(messages).where(messages.c.id == message_id).values(**values))

    def _deleted(self, turn_id: int) -> dict[str, Any]:
        now = self._wall()
        name = self._records.user_name(turn_id, "")
        ended = {"state": "failed", "error_kind": _DELETED, "error_detail": None, "ended_at": now, "delivered_at": now}
        return {**ended, "user_name": name, "owner": None, "lease_until": None, "token": None}

    async def usage(self, user_id: int, *, since_day: int = 0) -> list[UsageDay]:
        """Give what a user used, by day and guild; ``since_day`` counts UTC days since 1970-01-01."""
        wanted = (
            select(usage_days)
            .where(usage_days.c.user_id == user_id, usage_days.c.day >= since_day)
            .order_by(usage_days.c.day, usage_days.c.guild_id)
        )
        return [
            UsageDay(**{**row, "guild_id": None if row["guild_id"] == NO_GUILD else row["guild_id"]})
            for row in await self._rows(wanted)
        ]

    async def _set(self, conversation_id: int, *conditions: ColumnElement[bool], **values: Any) -> bool:
        async def job(connection: AsyncConnection) -> bool:
            here = conversations.c.id == conversation_id
            moved = await connection.execute(update(conversations).where(here, *conditions).values(**values))
            return moved.rowcount > 0

        return await self._backend.write(job)

    async def _one(self, wanted: Select[Any]) -> Conversation | None:
        rows = await self._rows(wanted.limit(1))
        return self._records.conversation(rows[0]) if rows else None
