"""Exactly one attempt: a whole answer, a streamed one, or a small question about models.

``Provider`` makes single calls: the SDK's own method for each, in an ``Exchange`` that has the key. What always holds:
nothing foreign is raised from here but ``asyncio.CancelledError``; every limit is kept by cancelling the call, which
closes its connection. What an attempt asks and what comes of it are ``attempts``'; reading streams is ``streams``'.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
from google.genai import types

from utils.gemini_pool.policy.latency import Limits
from utils.gemini_pool.policy.outcome import Failure
from utils.gemini_pool.provider.answers import Judge, read_answer
from utils.gemini_pool.provider.attempts import Ask, Attempt, Response
from utils.gemini_pool.provider.clients import Clients
from utils.gemini_pool.provider.errors import FOREIGN, to_failure
from utils.gemini_pool.provider.patience import FirstByte, Review
from utils.gemini_pool.provider.streams import StreamedCall, Streaming, gather
from utils.gemini_pool.provider.wire import EXCHANGE, Exchange, SentRequests, WholeTaker
from utils.security import Redactor, Secret


class Provider:
    """Makes single calls for keys given by fingerprint."""

    def __init__(self, clients: Clients, key_of: Callable[[str], Secret], redactor: Redactor) -> None:
        self._clients = clients
        self._key_of = key_of
        self._redactor = redactor

    async def warm_up(self) -> None:
        """Do once, in a thread, what the first call would hold up the loop with."""
        await self._clients.warm_up()

    async def generate(
        self, fingerprint: str, ask: Ask, limits: Limits, sent: SentRequests, first_byte_s: FirstByte | None = None
    ) -> Attempt:
        """Ask for a whole answer; its first byte is its last, so one limit holds.

        ``sent`` counts the HTTP requests, also for a caller that is cancelled before there is an attempt to tell of;
        ``first_byte_s`` is asked while the limit is only presumed.
        """
        clock = asyncio.get_running_loop().time
        begun_at = clock()
        judge = Judge()
        taken: list[Response] = []

        def take(body: bytes, http: aiohttp.ClientResponse) -> bool:
            answer = read_answer(body, http.headers)
            if answer is not None:
                taken.append(answer)
            return answer is not None

        taker = WholeTaker(take) if ask.is_plain else None
        token = EXCHANGE.set(Exchange(self._key_of(fingerprint), sent, taker))
        response: Response | None = None
        review: Review | None = None
        try:
            async with asyncio.timeout(limits.first_byte_s) as timeout:
                if limits.review_s and first_byte_s is not None:
                    review = Review(timeout, limits, first_byte_s)
                client = await self._clients.client()
                converted = await client.aio.models.generate_content(
                    model=ask.model, contents=ask.contents, config=ask.config
                )
            response = taken[0] if taken else converted
            judge.read(response)
            failure = judge.failure()
        except FOREIGN as error:
            failure = to_failure(error, self._redactor, sent=sent.count)
        finally:
            if review is not None:
                review.stop()
            EXCHANGE.reset(token)
        return Attempt(
            response if failure is None else None,
            failure,
            sent.count,
            judge.input_tokens,
            judge.output_tokens,
            None,
            clock() - begun_at,
        )

    async def generate_in_pieces(
        self,
        fingerprint: str,
        ask: Ask,
        limits: Limits,
        sent: SentRequests,
        first_byte_s: FirstByte | None = None,
        *,
        whole_s: float,
    ) -> Attempt:
        """Ask for a stream and give it as one answer; ``whole_s``: seconds for all of it."""
        return await gather(self._streaming(fingerprint, ask, limits, sent, first_byte_s), whole_s)

    def stream(
        self, fingerprint: str, ask: Ask, limits: Limits, sent: SentRequests, first_byte_s: FirstByte | None = None
    ) -> StreamedCall:
        """Open a streamed attempt; use it as a context manager, then iterate, then read ``result``."""
        return StreamedCall(self._streaming(fingerprint, ask, limits, sent, first_byte_s))

    def _streaming(
        self, fingerprint: str, ask: Ask, limits: Limits, sent: SentRequests, first_byte_s: FirstByte | None = None
    ) -> Streaming:
        return Streaming(
            self._clients.client, self._key_of(fingerprint), ask, limits, self._redactor, sent, first_byte_s
        )

    async def list_models(self, fingerprint: str, timeout_s: float) -> list[types.Model] | Failure:
        """List the models a key can see, all pages."""
        token = EXCHANGE.set(Exchange(self._key_of(fingerprint), SentRequests()))
        try:
            async with asyncio.timeout(timeout_s):
                client = await self._clients.client()
                return [model async for model in await client.aio.models.list()]
        except FOREIGN as error:
            return to_failure(error, self._redactor, sent=1)
        finally:
            EXCHANGE.reset(token)

    async def aclose(self) -> None:
        """Close the running loop's connections."""
        await self._clients.aclose()
