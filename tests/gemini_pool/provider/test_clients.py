"""Clients: cheap, without surprises from the environment, and never a hold-up of the loop."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.gemini_pool.conftest import QUICK, Running, Start
from utils.gemini_pool import GeminiAPIPool, PoolConfig


async def test_the_environments_surprises_do_not_reach_the_clients(running: Running, monkeypatch: pytest.MonkeyPatch):
    """Variables that redirect, proxy or turn a plain client into another one change nothing."""
    monkeypatch.setenv("GOOGLE_API_KEY", "another")
    monkeypatch.setenv("GEMINI_API_KEY", "another")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_GENAI_USE_ENTERPRISE", "true")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    response, success = await running.pool().generate_content(prompt="Hello #q-1")
    assert success, response


@pytest.mark.parametrize(("version", "path"), [(None, "/v1/"), ("v1beta", "/v1beta/"), ("beta", "/v1beta/")])
async def test_the_version_is_part_of_the_path(running: Running, version: str | None, path: str):
    """As the SDK names it."""
    assert (await running.pool(api_version=version).generate_content(prompt="Hello"))[1]
    assert running.asked()[0]["path"].startswith(path)


async def test_an_address_with_a_path_is_kept(running: Running):
    """A prefix and a slash at the end do no harm."""
    pool = GeminiAPIPool(api_keys=running.specs[:1], base_url=running.address + "/", config=QUICK)
    assert (await pool.generate_content(prompt="Hello"))[1]
    await pool.aclose()


async def test_connections_are_shared_by_all_keys(start: Start):
    """One session per loop: 40 questions one after another over 8 keys need no 40 connections."""
    running = await start(8)
    pool = running.pool()
    for number in range(40):
        assert (await pool.generate_content(prompt=f"#q-{number}"))[1]
    assert len(pool._provider._clients._loops) == 1
    mine = next(iter(pool._provider._clients._loops.values()))
    assert len(mine.clients) == 8
    connections = mine.session.connector
    assert connections is not None
    assert sum(len(kept) for kept in connections._conns.values()) <= 2


async def test_a_closed_loops_session_is_closed(running: Running):
    """``aclose`` leaves no connection of this loop open."""
    pool = running.pool()
    await pool.generate_content(prompt="Hello")
    session = next(iter(pool._provider._clients._loops.values())).session
    await pool.aclose()
    assert session.closed


async def test_the_first_question_does_not_hold_up_the_loop(running: Running):
    """What the SDK loads and builds when first used is done in a thread (the loop's own CPU time is measured)."""
    pool = running.pool(config=PoolConfig())
    longest = 0.0
    done = asyncio.Event()

    async def watch() -> None:
        nonlocal longest
        last = time.thread_time()
        while not done.is_set():
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, last = max(longest, now - last), now

    watching = asyncio.create_task(watch())
    assert (await pool.generate_content(prompt="Hello", temperature=0.5))[1]
    done.set()
    await watching
    assert longest < 0.1
