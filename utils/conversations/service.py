"""Conversations: a question is stored, answered with all that was said before, and its answer stored.

``Conversations(store, pool, ...)`` opens and finds conversations (``register``), takes questions (``ask``), streams
their answers (``answer``), and lets people stop, change, remove and ask again. Store, pool and guide are known by shape
only (``ports``); what the model is shown is ``memory``'s, which state follows which ``states``'s.

What always holds: a question is stored before it is answered, and one with a known source id is not taken twice; what
is asked in a chat while an answer is given becomes one turn with what waits already; of one conversation one turn is
answered at a time, in the order in which answers were asked for; a turn is answered by whoever holds it, and held until
its answer was shown (``delivered``), so that what a process leaves behind is ``owed`` by the next; the answer's text is
stored once, when it is whole or was stopped, and where the store fails just then, as soon as it can be (``late``).
Errors: those of the pool's tree (``errors`` adds some), and the store's own.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from datetime import UTC, datetime
from typing import Any

from utils.conversations.answers import STOPPED, Gathered, PlainTexts, RunningAnswer
from utils.conversations.context import ContextLimits, system_instruction
from utils.conversations.errands import Errands, Payer
from utils.conversations.errors import (
    AnswerTakenError,
    EmptyAnswerError,
    FilesLostError,
    StoppedAnswerError,
    TurnStateError,
    error_detail,
    error_kind,
)
from utils.conversations.guides import OwnChoices
from utils.conversations.late import LateWrites
from utils.conversations.leases import LEASE_S, Leases
from utils.conversations.locks import KeyedLocks
from utils.conversations.memory import Memory
from utils.conversations.naming import Naming
from utils.conversations.ports import Answerer, Guide, Presentation, Store
from utils.conversations.questions import Attachment, Question
from utils.conversations.register import CHAT_KINDS, Register
from utils.conversations.requests import request_name
from utils.conversations.states import is_ended
from utils.conversations.waiting import OWN_ANSWER, EverybodysShare, Fair, OnWait, Waiting, waiting_in_line
from utils.storage import FILES_DUE, Conversation, Turn


class Conversations(Register):
    """All conversations of one process; serves one event loop.

    ``wall`` gives unix seconds (the model is told the date), ``clock`` monotonic seconds (how long answers took);
    ``owner`` is the name under which this process holds turns, ``lease_s`` how long another one believes it.
    """

    def __init__(
        self,
        store: Store,
        pool: Answerer,
        *,
        default_model: str,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        limits: ContextLimits | None = None,
        guide: Guide | None = None,
        presentation: Presentation | None = None,
        fair: Fair | None = None,
        owner: str | None = None,
        lease_s: float = LEASE_S,
    ) -> None:
        super().__init__(store)
        self._pool = pool
        self._default_model = default_model
        self._wall = wall
        self._clock = clock
        self._guide = guide or OwnChoices()
        self._presentation = presentation or PlainTexts()
        self._fair = fair or EverybodysShare()
        errands = Errands(pool, self._fair)
        self._memory = Memory(store, pool, errands, limits or ContextLimits())
        self._naming = Naming(store, errands)
        self._locks = KeyedLocks()
        self._running: dict[int, RunningAnswer] = {}
        self._late = LateWrites()
        self._leases = Leases(store, owner or uuid.uuid4().hex, wall=wall, lost=self._lose, lease_s=lease_s)

    async def ask(self, conversation: Conversation, question: Question) -> Turn | None:
        """Store a question; None: it was stored before and is, or was, answered elsewhere.

        In a chat it may have joined the turn that waits, which has another ``source_id`` then and is answered by
        whoever opened it. Otherwise this process holds the turn.
        """
        turn = await self._store.ask(
            conversation.id,
            source_id=question.source_id,
            user_id=question.user_id,
            user_name=question.user_name,
            guild_id=question.guild_id,
            channel_id=question.channel_id,
            text=question.text,
            attachments=[(file.name, file.mime_type, file.content) for file in question.attachments],
            locale=question.locale,
            lease=self._leases.new(),
            token=question.token,
            joins=conversation.kind in CHAT_KINDS and not question.alone,
            alone=question.alone,
            files_due=question.files_due,
        )
        if turn is not None and turn.source_id == question.source_id:
            self._leases.hold(turn.id)
        return turn

    async def attach(self, turn: Turn, attachments: Sequence[Attachment]) -> Turn:
        """Store the files of a question that was asked with ``files_due``; raises AnswerTakenError where it is gone."""
        files = [(file.name, file.mime_type, file.content) for file in attachments]
        whole = await self._store.attach(turn, files)
        if whole is None:
            raise AnswerTakenError
        return whole

    async def begun(self, turn: Turn, *, channel_id: int, message_id: int, more: tuple[int, ...] = ()) -> None:
        """Store where the answer's messages are, also when they move, and also when the turn has ended by then."""
        await self._late.do(
            turn.id, lambda: self._store.place(turn.id, channel_id=channel_id, message_id=message_id, more=more)
        )

    async def answer(
        self, turn: Turn, *, on_wait: OnWait | None = None, on_made: Callable[[Any], None] | None = None
    ) -> AsyncGenerator[str, None]:
        """Stream the texts of a turn's answer, once those before it have ended: in its conversation, and of its asker.

        ``on_wait`` is told what the answer waits for, ``on_made`` is given the pictures and sounds that are in it.

        Raises PoolError when there is no answer (AnswerTakenError: it is not to be given here, or no more) and the
        store's own errors. Close it, or cancel whoever iterates it, to give the answer up: the turn is then stored as
        failed.
        """
        if turn.id in self._running:
            raise AnswerTakenError
        running = self._running[turn.id] = RunningAnswer(turn.id)
        try:
            async with self._locks.hold(turn.conversation_id), self._turn_of(turn.user_id, on_wait):
                await self._start(turn, running)
                async with aclosing(self._stream(turn, running, on_wait, on_made)) as texts:
                    async for text in texts:
                        yield text
        except TurnStateError:
            raise
        except (asyncio.CancelledError, GeneratorExit):
            await _to_the_end(self._fail(turn, "cancelled", ""))
            raise
        except Exception as error:
            await _to_the_end(self._fail(turn, error_kind(error), error_detail(error)))
            raise
        finally:
            del self._running[turn.id]
            running.ended.set()

    async def delivered(self, turn: Turn) -> None:
        """Note that the end of a turn was shown: nobody has to do anything about it any more."""

        async def end() -> None:
            await self._store.delivered(turn.id)
            self._leases.let_go(turn.id)

        await self._late.do(turn.id, end)

    async def aclose(self) -> None:
        """Leave what could not be stored yet to the next process; called when no answer is given any more."""
        await self._late.aclose()

    def let_go(self, turn: Turn) -> None:
        """Hold a turn no longer whose end could not be shown: it is owed."""
        self._leases.let_go(turn.id)

    @contextmanager
    def responsible(self, turn: Turn | None) -> Iterator[None]:
        """Let go of a turn that is held, if the block that is to see to its answer raises."""
        try:
            yield
        except BaseException:
            if turn is not None:
                self.let_go(turn)
            raise

    def runs(self, turn_id: int) -> bool:
        """Tell whether an answer to this turn is being given here, or is about to be."""
        return turn_id in self._running

    def stop(self, turn_id: int) -> bool:
        """End a running answer where it is, keeping what was said; False: none is running here."""
        running = self._running.get(turn_id)
        if running is None:
            return False
        running.stop()
        return True

    async def give_up(self, turn: Turn) -> None:
        """End a turn that is owed, without showing anybody anything: it is too late, or there is no place for it."""
        if not is_ended(turn.state):
            await self._fail(turn, "given_up", "")
        await self.delivered(turn)

    async def again(self, turn_id: int, *, keeps_answer: bool = True) -> Turn | None:
        """Ask for the answer of an ended turn anew; None: it is being answered, or is gone.

        Until there is a new one, the old answer stays the turn's, unless ``keeps_answer`` says that it no longer fits.
        """
        turn = await self._store.reopen(turn_id, self._leases.new(), keeps_answer=keeps_answer)
        if turn is not None:
            self._leases.hold(turn.id)
        return turn

    async def change(self, source_id: int, text: str) -> Turn | None:
        """Give a question another text; the turn, if its answer must be given anew.

        None: it is not known, has that text, or waits and will be answered as it is now.
        """
        turn = await self._store.change_message(source_id, text)
        current = await self._store.get_turn(turn.id) if turn is not None else None
        if current is None or current.state == "asked":
            return None
        await self._interrupt(current)
        return await self.again(current.id, keeps_answer=False)

    async def remove(self, source_id: int) -> Turn | None:
        """Take a question, and with its last message the answer, out of what the model is shown.

        The turn as it was, if nothing is left of its question; None: it is not known, or others asked with it.
        """
        turn = await self._store.remove_message(source_id)
        if turn is None:
            return None
        left = [said for said in await self._store.messages_of_turn(turn.id) if said.role == "user"]
        if left:
            return None
        running = self._running.get(turn.id)
        if running is not None:
            running.take()
        self._leases.let_go(turn.id)
        return turn

    async def inherit(self) -> None:
        """Take over what processes before this one left; called once, before the first question."""
        await self._store.inherit(self._leases.owner)

    async def owed(self) -> list[Turn]:
        """Claim the turns whose end nobody was shown and nobody is about to show, oldest first."""
        claimed = []
        for turn in await self._store.owed():
            if self._leases.holds(turn.id):
                # a clock that jumped makes a lease look old
                continue
            mine = await self._store.claim(turn.id, self._leases.new())
            if mine is not None:
                self._leases.hold(mine.id)
                claimed.append(mine)
        return claimed

    async def condense(self, turn: Turn) -> bool:
        """Summarise the older turns of a turn's conversation where it has grown long; for the background."""
        return await self._memory.condense(turn.conversation_id, turn.model or self._default_model, _payer(turn))

    async def title(self, conversation: Conversation, turn: Turn) -> str | None:
        """Have a conversation named after its first answer, this turn's, once; for the background."""
        return await self._naming.title(conversation, await self.model_of(conversation), _payer(turn))

    async def model_of(self, conversation: Conversation) -> str:
        """Name the model that answers a conversation's next question."""
        return (await self._guide.guidance(conversation)).model or self._default_model

    def _turn_of(self, user_id: int, on_wait: OnWait | None) -> AbstractAsyncContextManager[None]:
        """Wait until no other answer is given to this person."""
        if on_wait is not None and self._fair.is_served(user_id):
            on_wait(Waiting(obstacle=OWN_ANSWER))
        return self._fair.slot(user_id)

    async def _start(self, turn: Turn, running: RunningAnswer) -> None:
        if running.taken or not await self._store.start(turn.id, owner=self._leases.owner):
            raise AnswerTakenError
        if turn.error_kind == FILES_DUE:
            raise FilesLostError
        if running.stopped:
            raise StoppedAnswerError

    async def _stream(
        self,
        turn: Turn,
        running: RunningAnswer,
        on_wait: OnWait | None,
        on_made: Callable[[Any], None] | None,
    ) -> AsyncGenerator[str, None]:
        conversation = await self._store.get_conversation(turn.conversation_id)
        if conversation is None:
            raise AnswerTakenError
        guidance = await self._guide.guidance(conversation)
        answer = Gathered(guidance.model or self._default_model)
        recalled = await self._memory.recall(conversation, turn, answer.model)
        started_at = self._clock()
        stream = self._pool.stream_content(
            contents=recalled.contents,
            model_name=answer.model,
            temperature=guidance.temperature,
            system_instruction=system_instruction(guidance.instructions, self._today()),
            user=str(turn.user_id),
            request_id=request_name(turn.id),
            on_wait=None if on_wait is None else lambda wait: on_wait(waiting_in_line(wait)),
            **guidance.options,
        )
        try:
            async with aclosing(running.pieces(stream)) as pieces:
                async for chunk in pieces:
                    text = self._presentation.text(chunk, turn.locale)
                    answer.take(chunk, text)
                    _hand_out(self._presentation.files(chunk), on_made)
                    if text:
                        yield text
        finally:
            await _to_the_end(self._spent(turn, answer, recalled.guessed))
        if running.taken:
            raise AnswerTakenError
        if not answer.text.strip():
            raise StoppedAnswerError if running.stopped else EmptyAnswerError
        sources = self._presentation.sources(answer.grounding, turn.locale)
        if sources:
            answer.texts.append(sources)
            yield sources
        self._memory.learn(conversation.id, recalled, answer.input_tokens)
        reason = STOPPED if running.stopped else answer.finish_reason
        await _to_the_end(self._finish(turn, answer, reason, self._clock() - started_at))

    async def _spent(self, turn: Turn, answer: Gathered, guessed_input: int) -> None:
        input_tokens, output_tokens = answer.billed(guessed_input)
        await self._fair.spent(
            user_id=turn.user_id,
            guild_id=turn.guild_id,
            model=answer.model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
        )

    async def _finish(self, turn: Turn, answer: Gathered, reason: str | None, seconds: float) -> None:
        async def write() -> None:
            stored = await self._store.finish(
                turn.id,
                text=answer.text,
                model=answer.model,
                input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens,
                seconds=seconds,
                finish_reason=reason,
                owner=self._leases.owner,
            )
            if not stored:
                raise AnswerTakenError

        await self._late.do(turn.id, write)

    async def _fail(self, turn: Turn, kind: str, detail: str) -> None:
        await self._late.do(
            turn.id, lambda: self._store.fail(turn.id, kind=kind, detail=detail, owner=self._leases.owner)
        )

    async def _interrupt(self, turn: Turn) -> None:
        """End the answer to what was asked before it was changed, wherever it is."""
        running = self._running.get(turn.id)
        if running is not None:
            running.take()
            await running.ended.wait()
        if not is_ended(turn.state):
            await self._fail(turn, "changed", "")

    def _lose(self, turn_id: int) -> None:
        running = self._running.get(turn_id)
        if running is not None:
            running.take()

    def _today(self) -> str:
        return datetime.fromtimestamp(self._wall(), UTC).strftime("%A, %d %B %Y")


def _hand_out(files: Sequence[Any], on_made: Callable[[Any], None] | None) -> None:
    if on_made is not None:
        for made in files:
            on_made(made)


def _payer(turn: Turn) -> Payer:
    """Who pays for what a turn brings about: its asker."""
    return Payer(turn.user_id, turn.guild_id)


async def _to_the_end(write: Coroutine[Any, Any, None]) -> None:
    """Wait for a write even when cancelled meanwhile; the cancellation goes on once the write is done."""
    task = asyncio.ensure_future(write)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.cancelled():
            await asyncio.wait({task})
        raise
