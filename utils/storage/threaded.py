"""A reader of an SQLite file that does all of a reading in its thread, and comes back to the loop once.

``ThreadedReader.run`` hands a job a connection that blocks, inside a transaction that cannot write. A reading of a few
statements over the awaitable driver goes to its thread and back for each of their steps, which takes longer than the
steps. What always holds: the loop never waits for the file; the connection's state is that of one moment; no foreign
error comes out. It is one thread: a second one gets no more done, since both wait for the interpreter, and the loop
waits for it longer.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from utils.storage.backend import Look, T
from utils.storage.border import translating


class ThreadedReader:
    """A thread with the one connection of ``engine``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storage-reader")

    async def run(self, look: Look[T]) -> T:
        """Run ``look`` in the thread and give its result.

        :raises StorageError: it could not be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._look, look)

    async def aclose(self) -> None:
        """Free the thread and its connection; nothing may run any more."""
        await asyncio.to_thread(self._close)

    def _look(self, look: Look[T]) -> T:
        with translating(), self._engine.connect() as connection:
            return look(connection)

    def _close(self) -> None:
        self._thread.shutdown()
        self._engine.dispose()
