"""A question's life without I/O: ``step(now)`` says what to do next, ``feed(outcome, now)`` takes what happened.

``step`` answers ``Call`` (make one attempt under this lease within these limits), ``Wait`` (look again at that time,
or when ``Policy.take_turns`` names the request), ``Answered`` or ``Refuse``. What always holds: every ``Call`` is
followed by exactly one ``feed`` (of two, where ``hedge`` began a second, one is given to ``lose`` first); a newcomer
goes at once only if nobody waits; one deadline covers waiting, attempts and backoff; the number of paid attempts is
bounded; the caller's own mistake ends the request at once; where its model cannot serve in time, it goes on with the
next of those its caller allows. Who gives a request up before its end calls ``leave``. Who waits with it is ``room``'s,
what may be tried again ``attempts``'s.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from dataclasses import replace

from utils.gemini_pool.policy.attempts import Attempts
from utils.gemini_pool.policy.explaining.history import Record
from utils.gemini_pool.policy.latency import Limits, Size
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.lender import Lender
from utils.gemini_pool.policy.outcome import FREE_MOVES, Kind, Outcome, Refused
from utils.gemini_pool.policy.retry import allowed_retries
from utils.gemini_pool.policy.selection import FIRST, Probe, Wishes
from utils.gemini_pool.policy.steps import Answered, Call, Refuse, Step, Wait
from utils.gemini_pool.policy.waiting.places import Place
from utils.gemini_pool.policy.waiting.slots import Obstacle, Slot, obstacle_of

__all__ = ["Answered", "Call", "Refuse", "Request", "Step", "Wait"]

#: A deadline below what answers usually take is the caller's wish: these shares of it stand for the usual times then.
_P50_SHARE = 0.1
_PROBE_SHARE = 1 / 3
_JOIN_SHARE = 0.5
_UNSENT = Outcome(Kind.CANCELLED, requests=0)
# members of an enumeration are slow to look up, and this one is asked for at the end of every call
_OK = Kind.OK


class Request:
    """One question; not shared between threads without the pool's lock.

    ``model``: which is asked now. ``attempts``: calls begun for it, to all models. ``deadline_at``: clock seconds.
    """

    __slots__ = (
        "_deadline_s",
        "_delivered",
        "_ended",
        "_fallbacks",
        "_last",
        "_lease",
        "_lender",
        "_most_retries",
        "_place",
        "_ready",
        "_refused",
        "_rival",
        "_rng",
        "_room",
        "_size",
        "_streamed",
        "_tries",
        "attempts",
        "deadline_at",
        "model",
        "record",
        "user",
    )

    def __init__(  # noqa: PLR0917  # one is made for every request, and names cost time
        self,
        lender: Lender[Request],
        model: str,
        now: float,
        deadline_s: float,
        max_retries: int | None,
        rng: random.Random,
        record: Record,
        size: Size,
        streamed: bool,
        user: Hashable,
        fallbacks: Sequence[str],
    ) -> None:
        self._lender = lender
        self._rng = rng
        self._deadline_s = deadline_s
        self._most_retries = allowed_retries(lender.config, max_retries)
        self._fallbacks = fallbacks
        self._size = size
        self._streamed = streamed
        self._delivered = False
        self._lease: Lease | None = None
        self._rival: Lease | None = None
        self._last: Outcome | None = None
        self._ended: Answered | Refuse | None = None
        self._refused: tuple[Refuse, float] | None = None
        self._ready: Call | None = None
        self._place: Place[Request] | None = None
        self.record = record
        self.user = user
        self.attempts = 0
        self.deadline_at = now + deadline_s
        self._turn_to(model, now)

    def _turn_to(self, model: str, now: float) -> None:
        """Ask this model from now on."""
        room = self._room = self._lender.room(model)
        room.arrivals.count(now)
        self.model = model
        self._tries = Attempts(self._lender.config, room.budget, self._rng, self._most_retries, now)

    def step(self, now: float) -> Step:
        """Say what to do next."""
        if self._ended is not None:
            return self._ended
        if self._ready is not None:
            ready, self._ready = self._ready, None
            return ready
        if self._place is not None:
            may_go = self._place.is_next(now) and self.take_turn(now)
            return self.step(now) if may_go else self._stand(self._place, now)
        if self._lease is not None:
            raise RuntimeError("step() with a call under way")
        tries = self._tries
        if now >= self.deadline_at or (self.attempts and self._too_late(now)):
            return self._turned_away(self._out_of_time(now), now)
        if now < tries.not_before:
            self.record.wait(now, None)
            return Wait(min(tries.not_before, self.deadline_at), None)
        if not tries.starved and (tries.tried or not self._room.line.waiting):
            call = self._begin(now)
            if call is not None:
                return call
        return self._join(now)

    def feed(self, outcome: Outcome, now: float, *, delivered: bool = False, resumable: bool = False) -> None:
        """Take the outcome of the call in.

        ``delivered``: the reader has seen a part of the answer already. ``resumable``: another key can go on with what
        was seen; the rest then has a deadline of its own, since the reader no longer waits for a first word.
        """
        lease = self._lease
        if lease is None or self._ready is not None or self._rival is not None:
            raise RuntimeError("feed() without a call under way")
        self._lease = None
        self._last = outcome
        self._delivered = self._delivered or delivered
        self._lender.end(lease, outcome, now)
        if self.record.is_kept:
            self._note(lease, outcome, now)
        if outcome.kind is _OK:
            # what a reader takes in at its own pace tells nothing of how long the answer took
            whole_s = None if delivered else now - lease.started_at
            lease.lane.pool.latency.of(self._size).observe(outcome.first_s, whole_s)
            self._tries.answered()
            self._ended = Answered(self.model)
            self.record.end(now)
        elif outcome.kind is Kind.CALLER:
            self._end(Refuse(outcome.detail, self.attempts, refused=outcome.refused or Refused.INVALID), now)
        elif outcome.kind is Kind.CANCELLED:
            self._end_cancelled(now)
        elif delivered and not resumable:
            self._end(Refuse(outcome.detail, self.attempts, obstacle=Obstacle.FAULTS), now)
        else:
            if delivered:
                self.deadline_at = now + self._deadline_s
            self._move_on(lease, outcome, now, delivered=delivered)

    def _move_on(self, lease: Lease, outcome: Outcome, now: float, *, delivered: bool) -> None:
        for overrun in () if delivered else self._tries.overran(lease, outcome):
            self._lender.forgive(overrun, now)
        if outcome.kind in FREE_MOVES:
            self._room.shake()
        if not self._tries.failed(lease, outcome, now):
            self._give_up(Refuse(outcome.detail, self.attempts, obstacle=obstacle_of(outcome.kind)), now)

    def hedge(self, now: float) -> Call | None:
        """Begin a second call beside the one under way; None: no other key is free for it, or nobody pays for it.

        It takes no place from those who wait. One of the two is to be given to ``lose`` before the other is fed.
        """
        lease = self._lease
        if lease is None or self._rival is not None or self._room.line.waiting:
            return None
        beside = self._tries.tried | {lease.lane.key.position}
        rival = self._lender.begin(self.model, Wishes(beside, may_probe=False), now)
        if rival is None:
            return None
        if rival.lane.key.position in beside or not self._tries.hedged(lease, rival):
            self._lender.end(rival, _UNSENT, now)
            return None
        self._rival = rival
        return self._call(rival, now)

    def lose(self, lease: Lease, outcome: Outcome, now: float) -> None:
        """Give back the one of two calls that does not decide; the other is the request's from now on."""
        if self._rival is None:
            raise RuntimeError("lose() without two calls under way")
        if lease is self._lease:
            self._lease = self._rival
        self._rival = None
        self._lender.end(lease, outcome, now)
        self._note(lease, outcome, now)
        for overrun in self._tries.overran(lease, outcome):
            self._lender.forgive(overrun, now)

    def _note(self, lease: Lease, outcome: Outcome, now: float) -> None:
        hedged = self._lender.config.hedge_after_s > 0.0
        self.record.feed(now, outcome, lease.key_label if hedged else None)

    def leave(self, now: float) -> None:
        """Give the request up while it waits: its place, or the call begun for it, is others'. Else: nothing."""
        ready, self._ready = self._ready, None
        if ready is not None:
            self._lease = None
            self._lender.end(ready.lease, _UNSENT, now)
            self.record.feed(now, _UNSENT)
        self._leave_line()
        if self._ended is None and self._lease is None:
            self._end_cancelled(now)

    def may_probe(self, now: float) -> bool:
        """Whether there is time enough for a whole answer: a probe that is cut proves nothing."""
        usual = self._lender.usual(self.model, self._size)
        return self.deadline_at - now >= min(usual.p97, self._deadline_s * _PROBE_SHARE)

    def take_turn(self, now: float) -> bool:
        """Begin the call this request waits for, or give up because it is too late; False: nothing can serve it now."""
        place = self._place
        if place is None or self._too_late(now):
            self._give_up(self._out_of_time(now), now)
            return True
        call = self._begin(now)
        if call is None:
            return False
        self._ready, self._place = call, None
        self._tries.starved = False
        place.let_go(now, paced=call.lease.probe is Probe.NONE)
        return True

    def is_misled(self, now: float) -> bool:
        """Whether it was told to look again later than it should, now that its turn is next."""
        return self._place is not None and self._place.is_misled(now)

    def is_hopeless(self, now: float) -> bool:
        """Whether its turn would come too late, as things are now."""
        return self._place is not None and self._place.is_hopeless(now)

    def _begin(self, now: float) -> Call | None:
        tries = self._tries
        newcomer = self._place is None and not tries.tried
        wishes = FIRST if newcomer else Wishes(tries.tried, self.may_probe(now))
        lease = self._lender.begin(self.model, wishes, now)
        if lease is None:
            return None
        self._lease = lease
        return self._call(lease, now)

    def _call(self, lease: Lease, now: float) -> Call:
        """Say how to make a call that has begun."""
        self.attempts += 1
        lane = lease.lane
        limits = self._limits(lease, doubtful=lane.troubled and lane.gate.timeouts_in_row > 0)
        if self.record.is_kept:
            key = lane.key
            self.record.call(
                now,
                key.label,
                key.project_name,
                model=self.model,
                probe=lease.probe,
                limits=limits,
                choice=self._lender.why(lease),
            )
        return Call(lease, limits, stream_inside=limits.stream_inside, model=self.model)

    def _limits(self, lease: Lease, *, doubtful: bool) -> Limits:
        """Give the limits of a call by what is known now; ``doubtful``: its key had run out of time before it."""
        lane = lease.lane
        return lane.pool.latency.of(self._size).limits(
            deadline_s=self._deadline_s,
            remaining_s=self.deadline_at - lease.started_at,
            overruns=self._tries.overruns,
            another_live=lane.pool.has_another(lane),
            streamed=self._streamed,
            doubtful=doubtful,
        )

    def first_byte_s(self, lease: Lease) -> float:
        """How long after its start the first byte of a call under way may come, by what is known now; in seconds."""
        # two calls to one key that take long at the same time are no second sign
        return self._limits(lease, doubtful=False).first_byte_s

    def _join(self, now: float) -> Step:
        """Take a place in the line, if it is worth waiting there."""
        if self._tries.starved:
            self._room.pace.start(now)
        usual, deadline_at = self._lender.usual(self.model, self._size), self.deadline_at
        place = self._place = Place(
            self._lender,
            self,
            model=self.model,
            user=self.user,
            size=self._size,
            now=now,
            due_at=deadline_at - min(usual.p97, self._deadline_s * _JOIN_SHARE),
            latest_at=deadline_at - self._needs_s(),
        )
        beyond = place.no_room()
        return self._stand(place, now) if beyond is None else self._turned_away(self._not_now(beyond, now), now)

    def _stand(self, place: Place[Request], now: float) -> Step:
        """Wait at the present place, or be turned away."""
        wait = place.look(now)
        if isinstance(wait, Slot):
            return self._turned_away(self._not_now(wait, now), now)
        self.record.wait(now, place.obstacle.value, wait.place)
        return wait

    def _needs_s(self) -> float:
        """How much time must be left for a call to be worth beginning."""
        return min(self._lender.usual(self.model, self._size).p50, self._deadline_s * _P50_SHARE)

    def _too_late(self, now: float) -> bool:
        return self.deadline_at - now < self._needs_s()

    def _not_now(self, slot: Slot, now: float) -> Refuse:
        after = None if slot.at is None else max(0.0, slot.at - now)
        detail = self._last.detail if self._last else ""
        return Refuse(detail, self.attempts, slot.obstacle, retry_after=after, guess=slot.guess)

    def _out_of_time(self, now: float) -> Refuse:
        slot = self._lender.slot(self.model, 1, now)
        obstacle = obstacle_of(self._last.kind) if self._last else slot.obstacle
        if self._last.kind is Kind.TIMEOUT if self._last else self._place is None:
            obstacle = Obstacle.DEADLINE
        return self._not_now(Slot(slot.at, obstacle, slot.guess), now)

    def _turned_away(self, refuse: Refuse, now: float) -> Step:
        self._give_up(refuse, now)
        return self.step(now)

    def _give_up(self, refuse: Refuse, now: float) -> None:
        """End, or go on with the next model that the caller allows; what is told in the end is the first refusal."""
        self._leave_line()
        first, at = self._refused = self._refused or (replace(refuse, model=self.model), now)
        dead = refuse.obstacle is Obstacle.ALL_DEAD
        if self._fallbacks and not (dead or self._delivered or self._too_late(now)):
            model, *self._fallbacks = self._fallbacks
            self._turn_to(model, now)
            return
        after = None if first.retry_after is None else max(0.0, first.retry_after - (now - at))
        self._end(replace(first, attempts=self.attempts, retry_after=after), now)

    def _leave_line(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            place.leave()

    def _end(self, refuse: Refuse, now: float) -> None:
        self._ended = refuse if refuse.model else replace(refuse, model=self.model)
        reason = refuse.refused or refuse.obstacle
        self.record.end(now, reason.value if reason is not None else "", refuse.retry_after)

    def _end_cancelled(self, now: float) -> None:
        self._ended = Refuse("cancelled", self.attempts, obstacle=Obstacle.FAULTS)
        self.record.end(now, "cancelled")
