"""The pool's rules as one object: keys, one ``ModelPool`` per model, counts, and what survives a restart.

``Policy`` is synchronous and does no I/O; clock (monotonic seconds), wall clock (Unix seconds, for midnight and for
storage) and dice come in by the constructor. It is not thread-safe by itself: its owner holds one lock around every
call and never over an await. What always holds: every ``begin`` is matched by one ``end``; counts belong to (key
fingerprint, model) and outlive a rebuilt pool.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence

from utils.gemini_pool.policy import snapshots
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.keys import Key, KeySpec
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import Outcome
from utils.gemini_pool.policy.pools import ModelPool
from utils.gemini_pool.policy.records import Counts, Ledger
from utils.gemini_pool.policy.request import Request
from utils.gemini_pool.policy.rotation import KeyReport, rotate
from utils.gemini_pool.policy.selection import Wishes
from utils.gemini_pool.policy.waiting import Obstacle, Slot, next_slot


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
        self.ledger = Ledger()
        self._rng = rng
        self._pool_size = pool_size
        self._counts: dict[tuple[str, str], Counts] = {}
        self._pools: dict[str, ModelPool] = {}
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
            size = self._pool_size or max(self.config.min_pool_size, len(self.keys))
            pool = ModelPool(
                model,
                self.keys,
                counts_of=lambda key: self._counts.setdefault((key.fingerprint, model), Counts()),
                size=size,
                config=self.config,
                rng=self._rng,
                now=self.clock(),
            )
            snapshots.restore_pool(pool, self._restored, self.clock(), self.wall())
            self._pools[model] = pool
        return pool

    def request(self, model: str, *, deadline_s: float, max_retries: int | None = None) -> Request:
        """Open a question's life."""
        return Request(
            self,
            model,
            now=self.clock(),
            deadline_s=deadline_s,
            max_retries=max_retries,
            rng=self._rng,
        )

    def begin(self, model: str, wishes: Wishes, now: float) -> Lease | None:
        """Choose a lane and count the start of a call; None when nothing can serve now."""
        if not self.keys:
            return None
        pool = self.pool(model)
        choice = pool.choose(wishes, now)
        if choice is None:
            return None
        lease = pool.begin(choice, now)
        lease.clearing = self._clearings
        lease.lane.counts.requests += 1
        self.ledger.at(lease.fingerprint, model, self.wall()).requests += 1
        return lease

    def end(self, lease: Lease, outcome: Outcome, now: float) -> None:
        """Count the end of a call and let its outcome act; a second time for the same lease does nothing."""
        if lease.released:
            return
        wall = self.wall()
        seconds = now - lease.started_at
        minute = self.ledger.at(lease.fingerprint, lease.model, wall)
        if lease.clearing == self._clearings:
            for counts in (lease.lane.counts, minute):
                counts.add_end(outcome, seconds)
            self._count_more(lease, outcome.requests - 1, minute)
        pool = self._owner(lease)
        if pool is None:
            # the pool was made anew while the call was under way: what it found out is of the old one
            lease.released = True
            return
        pool.end(lease, outcome, now, wall)

    def _count_more(self, lease: Lease, requests: int, minute: Counts) -> None:
        """Count what an attempt sent beyond the one request counted at its start (-1: nothing was sent)."""
        lease.lane.counts.requests += requests
        minute.requests += requests
        pool = self._pools.get(lease.model)
        if pool is None or pool.owns(lease):
            lease.slot.usage += requests
            return
        for lane in pool.lanes:
            if lane.key.fingerprint == lease.fingerprint:
                pool.add_usage(lane, requests)

    def forgive(self, lease: Lease, now: float) -> None:
        """Take back the fault of an ended call."""
        pool = self._owner(lease)
        if pool is not None:
            pool.forgive(lease, now)

    def _owner(self, lease: Lease) -> ModelPool | None:
        pool = self._pools.get(lease.model)
        return pool if pool is not None and pool.owns(lease) else None

    def next_slot(self, model: str, now: float) -> Slot:
        """When a request for the model could next be sent, and what is in the way."""
        if not self.keys:
            return Slot(None, Obstacle.ALL_DEAD)
        return next_slot(self.pool(model), self.config, now)

    def peek(self, model: str) -> int:
        """The index of the instance that would serve next, or -1 when every key is dead or none is configured."""
        alive = [key for key in self.keys if key.dead is None]
        if not alive:
            return -1
        pool = self.pool(model)
        choice = pool.choose(Wishes(may_probe=False), self.clock())
        position = choice.lane.key.position if choice else alive[0].position
        slots = pool.instances.of_key(position)
        return pool.instances.slots.index(slots[0]) if slots else 0

    def rotate_if_due(self) -> list[KeyReport]:
        """Rotate every pool when five minutes have passed since the last time; answers the log's lines."""
        now = self.clock()
        if now - self._rotated_at < self.config.rotation_s:
            return []
        self._rotated_at = now
        return [report for pool in self._pools.values() for report in rotate(pool, self.config, now)]

    def next_event_at(self) -> float:
        """When ``rotate_if_due`` has something to do next (the clock's seconds)."""
        return self._rotated_at + self.config.rotation_s

    def reset_pools(self, specs: Iterable[KeySpec], model: str | None = None) -> None:
        """Take the keys as configured now and start health anew, for one model or all; counts stay.

        A dead key gets another try. When the keys changed, every pool is made anew whatever ``model`` says.
        """
        before = [(key.fingerprint, key.project, key.name) for key in self.keys]
        self.keys = [Key(position, spec) for position, spec in enumerate(specs)]
        changed = before != [(key.fingerprint, key.project, key.name) for key in self.keys]
        kept = {}
        if model is not None and not changed:
            kept = {name: pool for name, pool in self._pools.items() if name != model}
            for pool in kept.values():
                for lane, key in zip(pool.lanes, self.keys, strict=True):
                    lane.key = key
        rebuilt = [name for name in self._pools if name not in kept]
        self._restored = {}
        self._pools = kept
        if self.keys:
            for name in rebuilt:
                self.pool(name)

    def reset_counts(self) -> None:
        """Empty the running figures; cooldowns, gates and dead marks stay."""
        self._clearings += 1
        for counts in self._counts.values():
            counts.clear()
        for pool in self._pools.values():
            for slot in pool.instances.slots:
                slot.usage = 0

    def restore(
        self,
        totals: Mapping[tuple[str, str], Counts],
        documents: Mapping[str, Mapping[str, object]],
    ) -> None:
        """Take up what was saved before a restart; called before the first request."""
        for (fingerprint, model), counts in totals.items():
            self._counts.setdefault((fingerprint, model), Counts()).add(counts)
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
