"""Counts of keys add up over minutes, totals and restarts; states come back as saved; on both databases."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from utils.storage import KeyMinute, Storage

_ROW = KeyMinute(
    fingerprint="aa",
    model="m",
    minute=1_790_000_040,
    requests=3,
    errors=1,
    seconds=4.5,
    timed=2,
    input_tokens=10,
    output_tokens=20,
    kinds={"quota": 1},
)


async def test_minutes_and_totals_add_up(storage: Storage):
    later = replace(_ROW, minute=_ROW.minute + 60, errors=2, kinds={"quota": 1, "fault": 1})
    await storage.statistics.record([_ROW])
    await storage.statistics.record([later, _ROW])
    (total,) = await storage.statistics.load_totals()
    assert (total.requests, total.errors, total.seconds, total.timed) == (9, 4, 13.5, 6)
    assert (total.input_tokens, total.output_tokens, total.kinds) == (30, 60, {"quota": 3, "fault": 1})
    doubled = replace(
        _ROW, requests=6, errors=2, seconds=9.0, timed=4, input_tokens=20, output_tokens=40, kinds={"quota": 2}
    )
    assert await storage.statistics.minutes(since=_ROW.minute, until=_ROW.minute + 61) == [doubled, later]
    assert await storage.statistics.minutes(since=_ROW.minute + 1, until=_ROW.minute + 60) == []


async def test_rows_of_one_key_and_minute_may_come_twice_in_one_call(storage: Storage):
    await storage.statistics.record([_ROW, _ROW])
    (total,) = await storage.statistics.load_totals()
    assert (total.requests, total.kinds) == (6, {"quota": 2})


async def test_keys_and_models_are_counted_apart(storage: Storage):
    rows = [_ROW, replace(_ROW, model="n", kinds={}), replace(_ROW, fingerprint="bb", kinds={"fault": 7})]
    await storage.statistics.record(rows)
    totals = await storage.statistics.load_totals()
    assert [(row.fingerprint, row.model, row.kinds) for row in totals] == [
        ("aa", "m", {"quota": 1}),
        ("aa", "n", {}),
        ("bb", "m", {"fault": 7}),
    ]


async def test_recording_nothing_is_allowed(storage: Storage):
    await storage.statistics.record([])
    assert await storage.statistics.load_totals() == []


async def test_clearing_begins_the_totals_anew_and_keeps_the_minutes(storage: Storage):
    await storage.statistics.record([_ROW])
    await storage.statistics.clear_totals()
    assert await storage.statistics.load_totals() == []
    assert await storage.statistics.minutes(since=0, until=2**40) == [_ROW]
    await storage.statistics.record([_ROW])
    (total,) = await storage.statistics.load_totals()
    assert (total.requests, total.kinds) == (3, {"quota": 1})


async def test_counts_recorded_at_once_in_any_order_are_all_added(storage: Storage):
    rows = [replace(_ROW, fingerprint=f"{number:02}") for number in range(12)]
    await asyncio.gather(
        *[storage.statistics.record(rows if number % 2 else list(reversed(rows))) for number in range(30)]
    )
    totals = await storage.statistics.load_totals()
    assert Counter({row.fingerprint: row.requests for row in totals}) == {row.fingerprint: 90 for row in rows}
    assert all(row.kinds == {"quota": 30} for row in totals)


async def test_saved_states_replace_all_earlier_ones_and_survive_a_restart(
    open_it: Callable[[], AbstractAsyncContextManager[Storage]],
):
    async with open_it() as storage:
        await storage.statistics.save_states({"key:aa": {"until": 5.5}, "key:bb": {"dead": True}})
        await storage.statistics.save_states({"key:aa": {"until": None, "why": "\0 😀", "list": [1, {"a": 2}]}})
        await storage.statistics.record([_ROW])
    async with open_it() as storage:
        assert await storage.statistics.load_states() == {
            "key:aa": {"until": None, "why": "\0 😀", "list": [1, {"a": 2}]}
        }
        assert [row.requests for row in await storage.statistics.load_totals()] == [3]
        await storage.statistics.save_states({})
        assert await storage.statistics.load_states() == {}


async def test_meta_keeps_the_last_value(storage: Storage):
    assert await storage.meta.get("run") is None
    await storage.meta.set("run", "one")
    await storage.meta.set("run", "two")
    assert await storage.meta.get("run") == "two"
