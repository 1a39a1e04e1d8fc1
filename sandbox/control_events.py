"""The stream of all that changes, and who is there to see it.

``EventStream`` answers ``GET /_sandbox/events`` with server-sent events: first ``hello`` with the run's id, then every
event of the bus, and a comment every few seconds so that a dead connection is noticed on both sides. There is no
replay: after a reconnect the reader asks for the state again. ``Presence`` knows whether anybody uses the sandbox: a
page or other reader of the stream, a program that said it runs (its process id), a bot on the gateway. Times are in
seconds of the injected monotonic clock.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress

from aiohttp import web

from sandbox.events import Event, EventBus

_HEARTBEAT_S = 15.0
_RETRY_MS = 1000


class Presence:
    """Who uses the sandbox, and how long nobody has."""

    def __init__(self, clock: Callable[[], float], bot_online: Callable[[], bool] = lambda: False) -> None:
        self._clock = clock
        self._bot_online = bot_online
        self._readers = 0
        self._programs: set[int] = set()
        self._last_seen = clock()

    @contextmanager
    def reader(self) -> Iterator[None]:
        """Count a reader of the stream while it is connected."""
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1
            self.touch()

    def register(self, pid: int) -> None:
        """Note a program that uses the sandbox until its process ends."""
        self._programs.add(pid)
        self.touch()

    def touch(self) -> None:
        """Note that somebody was here just now."""
        self._last_seen = self._clock()

    def idle_s(self) -> float:
        """For how many seconds nobody has been here; 0 while somebody is."""
        self._programs = {pid for pid in self._programs if process_alive(pid)}
        if self._readers or self._programs or self._bot_online():
            self.touch()
            return 0.0
        return self._clock() - self._last_seen


def process_alive(pid: int) -> bool:
    """Whether a process with that id exists; always True where asking would end it (Windows)."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class EventStream:
    """Serves the bus's events to any number of readers until ``close``."""

    def __init__(self, bus: EventBus, presence: Presence, run_id: str, *, heartbeat_s: float = _HEARTBEAT_S) -> None:
        self._bus = bus
        self._presence = presence
        self._run_id = run_id
        self._heartbeat_s = heartbeat_s
        self._closing = asyncio.Event()

    async def close(self, _app: web.Application | None = None) -> None:
        """End every stream, so that the server can stop."""
        self._closing.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one reader."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        # a reader that leaves ends its own stream; there is nobody left to tell
        with self._bus.subscribe() as events, self._presence.reader(), suppress(ConnectionError):
            hello = Event("hello", {"run_id": self._run_id})
            await response.write(f"retry: {_RETRY_MS}\n\n".encode() + frame(hello))
            async with aclosing(self._chunks(events)) as chunks:
                async for chunk in chunks:
                    await response.write(chunk)
        return response

    async def _chunks(self, events: AsyncIterator[Event]) -> AsyncGenerator[bytes, None]:
        closing = asyncio.ensure_future(self._closing.wait())
        following = asyncio.ensure_future(_next(events))
        try:
            while True:
                done, _ = await asyncio.wait(
                    {closing, following}, timeout=self._heartbeat_s, return_when=asyncio.FIRST_COMPLETED
                )
                if closing in done:
                    return
                if following in done:
                    yield frame(following.result())
                    following = asyncio.ensure_future(_next(events))
                else:
                    yield b": still here\n\n"
        finally:
            closing.cancel()
            following.cancel()


async def _next(events: AsyncIterator[Event]) -> Event:
    return await anext(events)


def frame(event: Event) -> bytes:
    """One event on the wire; JSON holds no newline, so it is one data line."""
    return f"event: {event.kind}\ndata: {json.dumps(event.data, ensure_ascii=False)}\n\n".encode()
