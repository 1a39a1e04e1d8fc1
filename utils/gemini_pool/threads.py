"""Blocking calls over coroutines: which loop runs them, and a private one when there is none.

``run_blocking`` is for worker threads and plain scripts. What always holds: it never blocks a running loop's own thread
(that raises ``UsageError``); the private loop's thread is a daemon and is ended in order at exit, so that scripts
neither hang nor warn.
"""

from __future__ import annotations

import asyncio
import atexit
import queue
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from utils.gemini_pool.errors import UsageError

T = TypeVar("T")


class LoopThread:
    """A private event loop in a daemon thread, started when first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        """Give the running private loop."""
        with self._lock:
            if self._loop is None:
                started: queue.SimpleQueue[asyncio.AbstractEventLoop] = queue.SimpleQueue()
                self._thread = threading.Thread(target=_run, args=(started,), name="gemini-pool", daemon=True)
                self._thread.start()
                self._loop = started.get()
                atexit.register(self.close)
            return self._loop

    def close(self) -> None:
        """End the loop in order; waits for it at most 5 seconds."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout=5.0)


def _run(started: queue.SimpleQueue[asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        loop.call_soon(started.put, loop)
        loop.run_forever()


def run_blocking(
    make: Callable[[], Coroutine[Any, Any, T]],
    home: asyncio.AbstractEventLoop | None,
    private: LoopThread,
    *,
    instead: str,
) -> T:
    """Run a coroutine to its end from a thread that may block.

    ``home``: the loop it belongs to, when that still runs. ``instead``: the awaitable form to name when the calling
    thread runs a loop itself; raises ``UsageError`` then.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise UsageError(f"This call blocks and would stop the running event loop: use {instead} here.")
    loop = home if home is not None and home.is_running() else private.loop()
    return asyncio.run_coroutine_threadsafe(make(), loop).result()
