"""What people asked and what they were answered.

``Conversations`` keeps conversations, their turns and messages. A turn goes asked -> answering -> answered or failed,
and each step is committed when its method returns: after a crash, ``unfinished`` says what is still owed. What always
holds: one turn per ``source_id`` (Discord delivers some events twice); an answered turn is final; an answer's text, its
turn's state and the user's usage are stored together; a history holds answered turns only, in the order of asking.
Steps for a turn that is answered already, or gone (its user was forgotten while it was answered), give False and store
nothing. What an answer is, and when one is made, is the conversations room's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import Backend, add_on_conflict, insert_for
from utils.storage.records import Records, Values
from utils.storage.rows import Conversation, ConversationKind, StoredMessage, Turn, UsageDay
from utils.storage.schema import NO_GUILD, conversations, messages, turns, usage_days
from utils.storage.statements import (
    add_message,
    advance,
    forget_guild,
    forget_user,
    load_messages,
    newest_answered,
    with_asker,
)

_SECONDS_PER_DAY = 86_400


class Conversations:
    """Conversations, turns and messages; made by ``open_storage``. ``wall`` gives unix seconds."""

    def __init__(self, backend: Backend, records: Records, *, wall: Callable[[], float]) -> None:
        self._backend = backend
        self._records = records
        self._wall = wall

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
    ) -> Conversation:
        """Store a new conversation."""
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
        )
        row = self._records.conversation_row(made)

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(conversations.insert(), row)

        await self._backend.write(job)
        return made

    async def find_conversation(self, channel_id: int, kind: ConversationKind | None = None) -> Conversation | None:
        """Give the newest conversation of a channel (and kind), or None."""
        wanted = select(conversations).where(conversations.c.channel_id == channel_id)
        if kind is not None:
            wanted = wanted.where(conversations.c.kind == kind)
        rows = await self._rows(wanted.order_by(conversations.c.id.desc()).limit(1))
        return self._records.conversation(rows[0]) if rows else None

    async def get_conversation(self, conversation_id: int) -> Conversation | None:
        """Give a conversation by its id, or None."""
        rows = await self._rows(select(conversations).where(conversations.c.id == conversation_id))
        return self._records.conversation(rows[0]) if rows else None

    async def ask(
        self,
        conversation_id: int,
        *,
        source_id: int,
        user_id: int,
        user_name: str,
        guild_id: int | None,
        channel_id: int,
        text: str,
        attachments: Sequence[tuple[str, str, bytes]],
        locale: str,
    ) -> Turn | None:
        """Store a question with its files (name, MIME type, bytes); None: this ``source_id`` was stored before.

        :raises MissingRowError: the conversation is not stored (any more).
        """
        turn = Turn(
            id=self._records.make_id(),
            conversation_id=conversation_id,
            source_id=source_id,
            user_id=user_id,
            user_name=user_name,
            guild_id=guild_id,
            channel_id=channel_id,
            locale=locale,
            asked_at=self._wall(),
        )
        row = self._records.turn_row(turn)
        message = self._records.message_row(turn, "user", text, turn.asked_at)
        files = self._records.attachment_rows(message, attachments)

        async def job(connection: AsyncConnection) -> Turn | None:
            insert = insert_for(connection, turns).on_conflict_do_nothing(index_elements=["source_id"])
            if (await connection.execute(insert, row)).rowcount == 0:
                return None
            await add_message(connection, message, files)
            return turn

        return await self._backend.write(job)

    async def begin_answer(self, turn_id: int, *, channel_id: int, message_id: int) -> bool:
        """Note where the answer's message is, so that it can be finished there after a restart."""
        place = {"state": "answering", "answer_channel_id": channel_id, "answer_message_id": message_id}
        return await self._advance(turn_id, place)

    async def finish(
        self, turn_id: int, *, text: str, model: str, input_tokens: int, output_tokens: int, seconds: float
    ) -> bool:
        """Store the answer, end the turn and count the usage; ``seconds`` is how long the answer took."""
        turn = await self.get_turn(turn_id)
        if turn is None:
            return False
        now = self._wall()
        tokens = {"input_tokens": input_tokens, "output_tokens": output_tokens}
        end = {
            **tokens,
            "state": "answered",
            "model": model,
            "error_kind": None,
            "error_detail": None,
            "seconds": seconds,
            "ended_at": now,
        }
        usage = {
            **tokens,
            "user_id": turn.user_id,
            "guild_id": NO_GUILD if turn.guild_id is None else turn.guild_id,
            "day": int(now // _SECONDS_PER_DAY),
            "requests": 1,
        }
        message = self._records.message_row(turn, "model", text, now)

        async def job(connection: AsyncConnection) -> bool:
            if not await advance(connection, turn_id, end):
                return False
            await add_message(connection, message, [])
            await connection.execute(add_on_conflict(connection, usage_days), usage)
            return True

        return await self._backend.write(job)

    async def fail(self, turn_id: int, *, kind: str, detail: str) -> bool:
        """End a turn without an answer; ``kind`` is a short word for why (at most 64 characters)."""
        coded = self._records.error_detail(turn_id, detail)
        end = {"state": "failed", "error_kind": kind, "error_detail": coded, "ended_at": self._wall()}
        return await self._advance(turn_id, end)

    async def history(self, conversation_id: int, *, max_messages: int) -> list[StoredMessage]:
        """Give the newest messages of answered turns, oldest first; never an answer without its question."""
        found = await self._messages(newest_answered(conversation_id, max_messages))
        found.reverse()
        return found[1:] if found and found[0].role == "model" else found

    async def messages_of_turn(self, turn_id: int) -> list[StoredMessage]:
        """Give the question and, if there is one, the answer."""
        return await self._messages(with_asker().where(messages.c.turn_id == turn_id).order_by(messages.c.position))

    async def get_turn(self, turn_id: int) -> Turn | None:
        """Give a turn by its id, or None."""
        rows = await self._rows(select(turns).where(turns.c.id == turn_id))
        return self._records.turn(rows[0]) if rows else None

    async def unfinished(self) -> list[Turn]:
        """Give the turns that are asked or being answered, oldest first."""
        owed = select(turns).where(turns.c.state.in_(("asked", "answering"))).order_by(turns.c.id)
        return [self._records.turn(row) for row in await self._rows(owed)]

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

    async def forget_user(self, user_id: int) -> None:
        """Delete all that a user said and was answered, rows and bytes; other people's turns stay.

        :raises StorageBusyError: the rows are gone, but another program keeps their traces in the log.
        """
        await self._backend.write(lambda connection: forget_user(connection, user_id))
        await self._backend.scrub()

    async def forget_guild(self, guild_id: int) -> None:
        """Delete all that was said in a guild, rows and bytes.

        :raises StorageBusyError: the rows are gone, but another program keeps their traces in the log.
        """
        await self._backend.write(lambda connection: forget_guild(connection, guild_id))
        await self._backend.scrub()

    async def _advance(self, turn_id: int, values: Values) -> bool:
        return await self._backend.write(lambda connection: advance(connection, turn_id, values))

    async def _messages(self, wanted: Select[Any]) -> list[StoredMessage]:
        return await self._backend.read(lambda connection: load_messages(connection, self._records, wanted))

    async def _rows(self, wanted: Select[Any]) -> Sequence[RowMapping]:
        async def job(connection: AsyncConnection) -> Sequence[RowMapping]:
            found: Sequence[RowMapping] = (await connection.execute(wanted)).mappings().all()
            return found

        return await self._backend.read(job)
