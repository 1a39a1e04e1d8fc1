"""Resets: what they empty, what they keep, and that keys are read again."""

from __future__ import annotations

import asyncio

import pytest

from tests.gemini_pool.conftest import MODEL, OTHER_MODEL, QUICK, Running, until
from utils.gemini_pool import AllKeysDeadError, Configuration, GeminiAPIPool, NoKeysError, read


def configured(running: Running, specs: list[str]) -> GeminiAPIPool:
    """Make a pool whose keys are those in ``specs`` whenever it looks."""

    def look() -> Configuration:
        found = read({"GEMINI_API_KEYS": ",".join(specs), "GOOGLE_GEMINI_BASE_URL": running.address})
        return Configuration(found.keys, found.base_url, pool=QUICK)

    pool = GeminiAPIPool.from_configuration(look)
    running.stack.push_async_callback(pool.aclose)
    return pool


async def test_reset_stats_empties_counts_and_nothing_else(running: Running):
    """After ``reset_api_stats`` every figure is 0, while cooldowns and dead marks stay as they were."""
    running.emulator.set_faults([{"keys": ["k1"], "kind": "leaked"}, {"keys": ["k2"], "kind": "429", "factor": 300}])
    pool = running.pool()
    for number in range(6):
        await pool.generate_content(prompt=f"#q-{number}")
    before = {name: entry["state"] for name, entry in pool.get_api_key_stats()["key_usage"].items()}
    assert before == {"Key #1": "dead", "Key #2": "cooling", "Key #3": "live", "Key #4": "live"}
    pool.reset_api_stats()
    figures = pool.get_api_key_stats()
    assert (figures["total_requests"], figures["failed_requests"], figures["kinds"]) == (0, 0, {})
    assert {name: entry["state"] for name, entry in figures["key_usage"].items()} == before
    assert pool.get_model_stats()[MODEL]["total_usage"] == 0
    sent = len(running.asked())
    await pool.generate_content(prompt="Hello")
    assert running.asked()[-1]["key"] in {"k3", "k4"}
    assert pool.get_api_key_stats()["total_requests"] == len(running.asked()) - sent == 1


async def test_reset_stats_during_a_call_never_makes_a_figure_negative(running: Running):
    """Calls that began before the reset and end after it leave sums that still add up."""
    running.break_all("hang")
    pool = running.pool()
    asking = asyncio.create_task(pool.generate_content(prompt="Hello", deadline_s=1.0))
    await until(running.asked)
    pool.reset_api_stats()
    assert not (await asking)[1]
    figures = pool.get_api_key_stats()
    assert all(entry["usage"] >= 0 and 0 <= entry["error_rate"] <= 1 for entry in figures["key_usage"].values())
    assert pool.get_model_stats()[MODEL]["total_usage"] == figures["total_requests"]


async def test_reset_pool_gives_dead_keys_another_try(running: Running):
    """A key marked dead is tried again after ``reset_api_pool``; counts stay."""
    running.break_all("invalid")
    pool = running.pool(2)
    assert isinstance((await pool.generate_content(prompt="Hello"))[0], AllKeysDeadError)
    running.heal()
    assert isinstance((await pool.generate_content(prompt="Hello"))[0], AllKeysDeadError)
    assert len(running.asked()) == 2
    pool.reset_api_pool()
    assert {entry["state"] for entry in pool.get_api_key_stats()["key_usage"].values()} == {"live"}
    assert pool.get_api_key_stats()["total_requests"] == 2
    assert (await pool.generate_content(prompt="Hello"))[1]


async def test_reset_pool_of_one_model_leaves_the_others(running: Running):
    """With a model's name only that model starts anew."""
    pool = running.pool(2)
    running.break_all("429", factor=300)
    await pool.generate_content(prompt="Hello", model_name=MODEL)
    await pool.generate_content(prompt="Hello", model_name=OTHER_MODEL)
    running.heal()
    pool.reset_api_pool(model_name=f"models/{MODEL}")
    assert (await pool.generate_content(prompt="Hello", model_name=MODEL))[1]
    assert not (await pool.generate_content(prompt="Hello", model_name=OTHER_MODEL))[1]


async def test_reset_pool_takes_in_the_keys_as_configured_now(running: Running):
    """Keys added, taken away or moved are followed; the figures of a key stay with it."""
    specs = running.specs[:1]
    pool = configured(running, specs)
    await pool.generate_content(prompt="Hello")
    specs[:] = running.specs[1:4]
    pool.reset_api_pool()
    assert pool.get_api_key_stats()["total_keys"] == 3
    assert [entry["name"] for entry in pool.get_api_key_stats()["key_usage"].values()] == ["k2", "k3", "k4"]
    for number in range(3):
        assert (await pool.generate_content(prompt=f"#q-{number}"))[1]
    assert running.asked_by_key() == {"k1": 1, "k2": 1, "k3": 1, "k4": 1}
    specs[:] = [running.specs[3], running.specs[0]]
    pool.reset_api_pool()
    usage = {entry["name"]: entry["usage"] for entry in pool.get_api_key_stats()["key_usage"].values()}
    assert usage == {"k4": 1, "k1": 1}


@pytest.mark.parametrize("left", [0, 1])
async def test_keys_taken_away_during_a_call_do_not_break_it(running: Running, left: int):
    """A call under way ends as it will, also when its key is no longer configured."""
    specs = list(running.specs)
    pool = configured(running, specs)
    running.break_all("slow", factor=4)
    asking = [asyncio.create_task(pool.generate_content(prompt=f"#q-{n}")) for n in range(4)]
    await until(lambda: len(running.asked()) == 4)
    specs[:] = specs[:left]
    pool.reset_api_pool()
    assert all(success for _, success in await asyncio.gather(*asking))
    assert pool.get_api_key_stats()["total_keys"] == left


async def test_who_waits_is_told_when_the_last_key_is_taken_away(running: Running):
    """A question in the line ends with an error of the pool's tree, at once."""
    specs = list(running.specs)
    pool = configured(running, specs)
    running.break_all("429", factor=20)
    asking = asyncio.create_task(pool.generate_content(prompt="Hello", deadline_s=60.0))
    await until(lambda: len(running.asked()) == 4)
    specs.clear()
    pool.reset_api_pool()
    async with asyncio.timeout(5):
        error, success = await asking
    assert not success
    assert isinstance(error, AllKeysDeadError)
    assert isinstance((await pool.generate_content(prompt="Hello"))[0], NoKeysError)
