"""Makes the calls of one attempt: a whole answer or a stream, alone or as a race of two.

``Caller`` stands between the dispatcher, which drives a request, and the provider, which makes single calls. What
always holds: it gives nothing back to the request but the call that lost a race; the one that is to be fed stands in
the attempt's ``Flight``. ``outcome_of`` reads an attempt in the words of the rules.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, TypeVar

from utils.gemini_pool.hedging import Flight, Hands, race
from utils.gemini_pool.policy import Call, Kind, Outcome, Policy, Request, classify
from utils.gemini_pool.provider.attempts import Ask, Attempt
from utils.gemini_pool.provider.calls import Provider
from utils.gemini_pool.provider.patience import FirstByte
from utils.gemini_pool.provider.streams import StreamedCall
from utils.gemini_pool.provider.wire import SentRequests

T = TypeVar("T")
#: What ends a race, since another key would say the same or could say no better.
_DECIDED = frozenset({Kind.OK, Kind.CALLER})


class Caller:
    """Makes calls for requests."""

    def __init__(self, policy: Policy, provider: Provider, lock: threading.Lock) -> None:
        self._policy = policy
        self._provider = provider
        self._lock = lock

    async def whole(self, request: Request, ask: Ask, flight: Flight) -> Attempt:
        """Ask for a whole answer, of one key or of two."""
        if not self._policy.config.hedge_after_s:
            return await self._whole(request, ask, flight.call, flight.sent)
        hands = self._hands(request, partial(self._whole, request, ask), partial(_failed, ask), _nothing)
        return await race(hands, flight)

    async def _whole(self, request: Request, ask: Ask, call: Call, sent: SentRequests) -> Attempt:
        fingerprint, asked = call.lease.fingerprint, ask.of(call.model)
        first_byte_s = self._first_byte(request, call)
        if call.stream_inside:
            left_s = request.deadline_at - self._policy.clock()
            return await self._provider.generate_in_pieces(
                fingerprint, asked, call.limits, sent, first_byte_s, whole_s=left_s
            )
        # its limit never goes beyond the deadline
        return await self._provider.generate(fingerprint, asked, call.limits, sent, first_byte_s)

    def stream(
        self, request: Request, ask: Ask, flight: Flight, *, goes_on: bool
    ) -> AbstractAsyncContextManager[StreamedCall]:
        """Open a stream, or of two the one that begins first; ``goes_on``: with what the reader has seen already."""

        def one(call: Call, sent: SentRequests) -> StreamedCall:
            first_byte_s, asked = self._first_byte(request, call), ask.of(call.model)
            return self._provider.stream(call.lease.fingerprint, asked, call.limits, sent, first_byte_s)

        async def begin(call: Call, sent: SentRequests) -> StreamedCall:
            return await one(call, sent).begun()

        if goes_on or not self._policy.config.hedge_after_s:
            return one(flight.call, flight.sent)
        return _winner(self._hands(request, begin, partial(_failed_stream, ask), StreamedCall.aclose), flight)

    def _hands(
        self,
        request: Request,
        begin: Callable[[Call, SentRequests], Coroutine[Any, Any, T]],
        failed: Callable[[T], Outcome | None],
        close: Callable[[T], Awaitable[None]],
    ) -> Hands[T]:
        return Hands(request, self._policy, self._lock, begin, failed, close)

    def _first_byte(self, request: Request, call: Call) -> FirstByte | None:
        """What an attempt asks that began while nothing was known of such answers."""
        if not call.limits.review_s:
            return None

        def first_byte_s() -> float:
            with self._lock:
                return request.first_byte_s(call.lease)

        return first_byte_s


@contextlib.asynccontextmanager
async def _winner(hands: Hands[StreamedCall], flight: Flight) -> AsyncGenerator[StreamedCall, None]:
    """Give the stream that begins first, and close it in the end."""
    streamed = await race(hands, flight)
    try:
        yield streamed
    finally:
        await streamed.aclose()


async def _nothing(_: Attempt) -> None:
    """A whole answer leaves nothing open."""


def _failed(ask: Ask, attempt: Attempt) -> Outcome | None:
    """How an attempt failed that another key may still answer."""
    outcome = outcome_of(attempt, ask)
    return None if outcome.kind in _DECIDED else outcome


def _failed_stream(ask: Ask, streamed: StreamedCall) -> Outcome | None:
    return None if streamed.has_begun else _failed(ask, streamed.result())


def outcome_of(attempt: Attempt, ask: Ask) -> Outcome:
    """Say in the words of the rules what came of an attempt at a question."""
    if attempt.failure is None:
        return Outcome(
            Kind.OK,
            input_tokens=attempt.input_tokens,
            output_tokens=attempt.output_tokens,
            requests=attempt.requests,
            first_s=attempt.first_s,
        )
    return dataclasses.replace(
        classify(dataclasses.replace(attempt.failure, links_files=ask.links_files)),
        input_tokens=attempt.input_tokens,
        output_tokens=attempt.output_tokens,
        requests=attempt.requests,
        first_s=attempt.first_s,
    )
