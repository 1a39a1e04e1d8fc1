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
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from utils.gemini_pool.calling import Caller, outcome_of
from utils.gemini_pool.hedging import Flight
from utils.gemini_pool.joints import Joint
from utils.gemini_pool.policy import Answered, Call, Kind, Outcome, Policy, Refuse, Request, Wait
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.request import Step
from utils.gemini_pool.policy.rotation import KeyReport
from utils.gemini_pool.provider.answers import plain_text, with_text
from utils.gemini_pool.provider.attempts import Ask, Attempt, Response
from utils.gemini_pool.provider.calls import Provider
from utils.gemini_pool.provider.wire import SentRequests
from utils.gemini_pool.refusals import to_error

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller wants answered: ``deadline_s`` seconds for everything, ``max_retries`` None: the pool's bound.

    ``user``: who asks, for fairness. ``fallbacks``: models that may answer instead, best first. ``request_id``: the
    caller's own name for it, by which it is explained. ``max_output_tokens``: the bound on its answer, None: not told.
    ``on_wait``: told whenever it has to wait, and for how long.
    """

    ask: Ask
    deadline_s: float
    max_retries: int | None = None
    user: str | None = None
    fallbacks: tuple[str, ...] = ()
    request_id: str | None = None
    max_output_tokens: int | None = None
    on_wait: Callable[[Wait], None] | None = None


class Dispatcher:
    """Carries requests through the rules and the provider."""

    def __init__(self, policy: Policy, provider: Provider, lock: threading.Lock) -> None:
        self._policy = policy
        self._caller = Caller(policy, provider, lock)
        self._lock = lock
        self._waiting: dict[Request, tuple[asyncio.AbstractEventLoop, asyncio.Event]] = {}
        self._said: set[str] = set()

    async def answer(self, question: Question) -> Response:
        """Answer a question as a whole; raises ``PoolError``."""
        request = self._open(question, streamed=False)
        while True:
            step = self._step(request)
            if isinstance(step, Call):
                attempt = await self._attempt(request, question.ask, step)
                if attempt.response is not None:
                    return attempt.response
            else:
                await self._wait_or_raise(request, step, question)

    async def stream(self, question: Question) -> AsyncGenerator[Response, None]:
        """Yield the pieces of an answer; raises ``PoolError``, before the first piece or after some."""
        request = self._open(question, streamed=True)
        joint = Joint()
        while True:
            step = self._step(request)
            if isinstance(step, Answered):
                return
            if not isinstance(step, Call):
                await self._wait_or_raise(request, step, question)
                continue
            joint.break_off()
            asked = question.ask.going_on(joint.said) if joint.said else question.ask
            async with aclosing(self._pieces(request, asked, step, joint)) as pieces:
                async for piece in pieces:
                    yield piece

    def _open(self, question: Question, *, streamed: bool) -> Request:
        with self._lock:
            return self._policy.request(
                question.ask.model,
                deadline_s=question.deadline_s,
                max_retries=question.max_retries,
                user=question.user,
                fallbacks=question.fallbacks,
                name=question.request_id,
                max_output_tokens=question.max_output_tokens,
                streamed=streamed,
            )

    def _step(self, request: Request) -> Step:
        policy = self._policy
        with self._lock:
            now = policy.clock()
            reports = policy.rotate_if_due() if now >= policy.next_event_at() else ()
            step = request.step(now)
        _log_rotation(reports)
        return step

    def rotate_if_due(self) -> None:
        """Rotate when five minutes have passed, and log a line for every key."""
        with self._lock:
            reports = self._policy.rotate_if_due()
        _log_rotation(reports)

    async def _attempt(self, request: Request, ask: Ask, call: Call) -> Attempt:
        flight = Flight(call, SentRequests())
        try:
            attempt = await self._caller.whole(request, ask, flight)
        except BaseException:
            self._feed(request, flight.call, Outcome(Kind.CANCELLED, requests=flight.sent.count))
            raise
        self._feed(request, flight.call, outcome_of(attempt, ask))
        return attempt

    async def _pieces(self, request: Request, ask: Ask, call: Call, joint: Joint) -> AsyncGenerator[Response, None]:
        flight = Flight(call, SentRequests())
        attempt: Attempt | None = None
        delivered = bool(joint.said)
        try:
            async with self._caller.stream(request, ask, flight, goes_on=delivered) as streamed:
                async for piece in streamed:
                    if not delivered:
                        delivered = True
                        self._hear(flight.call.lease)
                    yield _unseen(piece, joint)
            attempt = streamed.result()
        finally:
            # also when the reader left in the middle: the generator is closed and the call is given back as cancelled
            left = Outcome(Kind.CANCELLED, requests=flight.sent.count)
            outcome = outcome_of(attempt, ask) if attempt is not None else left
            self._feed(request, flight.call, outcome, delivered=delivered, resumable=joint.resumable)

    def _hear(self, lease: Lease) -> None:
        with self._lock:
            self._policy.hear(lease)

    def _feed(
        self, request: Request, call: Call, outcome: Outcome, *, delivered: bool = False, resumable: bool = False
    ) -> None:
        key = call.lease.lane.key
        with self._lock:
            was_dead = key.dead is not None
            request.feed(outcome, self._policy.clock(), delivered=delivered, resumable=resumable)
            findings = self._policy.take_findings()
        self._take_turns()
        for finding in findings:
            _log.info("%s", finding)
        if outcome.kind is Kind.OK:
            return
        if outcome.kind is Kind.KEY_DEAD and not was_dead:
            _log.error("%s (%s) is dead: %s; replace it, then reset the pool", key.label, key.name, outcome.detail)
        elif outcome.kind is not Kind.CANCELLED:
            _log.debug("%s for %s: %s (%s)", key.label, call.lease.model, outcome.kind.value, outcome.detail)
        if outcome.unknown is not None and outcome.unknown not in self._said:
            self._said.add(outcome.unknown)
            _log.warning("an answer of a kind not seen before: %s, taken as %s", outcome.unknown, outcome.kind.value)

    async def _wait_or_raise(self, request: Request, step: Step, question: Question) -> None:
        if isinstance(step, Refuse):
            self._take_turns()
            error = to_error(step, step.model)
            error.request_id = request.record.id
            raise error
        if isinstance(step, Wait):
            if question.on_wait is not None:
                question.on_wait(step)
            await self._wait(request, step.until)

    async def _wait(self, request: Request, until: float) -> None:
        changed = asyncio.Event()
        self._waiting[request] = (asyncio.get_running_loop(), changed)
        try:
            async with asyncio.timeout(max(0.0, until - self._policy.clock())):
                await changed.wait()
        except TimeoutError:
            pass
        except BaseException:
            # who asked has left: the place in the line, or the call that was begun for it, is others'
            with self._lock:
                request.leave(self._policy.clock())
            raise
        finally:
            del self._waiting[request]
            self._take_turns()

    def _take_turns(self) -> None:
        """Wake those whose turn in the line has come."""
        if self._waiting:
            with self._lock:
                turns = self._policy.take_turns(self._policy.clock())
            self._wake(turns)

    def wake(self) -> None:
        """Let everyone who waits look again."""
        self._wake(list(self._waiting))

    def _wake(self, requests: Iterable[Request]) -> None:
        """Let these requests look again, in whatever loop they wait; who does not wait is left alone."""
        for request in requests:
            waiting = self._waiting.get(request)
            if waiting is None:
                continue
            loop, changed = waiting
            # a loop that ends at this very moment has nobody left to wake
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(changed.set)


def _log_rotation(reports: Sequence[KeyReport]) -> None:
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


def _unseen(piece: Response, joint: Joint) -> Response:
    """Take a piece in and give it without what the reader has seen already."""
    text = plain_text(piece)
    unseen = joint.take(text)
    return piece if text is None or unseen == text else with_text(piece, unseen)
