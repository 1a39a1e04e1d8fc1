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


@pytest.mark.parametrize("locale", ["en-US", "zh-TW", "ko", "id", "ru"])
@pytest.mark.parametrize("state", ["live", "cooling", "ejected", "probing", "dead"])
def test_a_phone_shows_every_line_whole(locale, state):
    """No line is wider than a code block on a phone, whatever keys and projects are called."""
    usage = {
        "Key #1": key(state, usage=987_654_321, avg_time=123.4, error_rate=1.0),
        "Key #2": key(state, name="團隊的備用金鑰之一" * 3, project="專案" * 40),
        "Key #100": key(state, name="a rather long label", usage=0),
    }
    lines = tables.narrow_key_lines(usage, locale)
    assert max(shown_width(line) for line in lines) <= tables.NARROW
    assert len(lines) == 1 + 3 + 2


def test_keys_stand_under_their_project():
    """Quota belongs to the project, so its keys are seen together, in their order."""
    usage = {"Key #1": key(), "Key #2": key(project="beta"), "Key #3": key(project=None), "Key #4": key()}
    lines = tables.narrow_key_lines(usage, "en-US")
    assert [line[:6] for line in lines[1:] if line.startswith("Key")] == ["Key #1", "Key #4", "Key #2", "Key #3"]
    assert [line for line in lines if line.startswith("[")] == ["[alpha]", "[beta]"]


def test_numbers_stand_right_and_unused_keys_have_none():
    """An average of nothing is no number."""
    usage = {"Key #1": key(usage=12_345, avg_time=1.5, error_rate=0.25), "Key #2": key(usage=0, avg_time=0)}
    heading, _project, first, second = tables.narrow_key_lines(usage, "en-US")
    assert heading.split() == ["Key", "State", "Req.", "Err.", "Avg."]
    assert first.split()[2:] == ["live", "12k", "25%", "1.5s"]
    assert second.split()[2:] == ["live", "0", "-", "-"]
    assert len(first) == len(second) == len(heading)


def test_when_resting_keys_return_is_a_time_discord_shows():
    """The soonest first; a key's name is no markup."""
    usage = {
        "a": key("cooling", retry_after=90),
        "b": key(),
        "c": key("ejected", retry_after=30.5, name="x`y"),
    }
    assert tables.returns_line(usage, 1000.0) == "`xy` <t:1030:R> · `a` <t:1090:R>"
    assert tables.returns_line({"b": key()}, 1000.0) == ""


def test_keys_that_do_not_serve_come_first_and_keep_their_order():
    """When not all fit, those an operator looks for are shown."""
    usage = {"a": key(), "b": key("dead"), "c": key(), "d": key("cooling")}
    assert list(tables.sick_first(usage)) == ["b", "d", "a", "c"]


def test_ends_of_requests_are_summed_over_keys():
    """The most frequent stands first, in the reader's words; what never happened is left out."""
    usage = {"a": key(kinds={"quota": 2, "timeout": 3}), "b": key(kinds={"quota": 4, "fault": 0, "new_kind": 1})}
    assert tables.kinds_line(usage, "en-US") == "quota 6 · no answer in time 3 · new_kind 1"
    assert tables.kinds_line({"a": key()}, "en-US") == ""


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
