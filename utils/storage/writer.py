"""The one writer of an SQLite file: queued jobs, gathered into one commit.

A commit costs a sync of the disk, so ``GroupWriter`` runs whatever is waiting (up to ``max_jobs`` jobs or ``gather_s``
seconds of work) in one transaction and acknowledges each job after the commit. A job that comes alone is committed
alone and at once: nobody waits for company. What always holds: jobs run one after another in the order they came; a
failing job is rolled back to its savepoint and does not touch its neighbours; when the transaction itself is lost (a
full disk, a foreign lock), every job of it fails and nothing of it is stored. The engine, the file and the foreign
errors' names are the caller's and the border's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from utils.storage.backend import Job
from utils.storage.border import translate
from utils.storage.errors import StorageClosedError
from utils.storage.inflight import outlasting

T = TypeVar("T")


@dataclass(slots=True)
class _Queued:
    """A job and what came of it; ``bare`` jobs run outside a transaction."""

    run: Job[Any]
    done: asyncio.Future[Any]
    bare: bool = False
    result: object = None
    error: Exception | None = None


@dataclass(slots=True)
class _Batch:
    """What one transaction holds."""

    taken: list[_Queued]
    begun: bool = False

    def acknowledge(self) -> None:
        """Tell every job's caller how it ended; the transaction is committed."""
        for job in self.taken:
            if job.error is None:
                _resolve(job.done, job.result)
            else:
                _refuse(job.done, job.error)

    def lose(self, error: Exception) -> None:
        """Tell every job's caller that nothing was stored."""
        for job in self.taken:
            _refuse(job.done, job.error or error)


class _TransactionLostError(Exception):
    """The database rolled the whole transaction back while a job ran; the cause says why."""


class GroupWriter:
    """Runs write jobs on one engine, which must have exactly one connection."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        clock: Callable[[], float],
        max_jobs: int = 100,
        gather_s: float = 0.02,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._max_jobs = max_jobs
        self._gather_s = gather_s
        self._queue: asyncio.Queue[_Queued | None] = asyncio.Queue()
        self._next: _Queued | None = None
        self._closed = False
        self._task = asyncio.create_task(self._work(), name="storage-writer")

    async def submit(self, job: Job[T]) -> T:
        """Run ``job`` in a transaction and give its result after the commit.

        :raises StorageClosedError: the writer takes no more.
        :raises StorageError: nothing of the job was stored.
        """
        return await self._enqueue(job, bare=False)

    async def submit_bare(self, job: Job[T]) -> T:
        """Run ``job`` in its turn but outside a transaction (for what SQLite allows only there).

        :raises StorageClosedError: the writer takes no more.
        """
        return await self._enqueue(job, bare=True)

    async def aclose(self) -> None:
        """Take no more jobs and run those that wait; a second call waits for the same end."""
        if not self._closed:
            self._closed = True
            self._queue.put_nowait(None)
        await asyncio.wait([self._task])

    async def _enqueue(self, job: Job[T], *, bare: bool) -> T:
        if self._closed:
            raise StorageClosedError
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Queued(job, done, bare))
        return await outlasting(done)

    async def _work(self) -> None:
        try:
            while (first := self._next or await self._queue.get()) is not None:
                self._next = None
                await (self._run_bare(first) if first.bare else self._run_batch(first))
        finally:
            # a writer that was cancelled with its loop must not leave callers waiting for ever
            self._closed = True
            left = [self._next]
            while not self._queue.empty():
                left.append(self._queue.get_nowait())
            for job in left:
                if job is not None:
                    _refuse(job.done, StorageClosedError())

    async def _run_bare(self, job: _Queued) -> None:
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(outside_transaction=True)
                _resolve(job.done, await job.run(connection))
        except Exception as error:  # noqa: BLE001 - handed to the job's caller
            _refuse(job.done, _named(error))

    async def _run_batch(self, first: _Queued) -> None:
        batch = _Batch([first])
        try:
            async with self._engine.begin() as connection:
                batch.begun = True
                await self._fill(batch, first, connection)
        except _TransactionLostError as lost:
            batch.lose(_named(lost.__cause__ if isinstance(lost.__cause__, Exception) else lost))
        except Exception as error:  # noqa: BLE001 - handed to every caller of the batch
            if not batch.begun:
                # those behind would each wait out the same foreign lock, one after another
                batch.taken.extend(iter(self._take, None))
            batch.lose(_named(error))
        except BaseException:
            batch.lose(StorageClosedError())
            raise
        else:
            batch.acknowledge()

    async def _fill(self, batch: _Batch, first: _Queued, connection: AsyncConnection) -> None:
        if self._queue.empty():
            first.result = await first.run(connection)
            return
        until = self._clock() + self._gather_s
        job: _Queued | None = first
        while job is not None:
            await _run_saved(job, connection)
            full = len(batch.taken) >= self._max_jobs or self._clock() >= until
            job = None if full else self._take()
            if job is not None:
                batch.taken.append(job)

    def _take(self) -> _Queued | None:
        """Give the next job for this transaction; what cannot join it stays for the next round."""
        if self._queue.empty():
            return None
        job = self._queue.get_nowait()
        if job is None:
            self._queue.put_nowait(None)
            return None
        if job.bare:
            self._next = job
            return None
        return job


async def _run_saved(job: _Queued, connection: AsyncConnection) -> None:
    savepoint = await connection.begin_nested()
    try:
        job.result = await job.run(connection)
        await savepoint.commit()
    except Exception as error:  # noqa: BLE001 - handed to the job's caller after the commit
        job.error = _named(error)
        try:
            await savepoint.rollback()
        except SQLAlchemyError:
            raise _TransactionLostError from error


def _named(error: Exception) -> Exception:
    return translate(error) or error


def _resolve(done: asyncio.Future[Any], result: object) -> None:
    if not done.done():
        done.set_result(result)


def _refuse(done: asyncio.Future[Any], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
