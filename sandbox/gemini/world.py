"""All that the emulated service knows, in one object that the methods share.

``World`` joins keys, quota, faults, files, caches and diary, and answers the two questions that need several of them:
the state of every key, and whether a request has quota. It does no I/O and publishes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from sandbox.clock import SandboxClock
from sandbox.gemini import refusals
from sandbox.gemini.caches import CacheStore
from sandbox.gemini.diary import Diary
from sandbox.gemini.faults import FaultBook
from sandbox.gemini.files import FileStore
from sandbox.gemini.keys import EmulatedKey, KeyRing
from sandbox.gemini.quota import Limits, QuotaBook
from sandbox.gemini.wire import Json

_FULL = (("requests_minute", "rpm"), ("tokens_minute", "tpm"), ("requests_day", "rpd"))


class World:
    """The service's state; ``latency_s`` (to the first byte) and ``gap_s`` (between chunks) are sandbox seconds."""

    def __init__(
        self,
        clock: SandboxClock,
        keys: Iterable[EmulatedKey],
        *,
        seed: int,
        limits: Limits,
        latency_s: float,
        gap_s: float,
        processing_s: float,
    ) -> None:
        self.clock = clock
        self.ring = KeyRing(keys)
        self.quota = QuotaBook(limits)
        self.diary = Diary()
        self.files = FileStore(processing_s)
        self.caches = CacheStore()
        self.latency_s = latency_s
        self.gap_s = gap_s
        self._seed = seed
        #: Answers to be given word for word, by the id that stands in their questions (``#q-...``).
        self.sayings: dict[str, str] = {}
        self.faults = self._fault_book()

    def reset(self) -> None:
        """Start afresh: no faults, no counts, no use of quota, no files; the keys stay."""
        for store in (self.ring, self.quota, self.diary, self.files, self.caches):
            store.clear()
        self.sayings.clear()
        self.faults = self._fault_book()

    def spend(self, key: EmulatedKey, model: str, tokens: int, *, requests: int = 1) -> None:
        """Take quota of the key's project. Raises Refusal (429) when there is none."""
        excess = self.quota.admit(key.project, model, tokens=tokens, now=self.clock.now(), requests=requests)
        if excess is not None:
            kind = "429day" if any(window == "rpd" for window, _ in excess.broken) else "429"
            raise refusals.exhausted(model, excess.broken, excess.retry_after, kind=kind)

    def key_states(self) -> list[Json]:
        """What every key is doing, in the order of the keys; no secret in it."""
        now = self.clock.now()
        used = self.quota.used(now)
        return [self._key_state(key, used.get(key.project, {}), now) for key in self.ring.keys]

    def _key_state(self, key: EmulatedKey, quota: Mapping[str, Mapping[str, int | None]], now: float) -> Json:
        account = self.ring.account(key)
        word = self.faults.word(key, now)
        if word == "live" and any(_spent(use) for use in quota.values()):
            word = "throttled"
        return {
            "label": key.label,
            "project": key.project,
            "state": word,
            "requests": account.requests,
            "errors": account.errors,
            "kinds": dict(account.kinds),
            "in_flight": account.in_flight,
            "quota": {model: dict(use) for model, use in quota.items()},
        }

    def _fault_book(self) -> FaultBook:
        return FaultBook(random.Random(self._seed))  # noqa: S311 - dice for faults, nothing is protected by them


def _spent(use: Mapping[str, int | None]) -> bool:
    return any(
        (limit := use[limit_name]) is not None and (use[used_name] or 0) >= limit for used_name, limit_name in _FULL
    )
