"""Conversations: a question is stored, answered with all that was said before, and its answer stored.

``Conversations(store, pool, ...)`` opens and finds conversations, takes questions (``ask``) and streams
their answers (``answer``). Store and pool are known by shape only (``ports``); what the model is shown is
``context``'s, which state follows which ``states``'s.

What always holds: a question is stored before it is answered, and one with a known source id is not taken
twice; of one conversation one turn is answered at a time, in the order in which answers were asked for; a
turn whose answer was begun ends as answered or failed, also when its reader goes away or the task is
cancelled; the answer's text is stored once, when it is whole. Errors: those of the pool's tree (``errors``
adds two), and the store's own.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from utils.conversations.context import ContextLimits, contents, system_instruction
from utils.conversations.errors import EmptyAnswerError, TurnStateError, error_detail, error_kind
from utils.conversations.filetypes import api_mime_type
from utils.conversations.locks import KeyedLocks
from utils.conversations.ports import Answerer, Chunk, Store
from utils.conversations.questions import Question
from utils.conversations.states import is_ended, require
from utils.storage import Conversation, ConversationKind, Turn

_REMEMBERED_CHANNELS = 10_000
_UNKNOWN_TYPE = "application/octet-stream"
#: The kinds in which every message of a channel is a question.
_CHAT_KINDS: tuple[ConversationKind, ...] = ("thread", "dm")


@dataclass(slots=True)
class _Answer:
    """What has arrived of an answer."""

    model: str
    texts: list[str] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def take(self, chunk: Chunk) -> str:
        """Add a chunk and give its text; of the token counts the last ones are the whole answer's."""
        text = chunk.text or ""
        self.texts.append(text)
        self.model = chunk.model_version or self.model
        usage = chunk.usage_metadata
        if usage is not None:
            self.input_tokens = usage.prompt_token_count or self.input_tokens
            self.output_tokens = usage.candidates_token_count or self.output_tokens
        return text


class Conversations:
    """All conversations of one process; serves one event loop.

    ``wall`` gives unix seconds (the model is told the date), ``clock`` monotonic seconds (how long answers
    took).
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
    ) -> None:
        self._store = store
        self._pool = pool
        self._default_model = default_model
        self._wall = wall
        self._clock = clock
        self._limits = limits or ContextLimits()
        self._locks = KeyedLocks()
        self._steps = KeyedLocks()
        self._chats: OrderedDict[int, Conversation | None] = OrderedDict()

    async def open(
        self,
        *,
        kind: ConversationKind,
        guild_id: int | None,
        channel_id: int,
        owner_id: int,
        model: str | None = None,
        temperature: float | None = None,
        instructions: str | None = None,
        title: str | None = None,
    ) -> Conversation:
        """Store a new conversation; ``model`` None: the default one, whichever it is when a question comes."""
        conversation = await self._store.open_conversation(
            kind=kind,
            guild_id=guild_id,
            channel_id=channel_id,
            owner_id=owner_id,
            model=model,
            temperature=temperature,
            instructions=instructions,
            title=title,
        )
        if kind in _CHAT_KINDS:
            self._remember(channel_id, conversation)
        return conversation

    async def find(self, channel_id: int, kind: ConversationKind | None = None) -> Conversation | None:
        """Give the chat that a thread or direct-message channel is, or None; remembered after the first time.

        With a ``kind``, the newest conversation of that kind in the channel, asked of the store each time.
        """
        if kind is not None:
            return await self._store.find_conversation(channel_id, kind)
        if channel_id in self._chats:
            self._chats.move_to_end(channel_id)
            return self._chats[channel_id]
        found = None
        for chat_kind in _CHAT_KINDS:
            found = found or await self._store.find_conversation(channel_id, chat_kind)
        if channel_id not in self._chats:  # a chat opened in the meantime is newer than what was found
            self._remember(channel_id, found)
        return self._chats[channel_id]

    async def ask(self, conversation: Conversation, question: Question) -> Turn | None:
        """Store a question; None: it was stored before and is, or was, answered elsewhere."""
        return await self._store.ask(
            conversation.id,
            source_id=question.source_id,
            user_id=question.user_id,
            user_name=question.user_name,
            guild_id=question.guild_id,
            channel_id=question.channel_id,
            text=question.text,
            attachments=[
                (file.name, api_mime_type(file.name, file.mime_type) or _UNKNOWN_TYPE, file.content)
                for file in question.attachments
            ],
            locale=question.locale,
        )

    async def begun(self, turn: Turn, *, channel_id: int, message_id: int) -> None:
        """Store where the answer's message is, also when it moves; a turn that has ended by then stays as it is."""
        async with self._steps.hold(turn.id):
            current = await self._store.get_turn(turn.id)
            if current is not None and not is_ended(current.state):
                await self._store.begin_answer(turn.id, channel_id=channel_id, message_id=message_id)

    async def answer(self, turn: Turn) -> AsyncGenerator[str, None]:
        """Stream the texts of a turn's answer, once those before it in its conversation have ended.

        Raises PoolError when there is no answer (TurnStateError: the turn has ended already) and the
        store's own errors. Close it, or cancel whoever iterates it, to stop the answer: the turn is then
        stored as failed.
        """
        try:
            async with self._locks.hold(turn.conversation_id):
                require((await self._current(turn)).state, "answered")
                async with aclosing(self._stream(turn)) as texts:
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

    async def unfinished(self) -> list[Turn]:
        """Give the turns that were neither answered nor failed, as a stopped process leaves them."""
        return await self._store.unfinished()

    async def _current(self, turn: Turn) -> Turn:
        current = await self._store.get_turn(turn.id)
        if current is None:
            raise TurnStateError("The turn is not stored any more; ask a new question instead.")
        return current

    async def _stream(self, turn: Turn) -> AsyncGenerator[str, None]:
        conversation = await self._store.get_conversation(turn.conversation_id)
        if conversation is None:
            raise TurnStateError("The conversation is not stored any more; open a new one.")
        history = await self._store.history(conversation.id, max_messages=self._limits.max_messages)
        question = await self._store.messages_of_turn(turn.id)
        answer = _Answer(conversation.model or self._default_model)
        started_at = self._clock()
        stream = self._pool.stream_content(
            contents=contents(history, question, self._limits),
            model_name=answer.model,
            temperature=conversation.temperature,
            system_instruction=system_instruction(conversation.instructions, self._today()),
            user=str(turn.user_id),
        )
        async with aclosing(stream):
            async for chunk in stream:
                text = answer.take(chunk)
                if text:
                    yield text
        if not answer.text.strip():
            raise EmptyAnswerError
        await _to_the_end(self._finish(turn, answer, self._clock() - started_at))

    async def _finish(self, turn: Turn, answer: _Answer, seconds: float) -> None:
        async with self._steps.hold(turn.id):
            await self._store.finish(
                turn.id,
                text=answer.text,
                model=answer.model,
                input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens,
                seconds=seconds,
            )

    async def _fail(self, turn: Turn, kind: str, detail: str) -> None:
        async with self._steps.hold(turn.id):
            await self._store.fail(turn.id, kind=kind, detail=detail)

    def _today(self) -> str:
        return datetime.fromtimestamp(self._wall(), UTC).strftime("%A, %d %B %Y")

    def _remember(self, channel_id: int, conversation: Conversation | None) -> None:
        self._chats[channel_id] = conversation
        self._chats.move_to_end(channel_id)
        if len(self._chats) > _REMEMBERED_CHANNELS:
            self._chats.popitem(last=False)


async def _to_the_end(write: Coroutine[Any, Any, None]) -> None:
    """Wait for a write even when cancelled meanwhile; the cancellation goes on once the write is done."""
    task = asyncio.ensure_future(write)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.cancelled():
            await asyncio.wait({task})
        raise
