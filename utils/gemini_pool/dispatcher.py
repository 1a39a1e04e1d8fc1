"""Where a decision meets I/O: drives ``policy.Request`` and the provider until there is an answer or a refusal.

``Dispatcher.answer`` gives a whole response, ``Dispatcher.stream`` its pieces; both raise ``PoolError``. What always
holds: every call that began is given back exactly once, also when the caller is cancelled; a stream that breaks goes on
through another key with what was already said, and the reader sees one text; the one lock around the
policy is never held over an await; who waits is woken when something changes. It knows no feature: prompts, chats and
files are prepared above it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing

from utils.gemini_pool.joints import Joint
from utils.gemini_pool.policy import Answered, Call, Kind, Outcome, Policy, Refuse, Request, Wait, classify
from utils.gemini_pool.policy.request import Step
from utils.gemini_pool.provider.answers import plain_text, with_text
from utils.gemini_pool.provider.calls import Ask, Attempt, Provider, Response
from utils.gemini_pool.provider.clients import SentRequests
from utils.gemini_pool.refusals import to_error

_log = logging.getLogger(__name__)


class Dispatcher:
    """Carries requests through the rules and the provider."""

    def __init__(self, policy: Policy, provider: Provider, lock: threading.Lock) -> None:
        self._policy = policy
        self._provider = provider
        self._lock = lock
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._said: set[str] = set()

    async def answer(self, ask: Ask, *, deadline_s: float, max_retries: int | None) -> Response:
        """Answer a request as a whole; raises ``PoolError``."""
        request = self._open(ask, deadline_s, max_retries)
        while True:
            step = self._step(request)
            if isinstance(step, Call):
                attempt = await self._attempt(request, ask, step)
                if attempt.response is not None:
                    return attempt.response
            else:
                await self._wait_or_raise(step, ask.model)

    async def stream(self, ask: Ask, *, deadline_s: float, max_retries: int | None) -> AsyncGenerator[Response, None]:
        """Yield the pieces of an answer; raises ``PoolError``, before the first piece or after some."""
        request = self._open(ask, deadline_s, max_retries)
        joint = Joint()
        while True:
            step = self._step(request)
            if isinstance(step, Answered):
                return
            if not isinstance(step, Call):
                await self._wait_or_raise(step, ask.model)
                continue
            joint.break_off()
            asked = ask.going_on(joint.said) if joint.said else ask
            async with aclosing(self._pieces(request, asked, step, joint)) as pieces:
                async for piece in pieces:
                    yield piece

    def _open(self, ask: Ask, deadline_s: float, max_retries: int | None) -> Request:
        with self._lock:
            return self._policy.request(ask.model, deadline_s=deadline_s, max_retries=max_retries)

    def _step(self, request: Request) -> Step:
        self.rotate_if_due()
        with self._lock:
            return request.step(self._policy.clock())

    def rotate_if_due(self) -> None:
        """Rotate when five minutes have passed, and log a line for every key."""
        with self._lock:
            reports = self._policy.rotate_if_due()
        for report in reports:
            _log.info(
                "rotation: %s %s %s, error %.0f %%, score %.3f, %d instances",
                report.model,
                report.label,
                "healthy" if report.healthy else "unhealthy",
                100 * report.error,
                report.score,
                report.instances,
            )

    async def _attempt(self, request: Request, ask: Ask, call: Call) -> Attempt:
        make = self._provider.generate_in_pieces if call.stream_inside else self._provider.generate
        sent = SentRequests()
        try:
            async with asyncio.timeout(max(0.0, request.deadline_at - self._policy.clock())):
                attempt = await make(call.lease.fingerprint, ask, call.limits, sent)
        except TimeoutError:
            self._feed(request, call, Outcome(Kind.TIMEOUT, detail="no answer in time", requests=sent.count))
            return Attempt(None, None, sent.count)
        except BaseException:
            self._feed(request, call, Outcome(Kind.CANCELLED, requests=sent.count))
            raise
        self._feed(request, call, _outcome(attempt))
        return attempt

    async def _pieces(self, request: Request, ask: Ask, call: Call, joint: Joint) -> AsyncGenerator[Response, None]:
        sent = SentRequests()
        attempt: Attempt | None = None
        delivered = bool(joint.said)
        try:
            async with self._provider.stream(call.lease.fingerprint, ask, call.limits, sent) as streamed:
                async for piece in streamed:
                    delivered = True
                    yield _unseen(piece, joint)
            attempt = streamed.result()
        finally:
            # also when the reader left in the middle: the generator is closed and the call is given back as cancelled
            outcome = _outcome(attempt) if attempt is not None else Outcome(Kind.CANCELLED, requests=sent.count)
            self._feed(request, call, outcome, delivered=delivered, resumable=joint.resumable)

    def _feed(
        self, request: Request, call: Call, outcome: Outcome, *, delivered: bool = False, resumable: bool = False
    ) -> None:
        key = call.lease.lane.key
        with self._lock:
            was_dead = key.dead is not None
            request.feed(outcome, self._policy.clock(), delivered=delivered, resumable=resumable)
        self.wake()
        if outcome.kind is Kind.KEY_DEAD and not was_dead:
            _log.error("%s (%s) is dead: %s; replace it, then reset the pool", key.label, key.name, outcome.detail)
        elif outcome.kind not in (Kind.OK, Kind.CANCELLED):
            _log.debug("%s for %s: %s (%s)", key.label, call.lease.model, outcome.kind.value, outcome.detail)
        if outcome.unknown is not None and outcome.unknown not in self._said:
            self._said.add(outcome.unknown)
            _log.warning("an answer of a kind not seen before: %s, taken as %s", outcome.unknown, outcome.kind.value)

    async def _wait_or_raise(self, step: Step, model: str) -> None:
        if isinstance(step, Refuse):
            raise to_error(step, model)
        if isinstance(step, Wait):
            await self._wait(step.until)

    async def _wait(self, until: float) -> None:
        changed = asyncio.Event()
        entry = (asyncio.get_running_loop(), changed)
        self._waiting.add(entry)
        try:
            async with asyncio.timeout(max(0.0, until - self._policy.clock())):
                await changed.wait()
        except TimeoutError:
            return
        finally:
            self._waiting.discard(entry)

    def wake(self) -> None:
        """Let everyone who waits look again, in whatever loop they wait."""
        for loop, changed in list(self._waiting):
            # a loop that ends at this very moment has nobody left to wake
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(changed.set)


def _unseen(piece: Response, joint: Joint) -> Response:
    """Take a piece in and give it without what the reader has seen already."""
    text = plain_text(piece)
    unseen = joint.take(text)
    return piece if text is None or unseen == text else with_text(piece, unseen)


def _outcome(attempt: Attempt) -> Outcome:
    return dataclasses.replace(
        Outcome(Kind.OK) if attempt.failure is None else classify(attempt.failure),
        input_tokens=attempt.input_tokens,
        output_tokens=attempt.output_tokens,
        requests=attempt.requests,
    )
