"""Figures and states over restarts: what the pool needs of a store, and when it is told.

``PoolStore`` is the protocol a store satisfies by shape. ``Keeper`` loads at the start, tells the store of new figures
once a second, of states too unless there are so many that gathering them would take a hundredth of the time, and of
everything at the end. What always holds: without a store it does nothing;
figures that could not be stored are kept and tried again; at most a second of figures is lost to a kill.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from utils.gemini_pool.policy import Kind, Policy
from utils.gemini_pool.policy.records import Counts, StatisticsRow

_log = logging.getLogger(__name__)
_EVERY_S = 1.0
#: States are gathered again after this many times as long as it took: 56 ms for a thousand keys, so every 6 s.
_STATES_REST = 100.0


class TotalsRow(Protocol):
    """Figures of one (key, model) since they were last cleared."""

    @property
    def fingerprint(self) -> str:
        """Whose figures: the key."""

    @property
    def model(self) -> str:
        """For which model."""

    @property
    def requests(self) -> int:
        """HTTP requests to generate."""

    @property
    def errors(self) -> int:
        """Those that ended badly through no fault of who asked."""

    @property
    def seconds(self) -> float:
        """Time of all answered ones, in seconds."""

    @property
    def timed(self) -> int:
        """How many answered ones that is."""

    @property
    def input_tokens(self) -> int:
        """Tokens of the questions."""

    @property
    def output_tokens(self) -> int:
        """Tokens of the answers."""

    @property
    def kinds(self) -> Mapping[str, int]:
        """How they ended, by class."""


class PoolStore(Protocol):
    """Where figures and states are kept."""

    async def record(self, rows: Sequence[StatisticsRow]) -> None:
        """Add the rows to the minutes and the running totals, in one transaction."""

    async def load_totals(self) -> Sequence[TotalsRow]:
        """Give the totals since they were last cleared."""

    async def clear_totals(self) -> None:
        """Empty the totals; the minutes stay."""

    async def save_states(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep these documents in place of the ones before."""

    async def load_states(self) -> Mapping[str, Mapping[str, Any]]:
        """Give the documents last saved."""


class Keeper:
    """Carries figures and states between the policy and a store."""

    def __init__(
        self,
        policy: Policy,
        lock: threading.Lock,
        store: PoolStore | None,
        rotate: Callable[[], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._policy = policy
        self._rotate = rotate
        self._lock = lock
        self._store = store
        self._clock = clock
        self._states_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._saved: Mapping[str, Mapping[str, Any]] = {}
        self._clear = False
        self._failing = False
        #: What was counted before the totals were emptied and is not stored yet.
        self._before_clear: list[StatisticsRow] = []

    async def start(self) -> None:
        """Load, and begin to store once a second; a second time does nothing."""
        if self._task is not None:
            return
        if self._store is not None:
            rows = await self._store.load_totals()
            documents = await self._store.load_states()
            totals = {(row.fingerprint, row.model): _counts(row) for row in rows}
            with self._lock:
                self._policy.restore(totals, documents)
            self._saved = documents
        self._stop.clear()
        self._task = asyncio.create_task(self._run(), name="gemini-pool-keeper")

    async def aclose(self) -> None:
        """Stop, and store what is left."""
        task, self._task = self._task, None
        if task is None:
            return
        # not by cancelling: rows on their way into the store would be lost, or stored twice
        self._stop.set()
        await asyncio.wait([task])
        await self.store_now()

    def note_change(self, *, cleared: bool = False) -> None:
        """Remember that the totals were emptied; everything else is found by looking."""
        with self._lock:
            if cleared:
                self._before_clear += self._policy.ledger.drain()
                self._clear = True

    async def store_now(self, *, states: bool = True) -> None:
        """Tell the store all it does not know yet; logs a failure and keeps the figures for the next time.

        Without ``states`` those are left for another time.
        """
        with self._lock:
            rows = self._policy.ledger.drain()
            documents = self._gathered() if states else self._saved
            before, self._before_clear = self._before_clear, []
            clear, self._clear = self._clear, False
        if self._store is None:
            return
        try:
            if before:
                await self._store.record(before)
                before = []
            if clear:
                await self._store.clear_totals()
                clear = False
            if rows:
                await self._store.record(rows)
                rows = []
            if documents != self._saved:
                await self._store.save_states(documents)
                self._saved = documents
            self._failing = False
        except Exception as error:  # noqa: BLE001  # whatever a store may raise is logged, and no figure is lost
            # once for each fault, and not once a second; a store's error is no mistake in the program
            level = logging.DEBUG if self._failing else logging.WARNING
            name = type(error).__name__
            _log.log(level, "the pool's figures could not be stored, and are kept: %s: %s", name, error)
            self._failing = True
            with self._lock:
                self._policy.ledger.put_back(rows)
                self._before_clear[:0] = before
                self._clear = self._clear or clear

    def _gathered(self) -> Mapping[str, Mapping[str, Any]]:
        begun = self._clock()
        documents = self._policy.snapshot()
        now = self._clock()
        self._states_at = now + _STATES_REST * (now - begun)
        return documents

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_EVERY_S):
                    await self._stop.wait()
                return
            except TimeoutError:
                self._rotate()
                await self.store_now(states=self._clock() >= self._states_at)


def _counts(row: TotalsRow) -> Counts:
    others = Counter({kind: count for kind, count in row.kinds.items() if kind != Kind.OK.value})
    return Counts(row.requests, row.errors, row.seconds, row.timed, row.input_tokens, row.output_tokens, others)
