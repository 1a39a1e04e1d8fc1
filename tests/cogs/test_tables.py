"""Tables of statistics: lined up, complete, readable."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from cogs import tables


def key(state: str = "live", **values: Any) -> dict[str, Any]:
    return {
        "usage": 1234,
        "errors": 12,
        "avg_time": 1.5,
        "error_rate": 0.25,
        "state": state,
        "project": "alpha",
        "retry_after": None,
        "kinds": {},
    } | values


def shown_width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


@pytest.mark.parametrize("locale", ["en-US", "zh-TW"])
def test_columns_stand_under_their_headings_in_every_script(locale):
    """Every column begins at the same width in every line, wide characters counted as two."""
    usage = {"Key #1": key(), "Key #20": key("cooling", retry_after=45, usage=7)}
    lines = tables.key_table(usage, locale).lines()
    rows = tables.key_table(usage, locale).rows
    for column in (1, 2, 3):
        starts = {
            shown_width(line[: line.index(row[column], len(row[0]))]) for line, row in zip(lines[1:], rows, strict=True)
        }
        assert len(starts) == 1
    assert "1,234" in lines[1]
    assert "25.0%" in lines[1]
    assert "1.50 s" in lines[1]
    assert "45 s" in lines[2]


def test_keys_that_do_not_serve_come_first_and_keep_their_order():
    """When not all fit, those an operator looks for are shown."""
    usage = {"a": key(), "b": key("dead"), "c": key(), "d": key("cooling")}
    assert list(tables.sick_first(usage)) == ["b", "d", "a", "c"]


def test_kinds_of_errors_are_summed_over_keys():
    """The most frequent kind stands first; kinds that never happened are left out."""
    usage = {"a": key(kinds={"quota": 2, "timeout": 3}), "b": key(kinds={"quota": 4, "reset": 0})}
    assert tables.kinds_line(usage) == "quota 6 · timeout 3"
    assert tables.kinds_line({"a": key()}) == ""


def test_a_pool_is_said_in_numbers_that_add_up():
    """A model's text holds its instances, its requests one by one, and its keys."""
    stats = {
        "m": {
            "pool_size": 3,
            "active_instances": 2,
            "error_instances": 1,
            "total_usage": 6,
            "usage_distribution": [1, 2, 3],
            "key_distribution": {"Key #1": 2, "Key #2": 1},
        }
    }
    [(heading, text)] = tables.pool_fields(stats, "en-US")
    assert heading == "m"
    assert text == "2 of 3 instances active, 1 failed\n6 requests: 1, 2, 3\nKey #1 × 2, Key #2 × 1"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0, "0 s"), (99.4, "99 s"), (100, "2 min"), (5940, "99 min"), (7200, "2.0 h")],
)
def test_lengths_of_time_have_a_fitting_unit(seconds, text):
    """Nobody reads 12600 seconds."""
    assert tables.duration(seconds) == text


def test_only_whole_lines_are_taken():
    """A table is cut between lines, and never longer than asked."""
    assert tables.fitting(["ab", "cd", "ef"], 6) == ["ab", "cd"]
    assert tables.fitting(["abc"], 2) == []
