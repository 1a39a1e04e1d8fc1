"""Clients: cheap, without surprises from the environment, and never a hold-up of the loop."""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from tests.gemini_pool.conftest import QUICK, Running, Start
from utils.gemini_pool import GeminiAPIPool, PoolConfig
from utils.gemini_pool.provider.clients import Clients


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
    """One session and one client per loop: 40 questions one after another over 8 keys need no 40 connections."""
    running = await start(8)
    pool = running.pool()
    for number in range(40):
        assert (await pool.generate_content(prompt=f"#q-{number}"))[1]
    assert len(pool._provider._clients._loops) == 1
    mine = next(iter(pool._provider._clients._loops.values()))
    connections = mine.session.connector
    assert connections is not None
    assert sum(len(kept) for kept in connections._conns.values()) <= 2


async def test_every_request_has_the_key_of_its_own_attempt(start: Start):
    """Whole and streamed, all at once: what the emulator saw is what the pool says it chose."""
    running = await start(8)
    pool = running.pool()

    async def stream(number: int) -> None:
        async for _ in pool.stream_content(prompt=f"#q-{number}", request_id=f"q-{number}"):
            await asyncio.sleep(0)

    whole = [pool.generate_content(prompt=f"#q-{number}", request_id=f"q-{number}") for number in range(40)]
    await asyncio.gather(*whole, *map(stream, range(40, 80)), pool.list_models())
    chosen = {record.id: record.attempts[-1].key.removeprefix("Key #") for record in pool.records()}
    seen = {
        found.group(1): entry["key"].removeprefix("k")
        for entry in running.asked()
        if (found := re.search(r"#(q-\d+)", str(entry["body"])))
    }
    assert chosen == seen
    assert len(set(chosen.values())) == 8
    assert {entry["outcome"] for entry in running.emulator.diary()} == {"ok"}


async def test_nothing_is_sent_outside_of_an_attempt(running: Running):
    """The client knows no key of its own that could be used by mistake."""
    clients = Clients(base_url=running.address, api_version=None, proxy=None)
    client = await clients.client()
    with pytest.raises(RuntimeError, match="has no key"):
        await client.aio.models.generate_content(model="m", contents="Hello")
    assert running.emulator.diary() == []
    await clients.aclose()


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
