"""The pool of one model: calls begin and end here.

``ModelPool.begin`` chooses a lane and counts the start of a call, ``end`` counts its end; both cost the same with ten
keys as with ten thousand (``docs/benchmarks/pool.md``), because nothing is looked through. What always holds: in-flight
counts are never below 0 and return to 0; a call in flight is in the usage; a lease that began before the pool was made
anew is counted and acts on nothing. Which keys there are is ``roster``'s; who of them can serve is kept by
``standing``, which calls take long by ``flights``; who is ejected is decided by ``health``, quota by ``project_quota``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from heapq import heappop, heappush

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.flights import Flights
from utils.gemini_pool.policy.health import Health
from utils.gemini_pool.policy.instances import InstanceMap, least_busy
from utils.gemini_pool.policy.keys import Death, Key
from utils.gemini_pool.policy.latency import Latency
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import FAULTS, Kind, Outcome
from utils.gemini_pool.policy.projects import Lane, ProjectModel
from utils.gemini_pool.policy.records import Ledger
from utils.gemini_pool.policy.roster import Roster
from utils.gemini_pool.policy.score import LARGEST_EXPONENT, rank
from utils.gemini_pool.policy.selection import FIRST, Probe, Wishes
from utils.gemini_pool.policy.standing import TICK_S, Standing

_NONE = Probe.NONE
_OK = Kind.OK


class ModelPool:
    """Everything the rules know about one model.

    ``clearing``: how often the counts have been emptied. ``latency``: how long answers usually take. ``on_found`` is
    told the names of two projects that were found to be one, and has ``join`` called on every pool.
    """

    def __init__(
        self,
        model: str,
        keys: Sequence[Key],
        *,
        ledger: Ledger,
        size: int,
        config: PoolConfig,
        rng: random.Random,
        now: float,
        wall: float,
        clearing: int = 0,
        on_found: Callable[[str, str], None] | None = None,
    ) -> None:
        self.model = model
        self.clearing = clearing
        self.latency = Latency(config)
        self._config = config
        self._ledger = ledger
        self.health = Health(config, now)
        self.breaker = self.health.breaker
        self.instances = InstanceMap(size, len(keys))
        self.standing = Standing(config, rng, self.health, now)
        self._ranking = self.standing.ranking
        self._scale, self._errors, self._total = self.standing.scale, self.health.scale, self.health.total
        self._flights = Flights()
        self._under_way, self._noted = self._flights.line, self._flights.noted
        self._flights_at = now
        self.roster = Roster(
            self,
            config,
            ledger=ledger,
            rng=rng,
            instances=self.instances,
            health=self.health,
            standing=self.standing,
            on_found=on_found,
        )
        self.limits = self.roster.limits
        self.roster.begin(keys, now, wall)

    def rekey(self, keys: Sequence[Key], size: int, now: float, wall: float) -> None:
        """Take keys in and out; ``size``: how many instances there are from now on."""
        self.roster.rekey(keys, size, now, wall)

    def join(self, kept: str, taken: str, now: float) -> None:
        """Make one project of two."""
        self.roster.join(kept, taken, now)

    def hear(self, lease: Lease) -> None:
        """Know that a call under way has begun to answer: from now on it may take as long as it likes."""
        self._flights.hear(lease)

    @property
    def lanes(self) -> list[Lane]:
        """All lanes, by position of their keys."""
        return self.standing.lanes

    @property
    def projects(self) -> list[ProjectModel]:
        """All projects, by position of their first keys."""
        return self.standing.projects

    def begin(self, wishes: Wishes, now: float) -> Lease | None:
        """Choose a lane and count the start of a call; None when nothing can serve this request now."""
        standing = self.standing
        if wishes is FIRST and now < standing.due:
            # the ordinary case, written out: the best project in order, with nothing that speaks against it
            queue, heap = self._ranking.queue, self._ranking.heap
            while queue or heap:
                entry = heappop(heap) if heap and not (queue and queue[0] < heap[0]) else queue.popleft()
                project: ProjectModel = entry[2]
                lane = project.turn
                if project.entry is not entry or lane is None:
                    continue
                if (
                    project.usage > standing.busy_above * standing.total
                    or (project.quota.limited and not project.quota.may_send(now, project.in_flight))
                    or (lane.troubled and lane.after is not lane)
                ):
                    heappush(heap, entry)
                    break
                project.turn = lane.after
                return self._start(lane, _NONE, now)
        return self._begin_with_care(wishes, now)

    def _begin_with_care(self, wishes: Wishes, now: float) -> Lease | None:
        if now >= self._flights_at:
            self._flights_at = now + TICK_S
            for lease in self._flights.become_late(now - self._config.overdue_times_p95 * self.latency.longest_p95_s):
                lease.lane.overdue += 1
                self.standing.place(lease.lane, now)
        chosen = self.standing.choose(wishes, now)
        if chosen is None:
            return None
        lane, probe = chosen
        if not lane.slots:
            giver = self.instances.give_one_to(lane.key.position, keep=0)
            if giver is not None:
                self.standing.place(self.lanes[giver], now)
                self.standing.place(lane, now)
        lane.gate_version = lane.gate.version
        lease = self._start(lane, probe, now)
        self._mark_probe(lease, under_way=True)
        return lease

    def _start(self, lane: Lane, probe: Probe, now: float) -> Lease:
        project, scale, standing = lane.project, self._scale, self.standing
        unit = 2.0 ** ((now - scale.origin) * scale.rate)
        usage = project.usage = project.usage + unit
        standing.total += unit
        if project.entry is not None:
            ranking = self._ranking
            if project.error or not ranking.by_turn:
                ranking.put(project, rank(usage, unit, project.error))
            else:
                # what ``put`` does, written out: it is done for every call
                ranking.number = number = ranking.number + 1
                entry = project.entry = (usage, number, project)
                queue = ranking.queue
                if not queue or queue[-1][0] <= usage:
                    queue.append(entry)
                else:
                    heappush(ranking.heap, entry)
        project.quota.start(now)
        project.in_flight += 1
        lane.in_flight += 1
        slot = lane.slot or least_busy(lane.slots)
        slot.in_flight += 1
        slot.usage += 1
        counts = lane.counts
        counts.requests += 1
        if not counts.changed:
            counts.changed = True
            self._ledger.changed.append(counts)
        lease = Lease(lane, slot, probe, now, unit, self.clearing)
        self._under_way.append(lease)
        return lease

    def end(self, lease: Lease, outcome: Outcome, now: float, wall: Callable[[], float]) -> None:
        """Take the outcome of a call in; a second time for the same lease does nothing."""
        if lease.released:
            return
        lease.released = True
        under_way = self._under_way
        while under_way and under_way[0].released:
            under_way.popleft()
        lane = lease.lane
        project = lane.project
        lane.in_flight -= 1
        project.in_flight -= 1
        lease.slot.in_flight -= 1
        if lease.clearing == self.clearing:
            counts = lane.counts
            counts.add_end(outcome, now - lease.started_at)
            if not counts.changed:
                counts.changed = True
                self._ledger.changed.append(counts)
        quota = project.quota
        if (
            outcome.kind is _OK
            and outcome.requests == 1
            and lease.probe is _NONE
            and not (lane.troubled or quota.limited or project.closed_at is not None)
            and not self.breaker.run
            and lease not in self._noted
            and (exponent := (now - self._errors.origin) * self._errors.rate) < LARGEST_EXPONENT
        ):
            # the ordinary case, written out: a good answer of a sound key changes nothing but its record
            unit = 2.0**exponent
            lane.rate.raw_calls += unit
            self._total.raw_calls += unit
            if outcome.input_tokens:
                quota.count_tokens(lease.started_at, outcome.input_tokens)
            return
        self._end_with_care(lease, outcome, now, wall())

    def _end_with_care(self, lease: Lease, outcome: Outcome, now: float, wall: float) -> None:
        lane, project = lease.lane, lease.lane.project
        self._mark_probe(lease, under_way=False)
        if self._flights.end(lease):
            lane.overdue -= 1
            self.standing.place(lane, now)
        extra = outcome.requests - 1
        if extra:
            self._count_further(lease, extra)
        if outcome.kind is Kind.CANCELLED or outcome.requests == 0:
            self.standing.use(project, -lease.unit)
            self.standing.rank(project, now)
        elif extra > 0:
            self.standing.use(project, extra * lease.unit)
            self.standing.rank(project, now)
        project.quota.end(lease.started_at, outcome, now, wall, project.in_flight)
        self._take_in(lease, outcome, now, wall)
        if not project.lanes:
            # its keys are not configured any more
            return
        if outcome.kind is Kind.QUOTA:
            self.roster.look_for_shared(lane, now)
            project = lane.project
        if lane.key.dead is None and lane.gate.wants_probe(now):
            self.standing.await_probe(lane)
        if project.closed_at is not None:
            self.standing.reopen(project, now)
        elif not project.may_send(now):
            self.standing.close(project, now)

    def _count_further(self, lease: Lease, requests: int) -> None:
        """Count further requests of a call for its instance, or for its key where the instance is no more."""
        if lease.clearing != self.clearing:
            return
        lease.lane.counts.requests += requests
        lane = next((lane for lane in self.lanes if lane.key.fingerprint == lease.fingerprint), None)
        if lane is None:
            # its key is not configured any more, and what it served is not shown
            return
        if any(slot is lease.slot for slot in self.instances.slots):
            lease.slot.usage += requests
        else:
            self.add_usage(lane, requests)

    def _take_in(self, lease: Lease, outcome: Outcome, now: float, wall: float) -> None:
        lane, standing = lease.lane, self.standing
        if outcome.kind is _OK:
            if self.health.succeed(lease, now):
                self.roster.welcome(lane, now)
            elif lease.probe is Probe.QUOTA:
                standing.lift(lane.project, now)
            elif self._config.rerank_s == 0:
                standing.rank(lane.project, now)
        elif outcome.kind in FAULTS:
            for changed in self.health.fail(lease, outcome.kind, now):
                standing.place(changed, now)
            standing.rank(lane.project, now)
        elif outcome.kind is Kind.KEY_DEAD and lane.key.dead is None:
            lane.key.dead = Death(outcome.detail, wall)
            self.roster.bury(lane.key, now)
        if self.breaker.is_open:
            standing.due = float("-inf")
            if lease.probe is Probe.MODEL and outcome.kind in FAULTS:
                self.breaker.probe_failed(now)

    def forgive(self, lease: Lease, now: float) -> None:
        """Take back the fault of a call whose length turned out to be the question's, not the key's."""
        if self.health.forgive(lease, now):
            self.standing.place(lease.lane, now)
        self.standing.rank(lease.lane.project, now)

    def usage(self, project: ProjectModel, now: float) -> float:
        """1 + the project's decayed usage, as the score reads it."""
        return 1.0 + project.usage / self._scale.unit(now)

    def add_usage(self, lane: Lane, requests: int) -> None:
        """Count requests of a key that no call under way stands for; a spare key's go to the first instance."""
        slots = lane.slots or self.instances.slots
        slots[0].usage += requests

    def has_another(self, lane: Lane) -> bool:
        """Whether another lane stands ready."""
        return not self.breaker.is_open and self.standing.has_another(lane)

    def probe_due(self, now: float) -> bool:
        """Whether a request that can afford a probe could begin one, as far as was seen when one was last asked for."""
        return self.breaker.wants_probe(now) if self.breaker.is_open else self.standing.has_probes

    def _mark_probe(self, lease: Lease, *, under_way: bool) -> None:
        # that a project asks in spite of a closure its quota sees by itself
        if lease.probe is Probe.GATE:
            lease.lane.gate.probing = under_way
        elif lease.probe is Probe.MODEL:
            self.breaker.probing = under_way
