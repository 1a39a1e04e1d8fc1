"""Exactly one attempt: a whole answer, a streamed one, or a small question about models.

``Ask`` is a request in the SDK's terms, prepared once and used for every attempt. ``Attempt`` is what came of one.
``StreamedCall`` reads a stream in a task of its own, because only cancelling a task closes the connection at once; what
was read waits in a short queue, so memory stays bounded however slow the reader. What always holds: nothing foreign is
raised from here but ``asyncio.CancelledError``.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from google import genai
from google.genai import types

from utils.gemini_pool.errors import InvalidRequestError
from utils.gemini_pool.policy.latency import Limits
from utils.gemini_pool.policy.outcome import Failure
from utils.gemini_pool.provider.answers import Judge, merge
from utils.gemini_pool.provider.clients import SENT, Clients, SentRequests
from utils.gemini_pool.provider.errors import FOREIGN, to_failure
from utils.security import Redactor, Secret

_CHUNKS_AHEAD = 16

_GO_ON = {
    "role": "user",
    "parts": [{"text": "Your answer was cut off. Continue exactly where you stopped, without repeating anything."}],
}

Response = types.GenerateContentResponse


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: the model, its contents and the checked configuration (None when empty: it costs time)."""

    model: str
    contents: Any
    config: types.GenerateContentConfig | None

    @classmethod
    def prepare(cls, model: str, contents: Any, options: Mapping[str, Any]) -> Ask:
        """Check the options; raises ``InvalidRequestError`` naming the first that is wrong."""
        given = {name: value for name, value in options.items() if value is not None}
        if not given:
            return cls(model, contents, None)
        try:
            config = types.GenerateContentConfig.model_validate(given)
        except ValueError as error:
            failure = to_failure(error, Redactor(), sent=0)
            raise InvalidRequestError(f"Mend the generation option {failure.message}.") from None
        return cls(model, contents, config)

    def going_on(self, said: str) -> Ask:
        """Give the request that goes on where an answer broke off."""
        turns = [*self.contents, {"role": "model", "parts": [{"text": said}]}, _GO_ON]
        return dataclasses.replace(self, contents=turns)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt: a response, or what failed; with the requests and tokens it took."""

    response: Response | None
    failure: Failure | None
    requests: int
    input_tokens: int = 0
    output_tokens: int = 0


class Provider:
    """Makes single calls for keys given by fingerprint."""

    def __init__(self, clients: Clients, key_of: Callable[[str], Secret], redactor: Redactor) -> None:
        self._clients = clients
        self._key_of = key_of
        self._redactor = redactor

    async def warm_up(self) -> None:
        """Do once, in a thread, what the first call would hold up the loop with."""
        await self._clients.warm_up()

    async def generate(self, fingerprint: str, ask: Ask, limits: Limits, sent: SentRequests) -> Attempt:
        """Ask for a whole answer; its first byte is its last, so one limit holds.

        ``sent`` counts the HTTP requests, also for a caller that is cancelled before there is an attempt to tell of.
        """
        token = SENT.set(sent)
        judge = Judge()
        try:
            async with asyncio.timeout(limits.first_byte_s):
                client = await self._clients.of(self._key_of(fingerprint))
                response = await client.aio.models.generate_content(
                    model=ask.model, contents=ask.contents, config=ask.config
                )
            judge.read(response)
            failure = judge.failure()
        except FOREIGN as error:
            response, failure = None, to_failure(error, self._redactor, sent=sent.count)
        finally:
            SENT.reset(token)
        return Attempt(
            response if failure is None else None, failure, sent.count, judge.input_tokens, judge.output_tokens
        )

    async def generate_in_pieces(self, fingerprint: str, ask: Ask, limits: Limits, sent: SentRequests) -> Attempt:
        """Ask for a stream and give it as one answer."""
        async with self.stream(fingerprint, ask, limits, sent) as call:
            pieces = [piece async for piece in call]
        attempt = call.result()
        if attempt.failure is not None:
            return attempt
        return dataclasses.replace(attempt, response=merge(pieces))

    def stream(self, fingerprint: str, ask: Ask, limits: Limits, sent: SentRequests) -> StreamedCall:
        """Open a streamed attempt; use it as a context manager, then iterate, then read ``result``."""

        async def client() -> genai.Client:
            return await self._clients.of(self._key_of(fingerprint))

        return StreamedCall(client, ask, limits, self._redactor, sent)

    async def list_models(self, fingerprint: str, timeout_s: float) -> list[types.Model] | Failure:
        """List the models a key can see, all pages."""
        try:
            async with asyncio.timeout(timeout_s):
                client = await self._clients.of(self._key_of(fingerprint))
                return [model async for model in await client.aio.models.list()]
        except FOREIGN as error:
            return to_failure(error, self._redactor, sent=1)

    async def count_tokens(self, fingerprint: str, model: str, contents: Any, timeout_s: float) -> int | Failure:
        """Count the tokens of contents as the model would."""
        try:
            async with asyncio.timeout(timeout_s):
                client = await self._clients.of(self._key_of(fingerprint))
                answer = await client.aio.models.count_tokens(model=model, contents=contents)
        except FOREIGN as error:
            return to_failure(error, self._redactor, sent=1)
        return answer.total_tokens or 0

    async def aclose(self) -> None:
        """Close the running loop's connections."""
        await self._clients.aclose()


class StreamedCall:
    """One streamed attempt under way."""

    def __init__(
        self,
        client: Callable[[], Any],
        ask: Ask,
        limits: Limits,
        redactor: Redactor,
        sent: SentRequests,
    ) -> None:
        self._client = client
        self._ask = ask
        self._limits = limits
        self._redactor = redactor
        self._queue: asyncio.Queue[Response | None] = asyncio.Queue(_CHUNKS_AHEAD)
        self._sent = sent
        self._judge = Judge()
        self._failure: Failure | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._pump())
        return self

    async def __aexit__(self, *_: object) -> None:
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])

    def __aiter__(self) -> AsyncIterator[Response]:
        return self._read()

    def result(self) -> Attempt:
        """Say what came of the attempt, once its stream has ended."""
        return Attempt(None, self._failure, self._sent.count, self._judge.input_tokens, self._judge.output_tokens)

    async def _read(self) -> AsyncIterator[Response]:
        while (piece := await self._queue.get()) is not None:
            yield piece

    async def _pump(self) -> None:
        SENT.set(self._sent)
        try:
            await self._receive()
            self._failure = self._judge.failure()
        except FOREIGN as error:
            self._failure = to_failure(error, self._redactor, sent=self._sent.count)
        await self._queue.put(None)

    async def _receive(self) -> None:
        limits = self._limits
        async with asyncio.timeout(limits.first_byte_s):
            client = await self._client()
            stream = aiter(
                await client.aio.models.generate_content_stream(
                    model=self._ask.model, contents=self._ask.contents, config=self._ask.config
                )
            )
            piece = await anext(stream, None)
        while piece is not None:
            self._judge.read(piece)
            await self._queue.put(piece)
            async with asyncio.timeout(limits.between_chunks_s):
                piece = await anext(stream, None)
