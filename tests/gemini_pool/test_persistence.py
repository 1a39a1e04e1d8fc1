"""Figures and states over restarts: with the real storage, and with a store that fails."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.gemini_pool.conftest import MODEL, OTHER_MODEL, Running, until
from utils.gemini_pool import AllKeysDeadError
from utils.gemini_pool.policy.records import StatisticsRow
from utils.storage import open_storage


class FailingStore:
    """A store in memory that can be told to fail or to be slow."""

    def __init__(self) -> None:
        self.rows: list[StatisticsRow] = []
        self.cleared = 0
        self.states: Mapping[str, Mapping[str, Any]] = {}
        self.failing = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = False

    async def record(self, rows: Sequence[StatisticsRow]) -> None:
        """Keep rows, or fail."""
        self.busy = True
        await self.gate.wait()
        if self.failing:
            raise OSError("disk full")
        self.rows.extend(rows)
        self.busy = False

    async def load_totals(self) -> Sequence[StatisticsRow]:
        """Give all rows since the last clear."""
        return self.rows[self.cleared :]

    async def clear_totals(self) -> None:
        """Forget the rows before."""
        if self.failing:
            raise OSError("disk full")
        self.cleared = len(self.rows)

    async def save_states(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep documents, or fail."""
        if self.failing:
            raise OSError("disk full")
        self.states = documents

    async def load_states(self) -> Mapping[str, Mapping[str, Any]]:
        """Give the documents."""
        return self.states

    def requests(self) -> int:
        """How many requests all rows tell of."""
        return sum(row.requests for row in self.rows)


def lasting(entry: dict[str, Any]) -> dict[str, Any]:
    """Give what a key's figures tell besides what moves with time."""
    return {name: value for name, value in entry.items() if name not in {"retry_after", "avg_time"}}


async def test_totals_and_states_survive_a_restart(running: Running, tmp_path: Path):
    """With the real storage: figures, dead keys and cooldowns are after the restart what they were before."""
    running.emulator.set_faults(
        [{"keys": ["k1"], "kind": "leaked"}, {"keys": ["k2"], "kind": "429day"}, {"keys": ["k3"], "kind": "500"}]
    )
    url = f"sqlite:///{tmp_path / 'pool.db'}"
    async with open_storage(url) as storage, running.pool(store=storage.statistics) as pool:
        for number in range(14):
            assert (await pool.generate_content(prompt=f"#q-{number}"))[1]
        assert (await pool.generate_content(prompt="Hello", model_name=OTHER_MODEL))[1]
        before, models = pool.get_api_key_stats(), pool.get_model_stats()
    states = [entry["state"] for entry in before["key_usage"].values()]
    assert states == ["dead", "cooling", "ejected", "live"]
    async with open_storage(url) as storage, running.pool(store=storage.statistics) as pool:
        after = pool.get_api_key_stats()
        assert after["total_requests"] == before["total_requests"] == len(running.asked())
        for label, entry in before["key_usage"].items():
            again = after["key_usage"][label]
            assert again["avg_time"] == pytest.approx(entry["avg_time"])
            assert lasting(again) == lasting(entry)
        assert {model: figures["total_usage"] for model, figures in pool.get_model_stats().items()} == {
            model: figures["total_usage"] for model, figures in models.items()
        }
        sent = len(running.asked())
        assert (await pool.generate_content(prompt="Hello"))[1]
        assert {entry["key"] for entry in running.asked()[sent:]} == {"k4"}


async def test_all_dead_is_still_all_dead_after_a_restart(running: Running, tmp_path: Path):
    """A restart spends nothing on keys that were refused for good; a reset does."""
    running.break_all("invalid")
    url = f"sqlite:///{tmp_path / 'pool.db'}"
    async with open_storage(url) as storage, running.pool(store=storage.statistics) as pool:
        await pool.generate_content(prompt="Hello")
    running.heal()
    async with open_storage(url) as storage, running.pool(store=storage.statistics) as pool:
        assert isinstance((await pool.generate_content(prompt="Hello"))[0], AllKeysDeadError)
        assert len(running.asked()) == 4
        pool.reset_api_pool()
        assert (await pool.generate_content(prompt="Hello"))[1]
    async with open_storage(url) as storage, running.pool(store=storage.statistics) as pool:
        assert {entry["state"] for entry in pool.get_api_key_stats()["key_usage"].values()} == {"live"}


async def test_reset_stats_is_kept_and_the_minutes_stay(running: Running, tmp_path: Path):
    """After a restart the totals count from the reset; the history by minute is whole."""
    url = f"sqlite:///{tmp_path / 'pool.db'}"
    async with open_storage(url) as storage, running.pool(store=storage.statistics) as pool:
        for _ in range(3):
            await pool.generate_content(prompt="Hello")
        pool.reset_api_stats()
        await pool.generate_content(prompt="Hello")
    async with open_storage(url) as storage, running.pool(store=storage.statistics) as pool:
        assert pool.get_api_key_stats()["total_requests"] == 1
        history = await storage.statistics.minutes(since=0, until=2**40)
        assert sum(row.requests for row in history) == 4


async def test_rows_tell_everything_once(running: Running):
    """What the store is given adds up to the figures, by key and kind."""
    running.break_key("k1", kind="500")
    store = FailingStore()
    async with running.pool(store=store) as pool:
        for number in range(8):
            assert (await pool.generate_content(prompt=f"#q-{number}"))[1]
        figures = pool.get_api_key_stats()
    assert store.requests() == figures["total_requests"] == len(running.asked())
    assert sum(row.errors for row in store.rows) == figures["failed_requests"]
    kinds: Counter[str] = Counter()
    for row in store.rows:
        kinds.update(row.kinds)
        assert row.minute % 60 == 0
        assert row.model == MODEL
    assert dict(kinds) == figures["kinds"]


async def test_a_store_that_fails_loses_no_figures(running: Running, caplog: pytest.LogCaptureFixture):
    """Questions are answered meanwhile, the failure is logged, and everything is stored when it works again."""
    store = FailingStore()
    store.failing = True
    async with running.pool(store=store) as pool:
        for _ in range(3):
            assert (await pool.generate_content(prompt="Hello"))[1]
            await pool._keeper.store_now()
        pool.reset_api_stats()
        assert (await pool.generate_content(prompt="Hello"))[1]
        await pool._keeper.store_now()
        assert store.rows == []
        assert "could not be stored" in caplog.text
        store.failing = False
    assert store.requests() == 4
    assert sum(row.requests for row in await store.load_totals()) == 1


async def test_closing_waits_for_rows_on_their_way(running: Running):
    """A store in the middle of its work when the pool closes has each row once."""
    store = FailingStore()
    pool = running.pool(store=store)
    await pool.start()
    await pool.start()
    assert (await pool.generate_content(prompt="Hello"))[1]
    store.gate.clear()
    await until(lambda: store.busy)
    closing = asyncio.create_task(pool.aclose())
    await asyncio.sleep(0)
    store.gate.set()
    await closing
    assert store.requests() == 1


async def test_without_a_store_figures_do_not_pile_up(running: Running):
    """A pool that nobody stores for remembers one row for each key and model, however much was asked."""
    pool = running.pool()
    for _ in range(12):
        await pool.generate_content(prompt="Hello")
    assert len(pool._policy.ledger.drain()) <= len(pool._policy.keys)
    assert pool._policy.ledger.drain() == []
    assert pool.get_api_key_stats()["total_requests"] == 12


async def test_rotation_is_logged_by_label(running: Running, caplog: pytest.LogCaptureFixture):
    """Every five minutes one line per key, and no secret in it."""
    caplog.set_level(logging.INFO)
    now = [1000.0]
    pool = running.pool(clock=lambda: now[0])
    await pool.generate_content(prompt="Hello")
    now[0] += 300.0
    await pool.generate_content(prompt="Hello")
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("rotation:")]
    assert len(lines) == 4
    assert all(f"Key #{number}" in line for number, line in enumerate(lines, 1))
