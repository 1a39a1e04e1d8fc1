"""Answers that come in pieces: read as they come by a reader, or gathered into one answer.

``StreamedCall`` reads in a task of its own, because only cancelling a task closes the connection at once; what was read
waits in a short queue, so memory stays bounded however slow the reader. ``gather`` reads in the task that asks, since
nobody leaves it half read. What always holds: the first byte and every gap have their limit, and a reader's slowness is
not the service's; pieces keep the order in which they came, whoever of transport and SDK read them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from google import genai

from utils.gemini_pool.policy.latency import Limits
from utils.gemini_pool.policy.outcome import Failure
from utils.gemini_pool.provider.answers import Judge, merge, read_answer, read_document, to_document
from utils.gemini_pool.provider.attempts import Ask, Attempt, Response
from utils.gemini_pool.provider.errors import FOREIGN, to_failure
from utils.gemini_pool.provider.patience import FirstByte, Patience
from utils.gemini_pool.provider.wire import EXCHANGE, EventTaker, Exchange, SentRequests
from utils.security import Redactor, Secret

_PIECES_AHEAD = 16

ClientOf = Callable[[], Awaitable[genai.Client]]


@dataclass(frozen=True, slots=True)
class Streaming:
    """One attempt to stream: who is asked what with which key, within which limits.

    ``sent`` counts the HTTP requests; ``first_byte_s`` is asked while the limit until the first byte is only presumed.
    """

    client: ClientOf
    key: Secret
    ask: Ask
    limits: Limits
    redactor: Redactor
    sent: SentRequests
    first_byte_s: FirstByte | None = None

    def failure(self, error: BaseException) -> Failure:
        """Translate what was raised."""
        return to_failure(error, self.redactor, sent=self.sent.count)

    def attempt(
        self, response: Response | None, failure: Failure | None, judge: Judge, first_s: float | None, seconds: float
    ) -> Attempt:
        """Say what came of it."""
        return Attempt(response, failure, self.sent.count, judge.input_tokens, judge.output_tokens, first_s, seconds)


class StreamedCall:
    """One streamed attempt under way; use it as a context manager, iterate, then read ``result``."""

    def __init__(self, streaming: Streaming) -> None:
        self._streaming = streaming
        self._queue: asyncio.Queue[Response | None] = asyncio.Queue(_PIECES_AHEAD)
        self._ready = asyncio.Event()
        self._begun = False
        self._judge = Judge()
        self._patience = Patience(streaming.limits)
        self._failure: Failure | None = None
        self._seconds = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._pump())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Read no further; the connection is closed."""
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])

    async def __aiter__(self) -> AsyncIterator[Response]:
        queue = self._queue
        while (piece := await queue.get() if queue.empty() else queue.get_nowait()) is not None:
            yield piece

    async def begun(self) -> Self:
        """Begin, and wait for the first piece or the end; who is cancelled meanwhile leaves nothing open."""
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self)
            await self._ready.wait()
            stack.pop_all()
        return self

    @property
    def has_begun(self) -> bool:
        """Whether there was a piece."""
        return self._begun

    def result(self) -> Attempt:
        """Say what came of the attempt, once its stream has ended."""
        return self._streaming.attempt(None, self._failure, self._judge, self._patience.first_s, self._seconds)

    async def _pump(self) -> None:
        try:
            await _receive(self._streaming, self._patience, self._take, self._give)
            self._failure = self._judge.failure()
        except FOREIGN as error:
            self._failure = self._streaming.failure(error)
        self._seconds = self._patience.seconds
        self._ready.set()
        await self._queue.put(None)

    async def _take(self, event: bytes, response: aiohttp.ClientResponse) -> bool:
        piece = read_answer(event, response.headers)
        if piece is None:
            return False
        await self._give(piece)
        return True

    async def _give(self, piece: Response) -> None:
        self._judge.read(piece)
        if not self._begun:
            self._begun = True
            self._ready.set()
        if not self._queue.full():
            self._queue.put_nowait(piece)
            return
        self._patience.suspend()
        await self._queue.put(piece)
        self._patience.heard()


async def gather(streaming: Streaming, whole_s: float) -> Attempt:
    """Read a stream to its end and give it as one answer; ``whole_s``: seconds for all of it."""
    patience = Patience(streaming.limits, whole_s)
    judge = Judge()
    documents: list[dict[str, Any]] = []
    response: Response | None = None
    failure: Failure | None

    async def take(event: bytes, _response: aiohttp.ClientResponse) -> bool:
        document = read_document(event)
        if document is None:
            return False
        documents.append(document)
        return True

    async def give(piece: Response) -> None:
        documents.append(to_document(piece))

    try:
        await _receive(streaming, patience, take, give)
        response = merge(documents)
        judge.read(response)
        failure = judge.failure()
    except FOREIGN as error:
        failure = streaming.failure(error)
    whole = response if failure is None else None
    return streaming.attempt(whole, failure, judge, patience.first_s, patience.seconds)


async def _receive(
    streaming: Streaming,
    patience: Patience,
    take: Callable[[bytes, aiohttp.ClientResponse], Awaitable[bool]],
    give: Callable[[Response], Awaitable[None]],
) -> None:
    """Read a stream: ``take`` is offered its events before the SDK sees them, ``give`` gets what the SDK has read."""
    ask = streaming.ask
    taker = EventTaker(take, patience.heard) if ask.is_plain else None
    token = EXCHANGE.set(Exchange(streaming.key, streaming.sent, taker))
    try:
        async with patience.timeout:
            patience.review(streaming.first_byte_s)
            models = (await streaming.client()).aio.models
            stream = await models.generate_content_stream(model=ask.model, contents=ask.contents, config=ask.config)
            async for piece in stream:
                patience.heard()
                await give(piece)
    finally:
        patience.end()
        EXCHANGE.reset(token)
