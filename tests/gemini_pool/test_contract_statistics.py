"""The figures: their shapes, their sums, and that they equal what the service received."""

from __future__ import annotations

import asyncio

import pytest

from tests.gemini_pool.conftest import MODEL, QUICK, Running, Start, until
from utils.gemini_pool import GeminiAPIPool

POOL_FIELDS = {
    "pool_size",
    "active_instances",
    "error_instances",
    "total_usage",
    "usage_distribution",
    "key_distribution",
}


def assert_figures_add_up(pool: GeminiAPIPool, running: Running) -> None:
    """Hold every sum of the figures against each other and against the emulator's diary."""
    keys = pool.get_api_key_stats()
    entries = keys["key_usage"]
    assert keys["total_requests"] == sum(entry["usage"] for entry in entries.values()) == len(running.asked())
    assert keys["failed_requests"] == sum(entry["errors"] for entry in entries.values())
    by_name = {entry["name"]: entry for entry in entries.values()}
    asked, errors = running.asked_by_key(), running.errors_by_key()
    assert {name: entry["usage"] for name, entry in by_name.items()} == {name: asked[name] for name in by_name}
    assert {name: entry["errors"] for name, entry in by_name.items()} == {name: errors[name] for name in by_name}
    models = pool.get_model_stats()
    assert sum(figures["total_usage"] for figures in models.values()) == keys["total_requests"]
    for figures in models.values():
        assert set(figures) == POOL_FIELDS
        assert figures["active_instances"] + figures["error_instances"] == figures["pool_size"]
        assert len(figures["usage_distribution"]) == figures["pool_size"]
        assert sum(figures["usage_distribution"]) == figures["total_usage"]
        assert sum(figures["key_distribution"].values()) == figures["pool_size"]
        assert set(figures["key_distribution"]) <= set(entries)


async def test_an_unused_pool_has_figures_too(running: Running):
    """Before the first question: every key at 0 and live, no model known; a pool without keys has none."""
    figures = running.pool().get_api_key_stats()
    assert (figures["total_keys"], figures["total_requests"], figures["failed_requests"]) == (4, 0, 0)
    assert list(figures["key_usage"]) == ["Key #1", "Key #2", "Key #3", "Key #4"]
    entry = figures["key_usage"]["Key #2"]
    assert {name: entry[name] for name in ("usage", "errors", "avg_time", "error_rate")} == {
        "usage": 0,
        "errors": 0,
        "avg_time": 0,
        "error_rate": 0,
    }
    assert (entry["state"], entry["project"], entry["retry_after"], entry["kinds"]) == ("live", "p2", None, {})
    assert running.pool().get_model_stats() == {}
    empty = GeminiAPIPool()
    assert empty.get_api_key_stats()["total_keys"] == 0
    assert empty.get_api_key_stats()["key_usage"] == {}
    assert empty.get_model_stats() == {}


@pytest.mark.parametrize(
    ("keys", "pool_size", "expected"),
    [
        (1, None, {"Key #1": 5}),
        (2, None, {"Key #1": 3, "Key #2": 2}),
        (4, 2, {"Key #1": 1, "Key #2": 1}),
        (4, 8, {"Key #1": 2, "Key #2": 2, "Key #3": 2, "Key #4": 2}),
        (7, None, {f"Key #{n}": 1 for n in range(1, 8)}),
    ],
)
async def test_instances_are_mapped_round_robin(
    start: Start, keys: int, pool_size: int | None, expected: dict[str, int]
):
    """N instances (default: as many as keys, at least 5) go round the keys."""
    running = await start(keys)
    pool = running.pool(pool_size=pool_size)
    await pool.create_chat()
    assert pool.get_model_stats()[MODEL]["key_distribution"] == expected


async def test_figures_equal_the_diary_under_mixed_faults(start: Start):
    """Whatever happens to the requests, usage and errors are what the service counted, key by key."""
    running = await start(8)
    pool = running.pool(config=QUICK)
    kinds = ["invalid", "leaked", "503", "reset", "429", "truncate", "500"]
    running.emulator.set_faults(
        [{"keys": [f"k{n}"], "kind": kind, "probability": 0.7, "factor": 0.2} for n, kind in enumerate(kinds, 1)]
    )
    for _ in range(5):
        results = await asyncio.gather(*(pool.generate_content(prompt=f"#q-{n}") for n in range(12)))
        assert all(success for _, success in results), results
        assert_figures_add_up(pool, running)
    async for _ in pool.stream_content(prompt="900 words"):
        pass
    assert_figures_add_up(pool, running)
    entries = pool.get_api_key_stats()["key_usage"].values()
    assert any(entry["errors"] for entry in entries)
    for entry in entries:
        assert sum(entry["kinds"].values()) == entry["usage"]
        assert entry["error_rate"] == (entry["errors"] / entry["usage"] if entry["usage"] else 0)


@pytest.mark.parametrize("kind", ["500", "503", "504", "html502", "reset", "malformed", "empty", "truncate", "hang"])
async def test_faults_quota_and_death_count_as_errors(start: Start, kind: str):
    """A request that ends badly through no fault of the caller is an error of its key."""
    running = await start(1)
    running.break_all(kind)
    pool = running.pool()
    _, success = await pool.generate_content(prompt="Hello", max_retries=0, deadline_s=2.0)
    assert not success
    figures = pool.get_api_key_stats()
    assert (figures["total_requests"], figures["failed_requests"]) == (1, 1)
    assert_figures_add_up(pool, running)


@pytest.mark.parametrize("kind", ["400", "404", "safety", "promptblock"])
async def test_the_callers_own_faults_count_as_usage_only(running: Running, kind: str):
    """What the caller is refused for was sent, but is no error of the key."""
    running.break_all(kind)
    pool = running.pool()
    assert not (await pool.generate_content(prompt="Hello"))[1]
    figures = pool.get_api_key_stats()
    assert (figures["total_requests"], figures["failed_requests"], figures["kinds"]) == (1, 0, {"caller": 1})
    assert_figures_add_up(pool, running)


async def test_a_cancelled_request_counts_as_usage_only(running: Running):
    """Giving up is no error of the key, and nothing stays in flight."""
    running.break_all("hang")
    pool = running.pool()
    asking = asyncio.create_task(pool.generate_content(prompt="Hello"))
    await until(running.asked)
    assert sum(entry["in_flight"] for entry in pool.get_api_key_stats()["key_usage"].values()) == 1
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    figures = pool.get_api_key_stats()
    assert (figures["total_requests"], figures["failed_requests"], figures["kinds"]) == (1, 0, {"cancelled": 1})
    assert not any(entry["in_flight"] for entry in figures["key_usage"].values())


async def test_requests_the_sdk_adds_by_itself_are_counted(running: Running):
    """A continued answer is several HTTP requests, and is counted as those."""
    running.emulator.set_faults([{"kind": "continuation", "probability": 0.5}])
    pool = running.pool()
    for number in range(6):
        assert (await pool.generate_content(prompt=f"#q-{number}"))[1]
    assert len(running.asked()) > 6
    assert_figures_add_up(pool, running)


async def test_avg_time_is_the_mean_of_answered_requests(start: Start):
    """``avg_time`` is seconds per answer; failures do not water it down."""
    running = await start(1, latency_s=0.1)
    pool = running.pool()
    for _ in range(3):
        assert (await pool.generate_content(prompt="Hello"))[1]
    running.break_all("500")
    await pool.generate_content(prompt="Hello", max_retries=0)
    entry = pool.get_api_key_stats()["key_usage"]["Key #1"]
    assert 0.1 <= entry["avg_time"] < 0.4
    assert entry["error_rate"] == 0.25


async def test_tokens_are_summed(running: Running):
    """Tokens of questions and answers are what the service reported."""
    pool = running.pool()
    response, _ = await pool.generate_content(prompt="Hello there")
    usage = response.usage_metadata  # type: ignore[union-attr]  # it was answered
    assert usage is not None
    figures = pool.get_api_key_stats()
    assert figures["input_tokens"] == usage.prompt_token_count
    assert figures["output_tokens"] == (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)


async def test_states_are_told_by_word(start: Start):
    """live, cooling, ejected and dead, each with the time until it ends where that is known."""
    running = await start(6)
    pool = running.pool()
    running.emulator.set_faults(
        [
            {"keys": ["k1"], "kind": "invalid"},
            {"keys": ["k2"], "kind": "429", "factor": 40},
            {"keys": ["k3"], "kind": "500"},
            {"keys": ["k4"], "kind": "429day"},
        ]
    )
    for number in range(24):
        assert (await pool.generate_content(prompt=f"#q-{number}"))[1]
    entries = pool.get_api_key_stats()["key_usage"]
    states = {entry["name"]: entry["state"] for entry in entries.values()}
    assert states == {"k1": "dead", "k2": "cooling", "k3": "ejected", "k4": "cooling", "k5": "live", "k6": "live"}
    waits = {entry["name"]: entry["retry_after"] for entry in entries.values()}
    assert waits["k1"] is None
    assert waits["k5"] is None
    assert 35 < waits["k2"] <= 40
    assert 20 < waits["k3"] <= 30
    assert 0 < waits["k4"] <= 25 * 3600
    assert entries["Key #1"]["reason"]
    figures = pool.get_model_stats()[MODEL]
    # cooling is the project's, not the instance's: only dead and ejected keys have error instances
    assert figures["error_instances"] == sum(
        figures["key_distribution"].get(label, 0) for label in ("Key #1", "Key #3")
    )
    assert_figures_add_up(pool, running)
