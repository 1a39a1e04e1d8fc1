"""The pool's rules as one object: keys, one ``ModelPool`` per model, counts, and what survives a restart.

``Policy`` is synchronous and does no I/O; clock (monotonic seconds), wall clock (Unix seconds, for midnight and for
storage) and dice come in by the constructor. It is not thread-safe by itself: its owner holds one lock around every
call and never over an await. What always holds: every ``begin`` is matched by one ``end``; counts belong to (key
fingerprint, model) and outlive a rebuilt pool.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from utils.gemini_pool.policy import snapshots
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.explaining.history import Choice, History
from utils.gemini_pool.policy.explaining.reasons import why
from utils.gemini_pool.policy.keys import Death, Key, KeySpec
from utils.gemini_pool.policy.latency import Size, Usual, size_of
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import Kind, Outcome
from utils.gemini_pool.policy.pools import ModelPool
from utils.gemini_pool.policy.records import Counts, Ledger
from utils.gemini_pool.policy.request import Request
from utils.gemini_pool.policy.rotation import KeyReport, rotate
from utils.gemini_pool.policy.selection import Wishes
from utils.gemini_pool.policy.waiting.room import Room
from utils.gemini_pool.policy.waiting.slots import NO_KEY, Slot

_DEAD = Kind.KEY_DEAD
_REMOVED = "it is not configured any more"


class Policy:
    """All rules over all keys and models of one process."""

    def __init__(
        self,
        config: PoolConfig,
        clock: Callable[[], float],
        wall: Callable[[], float],
        rng: random.Random,
        *,
        keys: Sequence[KeySpec] = (),
        pool_size: int | None = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.wall = wall
        self.ledger = Ledger(wall)
        self.history = History(config.records_kept, wall())
        self._findings: list[str] = []
        self._rng = rng
        self._pool_size = pool_size
        self._pools: dict[str, ModelPool] = {}
        self._rooms: dict[str, Room[Request]] = {}
        self._usual = Usual(config.usual_p50_s, config.usual_p95_s, config.usual_p97_s, learned=False)
        self._clearings = 0
        self._rotated_at = clock()
        self._restored: Mapping[str, Mapping[str, object]] = {}
        self.keys = [Key(position, spec) for position, spec in enumerate(keys)]

    @property
    def pools(self) -> Mapping[str, ModelPool]:
        """The pools that exist, by model."""
        return self._pools

    def pool(self, model: str) -> ModelPool:
        """Give a model's pool; made when first asked for. There must be a key."""
        pool = self._pools.get(model)
        if pool is None:
            pool = ModelPool(
                model,
                self.keys,
                ledger=self.ledger,
                size=self._size(),
                config=self.config,
                rng=self._rng,
                now=self.clock(),
                wall=self.wall(),
                clearing=self._clearings,
                on_found=self._join_projects,
            )
            snapshots.restore_pool(pool, self._restored, self.clock(), self.wall())
            self._pools[model] = pool
        return pool

    def request(
        self,
        model: str,
        *,
        deadline_s: float,
        max_retries: int | None = None,
        max_output_tokens: int | None = None,
        streamed: bool = False,
        name: str | None = None,
        user: Hashable = None,
        fallbacks: Sequence[str] = (),
        now: float | None = None,
    ) -> Request:
        """Open a question's life.

        ``max_output_tokens``: the caller's bound on the answer, by which usual times are told apart; ``streamed``: the
        caller reads it in pieces; ``name``: the caller's own id, by which ``history`` finds the record; ``user``:
        whose turn in the line it takes (those who name none share one); ``fallbacks``: models to go on with, in this
        order, where the one before cannot serve in time.
        """
        now = self.clock() if now is None else now
        return Request(
            self,
            model,
            now,
            deadline_s,
            max_retries,
            self._rng,
            self.history.open(model, now=now, wall=self.wall(), deadline_s=deadline_s, name=name),
            size_of(max_output_tokens),
            streamed,
            user,
            fallbacks,
        )

    def room(self, model: str) -> Room[Request]:
        """Give the room in which requests for a model wait; made when first asked for."""
        room = self._rooms.get(model)
        if room is None:
            room = self._rooms[model] = Room(self.config, self.clock())
        return room

    def take_turns(self, now: float) -> list[Request]:
        """Let go whose turn in the line has come; answers whom to step again.

        To be called after every ``feed`` and ``leave`` of any request, and after each step at the time of a ``Wait``.
        """
        turns: list[Request] = []
        for model, room in self._rooms.items():
            if room.line.waiting and self.keys:
                turns += room.take_turns(self.pool(model), now)
        return turns

    def usual(self, model: str, size: Size) -> Usual:
        """How long a model's answers of a size usually take."""
        pool = self._pools.get(model)
        return self._usual if pool is None else pool.latency.of(size).usual

    def begin(self, model: str, wishes: Wishes, now: float) -> Lease | None:
        """Choose a lane and count the start of a call; None when nothing can serve now."""
        pool = self._pools.get(model)
        if pool is None:
            if not self.keys:
                return None
            pool = self.pool(model)
        return pool.begin(wishes, now)

    def end(self, lease: Lease, outcome: Outcome, now: float) -> None:
        """Count the end of a call and let its outcome act; a second time for the same lease does nothing."""
        pool = lease.lane.pool
        if self._pools.get(pool.model) is not pool:
            self._end_of_former(lease, outcome, now)
            return
        pool.end(lease, outcome, now, self.wall)
        if outcome.kind is _DEAD:
            self._bury(lease.lane.key, pool, now)

    def _bury(self, key: Key, pool: ModelPool, now: float) -> None:
        """Take a key out of every other pool that died in one, unless it is not configured any more."""
        if self.keys[key.position : key.position + 1] != [key]:
            return
        for other in self._pools.values():
            if other is not pool:
                other.roster.bury(key, now)

    def _end_of_former(self, lease: Lease, outcome: Outcome, now: float) -> None:
        """End a call of a pool that was made anew since: it is counted, what it found out is of the old one."""
        if lease.released:
            return
        lease.released = True
        if lease.clearing != self._clearings:
            return
        lane = lease.lane
        extra = outcome.requests - 1
        lane.counts.add_end(outcome, now - lease.started_at)
        lane.counts.requests += extra
        self.ledger.note(lane.counts)
        pool = self._pools.get(lane.pool.model)
        for now_serving in pool.lanes if pool is not None else ():
            if now_serving.key.fingerprint == lane.key.fingerprint:
                now_serving.pool.add_usage(now_serving, extra)

    def _join_projects(self, kept: str, taken: str) -> None:
        """Make one project of two for every model, since it was found out that their keys share a quota."""
        now = self.clock()
        names = sorted(key.project_name for key in self.keys if key.project in (kept, taken))
        for key in self.keys:
            if key.project in (kept, taken):
                key.join(kept)
        for pool in self._pools.values():
            pool.join(kept, taken, now)
        self._findings.append(f"{', '.join(names)} share one quota project; from now on they count as one")

    def why(self, lease: Lease) -> Choice | None:
        """Say why the key of a call that has just begun was taken; None: not by score, or nobody can ask for it."""
        return why(self._pools[lease.lane.pool.model], lease) if self.history.kept else None

    def take_findings(self) -> list[str]:
        """Take out the sentences about what was found out, for the log."""
        if not self._findings:
            return []
        found, self._findings = self._findings, []
        return found

    def hear(self, lease: Lease) -> None:
        """Know that a call under way has begun to answer."""
        pool = self._pools.get(lease.model)
        if pool is lease.lane.pool:
            pool.hear(lease)

    def forgive(self, lease: Lease, now: float) -> None:
        """Take back the fault of an ended call."""
        pool = lease.lane.pool
        if self._pools.get(pool.model) is pool:
            pool.forgive(lease, now)

    def slot(self, model: str, place: int, now: float) -> Slot:
        """When the one at this place of a model's line (1 is next) could begin a call, and what is in the way."""
        if not self.keys:
            return NO_KEY
        return self.room(model).slots.at(self.pool(model), place, now, self.usual(model, Size.UNKNOWN).p50)

    def places_until(self, model: str, at: float, now: float) -> int:
        """How many calls could begin until then, those for others who wait included; not more than it pays to count."""
        if not self.keys:
            return 0
        room = self.room(model)
        usual_s = self.usual(model, Size.UNKNOWN).p50
        return room.slots.until(self.pool(model), at, now, usual_s, at_least=len(room.line) + 1)

    def next_slot(self, model: str, now: float) -> Slot:
        """When a request for the model could next be sent, and what is in the way."""
        return self.slot(model, 1, now)

    def peek(self, model: str) -> int:
        """The index of the instance that would serve next, or -1 when every key is dead or none is configured."""
        alive = [key for key in self.keys if key.dead is None]
        if not alive:
            return -1
        pool = self.pool(model)
        chosen = pool.standing.choose(Wishes(may_probe=False), self.clock())
        if chosen is not None:
            pool.standing.ranking.put_back((chosen[0].project,))
        slots = (chosen[0] if chosen else pool.lanes[alive[0].position]).slots
        return slots[0].index if slots else 0

    def rotate_if_due(self) -> list[KeyReport]:
        """Rotate every pool when five minutes have passed since the last time; answers the log's lines."""
        now = self.clock()
        if now - self._rotated_at < self.config.rotation_s:
            return []
        self._rotated_at = now
        return [report for pool in self._pools.values() for report in rotate(pool, self.config, now)]

    def revive(self, fingerprint: str) -> bool:
        """Let a dead key serve again, since the service accepts it; answers whether there was such a key."""
        now = self.clock()
        for key in self.keys:
            if key.fingerprint == fingerprint and key.dead is not None:
                key.dead = None
                for pool in self._pools.values():
                    pool.roster.revive(now)
                    pool.roster.welcome(pool.lanes[key.position], now)
                return True
        return False

    def next_event_at(self) -> float:
        """When ``rotate_if_due`` has something to do next (the clock's seconds)."""
        return self._rotated_at + self.config.rotation_s

    def reset_pools(self, specs: Iterable[KeySpec], model: str | None = None) -> None:
        """Take the keys as configured now and start health anew, for one model or all; counts stay.

        A dead key gets another try. When the keys changed, every pool is made anew whatever ``model`` says.
        """
        given = list(specs)
        if changed := given != [key.spec for key in self.keys]:
            found = {key.fingerprint: key.found_project for key in self.keys if key.found_project is not None}
            self.keys = [Key(position, spec) for position, spec in enumerate(given)]
            for key in self.keys:
                if key.spec.project is None and key.fingerprint in found:
                    key.join(found[key.fingerprint])
        for key in self.keys:
            key.dead = None
        kept = {}
        if model is not None and not changed:
            kept = {name: pool for name, pool in self._pools.items() if name != model}
            for pool in kept.values():
                pool.roster.revive(self.clock())
        names = list(self._pools)
        self._restored = {}
        self._pools = kept
        if self.keys:
            for name in names:
                self.pool(name)

    def reload_keys(self, specs: Iterable[KeySpec]) -> None:
        """Take the keys as configured now; health, quota and counts of those that stay are left as they are.

        A new key starts at the mean usage of the others; the calls under way of one that left end as they would.
        """
        former = {key.fingerprint: key for key in self.keys}
        self.keys = [Key(position, spec) for position, spec in enumerate(specs)]
        for key in self.keys:
            known = former.pop(key.fingerprint, None)
            if known is not None:
                key.dead = known.dead
                if known.found_project is not None and key.spec.project is None:
                    key.join(known.found_project)
        now, wall = self.clock(), self.wall()
        for gone in former.values():
            gone.dead = gone.dead or Death(_REMOVED, wall)
        if not self.keys:
            self._pools.clear()
        for pool in self._pools.values():
            pool.rekey(self.keys, self._size(), now, wall)
        for room in self._rooms.values():
            room.slots.forget()

    def _size(self) -> int:
        return self._pool_size or max(self.config.min_pool_size, len(self.keys))

    def reset_counts(self) -> None:
        """Empty the running figures; cooldowns, gates and dead marks stay."""
        self._clearings += 1
        self.ledger.clear()
        for pool in self._pools.values():
            pool.clearing = self._clearings
            for slot in pool.instances.slots:
                slot.usage = 0

    def restore(
        self,
        totals: Mapping[tuple[str, str], Counts],
        documents: Mapping[str, Mapping[str, object]],
    ) -> None:
        """Take up what was saved before a restart; called before the first request."""
        for (fingerprint, model), counts in totals.items():
            self.ledger.of(fingerprint, model).load(counts)
        self._restored = documents
        snapshots.restore_keys(self.keys, documents)
        self._pools.clear()
        known = {key.fingerprint for key in self.keys}
        for fingerprint, model in sorted(totals):
            if fingerprint in known:
                self.pool(model)

    def snapshot(self) -> dict[str, dict[str, object]]:
        """Give what a restart must not forget: dead keys, ejections, cooldowns; JSON-ready, times as Unix seconds."""
        return snapshots.take(self.keys, self._pools.values(), self.clock(), self.wall())
