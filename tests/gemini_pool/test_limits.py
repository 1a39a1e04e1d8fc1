"""Limits per minute over HTTP: run into at most once where they are learned, never where they are declared."""

from __future__ import annotations

import asyncio
import dataclasses

from tests.gemini_pool.conftest import QUICK, Running, Start
from utils.gemini_pool import GeminiAPIPool, QuotaExhaustedError


def refused(running: Running) -> int:
    """How many requests the service refused for quota."""
    return sum(entry["status"] == 429 for entry in running.asked())


async def ask(pool: GeminiAPIPool, count: int) -> tuple[int, list[object]]:
    """Ask so many questions at once; answers how many were served, and the errors."""
    answers = await asyncio.gather(*(pool.generate_content(prompt="Hello", deadline_s=2.0) for _ in range(count)))
    return sum(success for _, success in answers), [error for error, success in answers if not success]


async def test_a_declared_limit_is_never_run_into(start: Start) -> None:
    """What does not fit is told at once when to come back, and the service refuses nothing."""
    running = await start(2)
    for project in ("p1", "p2"):
        running.emulator.set_quota(project, rpm=3)
    pool = running.pool(config=dataclasses.replace(QUICK, requests_per_minute=3))
    served, errors = await ask(pool, 10)
    assert served == 6
    assert refused(running) == 0
    assert len(running.asked()) == 6
    for error in errors:
        assert isinstance(error, QuotaExhaustedError)
        assert error.retry_after is not None
        assert 50 < error.retry_after <= 61


async def test_an_undeclared_limit_is_run_into_once_for_each_project(start: Start) -> None:
    """One refusal teaches the limit; nothing more is sent into a minute that is known to be full."""
    running = await start(2)
    for project in ("p1", "p2"):
        running.emulator.set_quota(project, rpm=3)
    pool = running.pool()
    served = 0
    for _ in range(9):
        served += (await ask(pool, 1))[0]
    assert served == 6
    assert refused(running) == 2
    assert await ask(pool, 5) != (5, [])
    assert refused(running) == 2
    # the limit itself is known, and not only that the projects are closed for a while
    limits = [document["limits"] for name, document in pool._policy.snapshot().items() if name.startswith("quota:")]
    assert [limit["requests_per_minute"]["value"] for limit in limits if isinstance(limit, dict)] == [3, 3]
