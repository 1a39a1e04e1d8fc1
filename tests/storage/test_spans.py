"""Sums over spans of time: every minute counts once, told apart by key or model, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from utils.storage import KeyMinute, Storage

_START = 1_790_000_040
_ROW = KeyMinute(
    fingerprint="aa",
    model="m",
    minute=_START,
    requests=3,
    errors=1,
    seconds=4.5,
    timed=2,
    input_tokens=10,
    output_tokens=20,
    kinds={"quota": 1},
)


async def test_minutes_of_one_span_are_added_up_and_others_are_not(storage: Storage):
    """A span holds the minutes from its start to the next one's, the end of the range left out."""
    minutes = [replace(_ROW, minute=_START + 60 * number) for number in range(5)]
    await storage.statistics.record(minutes)
    spans = await storage.spans.load(since=_START, until=_START + 240, length_s=120, by="model")
    assert [(span.start, span.name, span.requests) for span in spans] == [(_START, "m", 6), (_START + 120, "m", 6)]
    first = spans[0]
    assert (first.errors, first.seconds, first.timed, first.kinds) == (2, 9.0, 4, {"quota": 2})
    assert (first.input_tokens, first.output_tokens) == (20, 40)


@pytest.mark.parametrize(
    ("by", "expected"),
    [("model", {"m": 6, "n": 3}), ("fingerprint", {"aa": 6, "bb": 3})],
)
async def test_keys_and_models_are_told_apart(storage: Storage, by, expected):
    """The same minutes are summed by the one or by the other."""
    other = replace(_ROW, model="n", kinds={"timeout": 2}) if by == "model" else replace(_ROW, fingerprint="bb")
    await storage.statistics.record([_ROW, replace(_ROW, minute=_START + 60), other])
    spans = await storage.spans.load(since=_START, until=_START + 600, length_s=600, by=by)
    assert {span.name: span.requests for span in spans} == expected


async def test_a_time_in_which_nothing_happened_has_no_spans(storage: Storage):
    """An empty database is no error."""
    assert await storage.spans.load(since=_START, until=_START + 600, length_s=60, by="model") == []
