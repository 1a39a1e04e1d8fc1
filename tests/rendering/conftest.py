"""A clock that tests wind themselves, and a place for answers that remembers what it was shown."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from utils.rendering.errors import DeliveryError
from utils.rendering.writer import Place, TextFile

T = TypeVar("T")


class VirtualClock:
    """Time that stands still while anything can run, and then jumps to the next sleeper."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Sleep in virtual time."""
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), future))
        await future

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something to its end."""
        task = asyncio.ensure_future(work)
        while True:
            for _ in range(30):  # enough for every chain of callbacks here to settle
                await asyncio.sleep(0)
            if task.done():
                return await task
            assert self._sleepers, "nothing sleeps and nothing ends: the work hangs"
            self.now, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)


@dataclass(slots=True)
class FakeTarget:
    """Remembers every state as ``(begun at, text)``; takes ``latency_s`` for each; raises ``failures`` first."""

    clock: VirtualClock
    latency_s: float = 0.0
    failures: list[DeliveryError] = field(default_factory=list)
    refuses_files: DeliveryError | None = None
    states: list[tuple[float, str]] = field(default_factory=list)
    finished: list[tuple[list[str], TextFile | None]] = field(default_factory=list)
    made: list[TextFile] = field(default_factory=list)
    waited: list[tuple[float, float]] = field(default_factory=list)
    place: Place = field(default_factory=lambda: Place(1, 2))
    busy: bool = False

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Note from when to when an answer was announced."""
        begun_at = self.clock()
        try:
            yield
        finally:
            self.waited.append((begun_at, self.clock()))

    async def ready(self) -> None:
        """Be ready at once."""

    async def show(self, text: str) -> Place:
        """Take a state."""
        begun_at = self.clock()
        await self._work()
        self.states.append((begun_at, text))
        return self.place

    async def finish(self, texts: Sequence[str], file: TextFile | None, made: Sequence[TextFile] = ()) -> Place:
        """Take the last state."""
        await self._work()
        if (file is not None or made) and self.refuses_files is not None:
            raise self.refuses_files
        self.finished.append((list(texts), file))
        self.made += made
        return self.place

    async def _work(self) -> None:
        assert not self.busy, "two states at once"
        self.busy = True
        try:
            if self.latency_s:
                await self.clock.sleep(self.latency_s)
            if self.failures:
                raise self.failures.pop(0)
        finally:
            self.busy = False


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def target(clock: VirtualClock) -> FakeTarget:
    return FakeTarget(clock)
