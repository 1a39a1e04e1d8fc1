"""The steps of a turn: asked, claimed, begun, answered or failed, delivered; asked anew, changed, taken away.

``Turns`` is the half of ``Conversations`` that moves turns on. Each step is committed when its method returns. What
always holds: one turn per source message, also where a turn is made of several; a step is conditional in the database
itself, so of two processes one at most answers a turn; an answer's text, its turn's state and the user's usage are
stored together, and the answer before becomes a replaced one in the same commit. Steps for a turn that is answered
already, or gone (its user was forgotten while it was answered), give False and store nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, Select, Update, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import Backend, add_on_conflict, insert_for
from utils.storage.records import Records, Values, joined
from utils.storage.rows import Turn
from utils.storage.schema import NO_GUILD, conversations, messages, turns, usage_days
from utils.storage.schema import attachments as attachments_table
from utils.storage.statements import add_message, advance, changed, has_answer, replace_answers

_SECONDS_PER_DAY = 86_400
_MOST_MESSAGES = 10
_OPEN = ("asked", "answering")
_ENDED = ("answered", "failed")
#: What stands for the error of a turn whose question is stored without its files yet.
FILES_DUE = "files_due"


@dataclass(frozen=True, slots=True)
class Lease:
    """Who answers a turn (a process, by a name of its own), and until when (unix seconds) that is to be believed."""

    owner: str
    until: float


class Turns:
    """Turns and their steps; ``wall`` gives unix seconds."""

    def __init__(self, backend: Backend, records: Records, *, wall: Callable[[], float]) -> None:
        self._backend = backend
        self._records = records
        self._wall = wall

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
        lease: Lease | None = None,
        token: str | None = None,
        joins: bool = False,
        alone: bool = False,
        files_due: bool = False,
    ) -> Turn | None:
        """Store a question with its files (name, MIME type, bytes); None: this ``source_id`` was stored before.

        With ``joins`` it becomes part of the turn that waits in this conversation, if there is one; that turn is
        answered, with another ``source_id`` than this one. To one that is ``alone`` no later one is added: it is stored
        as if its answer had begun. ``token`` lets an interaction's answer be edited.
        ``files_due``: its files follow by ``attach``, and until then it is marked by ``FILES_DUE`` as its error.

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
            state="answering" if alone else "asked",
            owner=lease.owner if lease else None,
            lease_until=lease.until if lease else None,
            token=token,
            error_kind=FILES_DUE if files_due else None,
        )
        asked = self._records.message_row(turn, "user", text, turn.asked_at)
        files = self._records.attachment_rows(asked, attachments)

        async def job(connection: AsyncConnection) -> Turn | None:
            known = select(messages.c.id).where(messages.c.source_id == source_id)
            if await connection.scalar(known) is not None:
                return None
            await connection.execute(seen(conversation_id, source_id))
            waiting = await self._waiting(connection, conversation_id) if joins else None
            if waiting is not None:
                taken = await add_message(connection, {**asked, "turn_id": waiting.id}, files)
                return waiting if taken else None
            insert = insert_for(connection, turns).on_conflict_do_nothing(index_elements=["source_id"])
            if (await connection.execute(insert, self._records.turn_row(turn))).rowcount == 0:
                return None
            await add_message(connection, asked, files)
            return turn

        return await self._backend.write(job)

    async def attach(self, turn: Turn, attachments: Sequence[tuple[str, str, bytes]]) -> Turn | None:
        """Store the files that a question was stored without; None: it is not stored any more."""

        async def job(connection: AsyncConnection) -> Turn | None:
            asked = select(messages.c.id, messages.c.user_id, messages.c.guild_id).where(
                messages.c.source_id == turn.source_id, messages.c.role == "user"
            )
            row = (await connection.execute(asked)).mappings().first()
            due = turns.c.error_kind == FILES_DUE
            found = await self._changed_turn(connection, turn.id, due, {"error_kind": None})
            if row is None or found is None:
                return None
            files = self._records.attachment_rows(dict(row), attachments)
            if files:
                await connection.execute(attachments_table.insert(), files)
            return found

        return await self._backend.write(job)

    async def _waiting(self, connection: AsyncConnection, conversation_id: int) -> Turn | None:
        """Give the newest turn that nobody has begun to answer, unless it is full or is asked anew."""
        waiting = (
            select(turns)
            .where(turns.c.conversation_id == conversation_id, turns.c.state == "asked", turns.c.attempt == 0)
            .order_by(turns.c.id.desc())
            .limit(1)
            .with_for_update()
        )
        row = (await connection.execute(waiting)).mappings().first()
        if row is None:
            return None
        held = select(messages.c.id).where(messages.c.turn_id == row["id"]).limit(_MOST_MESSAGES)
        full = len((await connection.execute(held)).all()) >= _MOST_MESSAGES
        return None if full else self._records.turn(row)

    async def claim(self, turn_id: int, lease: Lease) -> Turn | None:
        """Take an owed turn that nobody holds (any more), and give it as it is now; None: somebody does."""
        free = or_(turns.c.owner.is_(None), turns.c.owner == lease.owner, turns.c.lease_until < self._wall())
        mine = {"owner": lease.owner, "lease_until": lease.until}
        return await self._step(turn_id, and_(turns.c.delivered_at.is_(None), free), mine)

    async def renew(self, turn_ids: Sequence[int], lease: Lease) -> frozenset[int]:
        """Hold turns for longer; gives those that are still held, the others are another's, or gone."""
        held = and_(turns.c.id.in_(turn_ids), turns.c.owner == lease.owner)

        async def job(connection: AsyncConnection) -> frozenset[int]:
            await connection.execute(update(turns).where(held).values(lease_until=lease.until))
            return frozenset((await connection.execute(select(turns.c.id).where(held))).scalars())

        return await self._backend.write(job)

    async def inherit(self, owner: str) -> None:
        """Free what processes before this one held, where no other can be running."""
        if not self._backend.exclusive:
            return
        others = and_(turns.c.delivered_at.is_(None), turns.c.owner != owner)

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(update(turns).where(others).values(owner=None, lease_until=None))

        await self._backend.write(job)

    async def start(self, turn_id: int, *, owner: str | None = None) -> bool:
        """Begin to answer: from here on no message joins the turn; False: it has ended, or is another's."""
        return await self._advance(turn_id, {"state": "answering"}, owner=owner, states=_OPEN)

    async def begin_answer(self, turn_id: int, *, channel_id: int, message_id: int) -> bool:
        """Note that the answer is begun, and where its message is."""
        place = {"state": "answering", "answer_channel_id": channel_id, "answer_message_id": message_id}
        return await self._advance(turn_id, place)

    async def place(self, turn_id: int, *, channel_id: int, message_id: int, more: Sequence[int] = ()) -> bool:
        """Note where the answer's messages are, whatever state the turn is in."""
        values = {"answer_channel_id": channel_id, "answer_message_id": message_id, "more_message_ids": joined(more)}
        return await self._step(turn_id, turns.c.id == turn_id, values) is not None

    async def finish(
        self,
        turn_id: int,
        *,
        text: str,
        model: str,
        input_tokens: int,
        output_tokens: int,
        seconds: float,
        finish_reason: str | None = None,
        owner: str | None = None,
    ) -> bool:
        """Store the answer, end the turn and count the usage; ``seconds`` is how long the answer took."""
        turn = await self.get_turn(turn_id)
        if turn is None or (owner is not None and turn.owner != owner):
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
            "finish_reason": finish_reason,
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
            await replace_answers(connection, turn_id, now)
            await add_message(connection, message, [])
            await connection.execute(add_on_conflict(connection, usage_days), usage)
            return True

        return await self._backend.write(job)

    async def fail(self, turn_id: int, *, kind: str, detail: str, owner: str | None = None) -> bool:
        """End a turn without an answer, or with the one it had before; ``kind`` is a word for why (64 letters)."""
        coded = self._records.error_detail(turn_id, detail)
        end = {"error_kind": kind, "error_detail": coded, "ended_at": self._wall()}

        async def job(connection: AsyncConnection) -> bool:
            if (
                owner is not None
                and await connection.scalar(select(turns.c.owner).where(turns.c.id == turn_id)) != owner
            ):
                return False
            state = "answered" if await has_answer(connection, turn_id) else "failed"
            return await advance(connection, turn_id, {**end, "state": state})

        return await self._backend.write(job)

    async def delivered(self, turn_id: int) -> bool:
        """Note that the last state of an ended turn was shown, and let go of it."""
        ended = and_(turns.c.id == turn_id, turns.c.state.in_(_ENDED))
        values = {"delivered_at": self._wall(), "owner": None, "lease_until": None, "token": None}
        return await self._step(turn_id, ended, values) is not None

    async def reopen(self, turn_id: int, lease: Lease, *, keeps_answer: bool = True) -> Turn | None:
        """Ask for the answer of an ended turn anew; None: it has not ended, or another answers it.

        The old answer stays the turn's until there is a new one; without ``keeps_answer`` it no longer fits, and is
        replaced at once.
        """
        free = or_(turns.c.delivered_at.is_not(None), turns.c.owner.is_(None), turns.c.owner == lease.owner)
        ended = and_(turns.c.state.in_(_ENDED), free)
        again = {
            "state": "asked",
            "attempt": turns.c.attempt + 1,
            "owner": lease.owner,
            "lease_until": lease.until,
            "delivered_at": None,
            "finish_reason": None,
            "error_kind": None,
            "error_detail": None,
        }

        async def job(connection: AsyncConnection) -> Turn | None:
            found = await self._changed_turn(connection, turn_id, ended, again)
            if found is not None:
                await changed(connection, found.conversation_id, from_turn_id=turn_id)
                if not keeps_answer:
                    await replace_answers(connection, turn_id, self._wall())
            return found

        return await self._backend.write(job)

    async def get_turn(self, turn_id: int) -> Turn | None:
        """Give a turn by its id, or None."""
        return await self._one_turn(select(turns).where(turns.c.id == turn_id))

    async def turn_of_source(self, source_id: int) -> Turn | None:
        """Give the turn that a message or interaction of Discord's is part of, or None."""
        asked_in = select(messages.c.turn_id).where(messages.c.source_id == source_id).scalar_subquery()
        return await self._one_turn(select(turns).where(turns.c.id == asked_in))

    async def turn_of_answer(self, message_id: int) -> Turn | None:
        """Give the turn whose answer begins in a message of Discord's, or None."""
        return await self._one_turn(select(turns).where(turns.c.answer_message_id == message_id))

    async def unfinished(self) -> list[Turn]:
        """Give the turns that are asked or being answered, oldest first."""
        return await self._turns(select(turns).where(turns.c.state.in_(_OPEN)).order_by(turns.c.id))

    async def owed(self) -> list[Turn]:
        """Give the turns whose end was not shown and that nobody holds (any more), oldest first."""
        free = or_(turns.c.owner.is_(None), turns.c.lease_until < self._wall())
        return await self._turns(select(turns).where(turns.c.delivered_at.is_(None), free).order_by(turns.c.id))

    async def _advance(
        self, turn_id: int, values: Values, *, owner: str | None = None, states: Sequence[str] = ()
    ) -> bool:
        condition = turns.c.state != "answered"
        if states:
            condition = and_(condition, turns.c.state.in_(states))
        if owner is not None:
            condition = and_(condition, turns.c.owner == owner)
        return await self._step(turn_id, condition, values) is not None

    async def _step(self, turn_id: int, condition: Any, values: Values) -> Turn | None:
        return await self._backend.write(lambda connection: self._changed_turn(connection, turn_id, condition, values))

    async def _changed_turn(
        self, connection: AsyncConnection, turn_id: int, condition: Any, values: Values
    ) -> Turn | None:
        moved = await connection.execute(update(turns).where(turns.c.id == turn_id, condition).values(values))
        if moved.rowcount == 0:
            return None
        row = (await connection.execute(select(turns).where(turns.c.id == turn_id))).mappings().one()
        return self._records.turn(row)

    async def _turns(self, wanted: Select[Any]) -> list[Turn]:
        return [self._records.turn(row) for row in await self._rows(wanted)]

    async def _one_turn(self, wanted: Select[Any]) -> Turn | None:
        found = await self._turns(wanted.limit(1))
        return found[0] if found else None

    async def _rows(self, wanted: Select[Any]) -> Sequence[RowMapping]:
        # by the readers that are awaited, so that it waits for nobody's context
        async def job(connection: AsyncConnection) -> Sequence[RowMapping]:
            found: Sequence[RowMapping] = (await connection.execute(wanted)).mappings().all()
            return found

        return await self._backend.read(job)


def seen(conversation_id: int, message_id: int) -> Update:
    """Note in a conversation that a message was looked at."""
    newer = or_(conversations.c.seen_id.is_(None), conversations.c.seen_id < message_id)
    return update(conversations).where(conversations.c.id == conversation_id, newer).values(seen_id=message_id)
