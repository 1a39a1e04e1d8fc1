"""A conversation that outlives the key it started on.

``Chat`` keeps its own history as plain dictionaries in the API's shape and asks the pool for every message, so each
message is scored, failed over and counted like any other. What always holds: messages of one chat are answered one
after another; a failed message leaves the history as it was. Storing histories is not its work.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol

from utils.gemini_pool.errors import UsageError
from utils.gemini_pool.threads import LoopThread, run_blocking

if TYPE_CHECKING:
    from utils.gemini_pool.provider.attempts import Response
    from utils.gemini_pool.queries import Query

Content = dict[str, Any]


class Answering(Protocol):
    """What a chat needs of the pool."""

    async def answer(self, query: Query) -> Response:
        """Answer a query; raises ``PoolError``."""

    def pieces(self, query: Query) -> AsyncGenerator[Response, None]:
        """Stream the answer to a query; raises ``PoolError``."""


class Chat:
    """One conversation; made by ``create_chat``. ``query``: what every message has in common."""

    def __init__(self, pool: Answering, query: Query, history: Sequence[Content], private: LoopThread) -> None:
        self._pool = pool
        self._query = query
        self._history = list(history)
        self._private = private
        self._home = asyncio.get_running_loop()
        self._turn = asyncio.Lock()

    @property
    def model_name(self) -> str:
        """The model that is asked first."""
        return self._query.model_name or ""

    def get_history(self) -> list[Content]:
        """Give a copy of the messages so far, each ``{"role": ..., "parts": [...]}``."""
        return list(self._history)

    def send_message(self, text: str | Sequence[Any]) -> Response:
        """Ask and wait, blocking; for worker threads (``run_in_executor``) and plain scripts.

        Raises ``UsageError`` on a thread that runs an event loop, any other ``PoolError`` when no answer can be had.
        """
        return run_blocking(
            lambda: self._send(text), self._home, self._private, instead="`await chat.send_message_async(...)`"
        )

    async def send_message_async(self, text: str | Sequence[Any]) -> Response:
        """Ask and wait; raises ``PoolError``."""
        return await self._at_home(lambda: self._send(text))

    async def send_message_stream(self, text: str | Sequence[Any]) -> AsyncGenerator[Response, None]:
        """Ask and yield the pieces of the answer; raises ``PoolError``. Only in the loop the chat was made in."""
        if asyncio.get_running_loop() is not self._home:
            raise UsageError("A chat streams only in the event loop it was made in: make a chat in this loop.")
        question = _question(text)
        parts: list[Any] = []
        async with self._turn:
            async with aclosing(self._pool.pieces(self._asking(question))) as pieces:
                async for piece in pieces:
                    parts.extend(_parts(piece))
                    yield piece
            self._history += [question, {"role": "model", "parts": parts}]

    async def _send(self, text: str | Sequence[Any]) -> Response:
        if asyncio.get_running_loop() is not self._home:
            # the loop the chat was made in has ended: it lives on in this one
            self._home, self._turn = asyncio.get_running_loop(), asyncio.Lock()
        question = _question(text)
        async with self._turn:
            response = await self._pool.answer(self._asking(question))
            self._history += [question, {"role": "model", "parts": _parts(response)}]
        return response

    def _asking(self, question: Content) -> Query:
        return dataclasses.replace(self._query, contents=[*self._history, question])

    async def _at_home(self, make: Callable[[], Coroutine[Any, Any, Response]]) -> Response:
        if asyncio.get_running_loop() is self._home or not self._home.is_running():
            return await make()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(make(), self._home))


def _question(text: str | Sequence[Any]) -> Content:
    parts = [{"text": text}] if isinstance(text, str) else list(text)
    return {"role": "user", "parts": parts}


def _parts(response: Response) -> list[Any]:
    """Give the answer's parts without thoughts; signatures stay, the service wants them back."""
    content = response.candidates[0].content if response.candidates else None
    parts = content.parts if content is not None and content.parts else []
    return [part.model_dump(exclude_none=True) for part in parts if not part.thought]
