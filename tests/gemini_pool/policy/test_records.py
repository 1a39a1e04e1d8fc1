"""The running figures and what the ledger gives out of them for storage: nothing twice, nothing lost."""

from __future__ import annotations

import dataclasses

import pytest

from utils.gemini_pool.policy import Kind, Outcome
from utils.gemini_pool.policy.records import Counts, Ledger

GOOD = Outcome(Kind.OK, input_tokens=10, output_tokens=20)
BAD = Outcome(Kind.FAULT, input_tokens=1)
FULL = Outcome(Kind.QUOTA)


def counted(*ends: tuple[Outcome, float]) -> Counts:
    """Give the figures of requests that ended like that."""
    counts = Counts(requests=len(ends))
    for outcome, seconds in ends:
        counts.add_end(outcome, seconds)
    return counts


def test_figures_of_nothing_are_zero() -> None:
    """No division by nothing."""
    nothing = Counts()
    assert (nothing.error_rate, nothing.mean_seconds, nothing.kinds) == (0.0, 0.0, {})


def test_only_answers_are_timed_and_only_errors_are_errors() -> None:
    """Tokens count whatever the end; kinds that did not occur are left out."""
    counts = counted((GOOD, 2.0), (GOOD, 4.0), (BAD, 9.0), (FULL, 1.0))
    assert (counts.timed, counts.seconds, counts.mean_seconds) == (2, 6.0, 3.0)
    assert (counts.input_tokens, counts.output_tokens) == (21, 40)
    assert counts.kinds == {"ok": 2, "fault": 1, "quota": 1}
    assert (counts.errors, counts.error_rate) == (2, 0.5)
    assert counted((BAD, 1.0)).kinds == {"fault": 1}


def test_figures_are_added_and_taken_off() -> None:
    """Every one of them; a kind that comes to nothing is left out."""
    counts = counted((GOOD, 2.0), (BAD, 9.0))
    counts.add(counted((GOOD, 3.0), (FULL, 1.0)))
    assert (counts.requests, counts.errors, counts.timed, counts.seconds) == (4, 2, 2, 5.0)
    assert (counts.input_tokens, counts.output_tokens) == (21, 40)
    assert counts.kinds == {"ok": 2, "fault": 1, "quota": 1}
    counts.add(counted((GOOD, 2.0), (BAD, 9.0)), -1)
    assert counts == Counts(2, 1, 3.0, 1, 10, 20, counts.others)
    assert counts.kinds == {"ok": 1, "quota": 1}


def test_emptied_figures_stay_the_same_object() -> None:
    """Whoever holds them sees nothing any more."""
    counts = counted((GOOD, 2.0), (BAD, 9.0))
    counts.clear()
    assert counts == Counts()


def test_the_ledger_gives_out_what_is_new() -> None:
    """One row for every tally that changed, in the minute of the draining; what was told is not told again."""
    wall = [3719.9]
    ledger = Ledger(lambda: wall[0])
    first, second = ledger.of("a", "m"), ledger.of("b", "m")
    assert ledger.of("a", "m") is first
    assert ledger.of("a", "n") is not first
    first.add(counted((GOOD, 2.0), (BAD, 9.0)))
    ledger.note(first)
    ledger.note(first)
    (row,) = ledger.drain()
    assert (row.fingerprint, row.model, row.minute) == ("a", "m", 3660)
    assert (row.requests, row.errors, row.seconds, row.timed) == (2, 1, 2.0, 1)
    assert (row.input_tokens, row.output_tokens, row.kinds) == (11, 20, {"ok": 1, "fault": 1})
    assert ledger.drain() == []
    wall[0] = 3720.0
    first.add(counted((GOOD, 5.0)))
    second.add(counted((FULL, 1.0)))
    ledger.note(first)
    ledger.note(second)
    again, other = ledger.drain()
    assert (again.minute, again.requests, again.errors, again.seconds, again.timed) == (3720, 1, 0, 5.0, 1)
    assert again.kinds == {"ok": 1}
    assert (other.fingerprint, other.requests, other.kinds) == ("b", 1, {"quota": 1})


def test_rows_that_could_not_be_stored_come_first_again() -> None:
    """In their order, before what is new."""
    ledger = Ledger(lambda: 60.0)
    tally = ledger.of("a", "m")
    tally.add(counted((GOOD, 1.0)))
    ledger.note(tally)
    rows = ledger.drain()
    tally.add(counted((BAD, 1.0)))
    ledger.note(tally)
    assert len(rows) == 1
    ledger.put_back(rows)
    assert [row.kinds for row in ledger.drain()] == [{"ok": 1}, {"fault": 1}]


def test_what_storage_knows_is_not_told_again() -> None:
    """Figures from before a restart are shown and not written twice."""
    ledger = Ledger(lambda: 60.0)
    tally = ledger.of("a", "m")
    tally.load(counted((GOOD, 2.0), (BAD, 1.0)))
    assert tally.requests == 2
    tally.add(counted((GOOD, 4.0)))
    ledger.note(tally)
    (row,) = ledger.drain()
    assert (row.requests, row.errors, row.seconds, row.kinds) == (1, 0, 4.0, {"ok": 1})


@pytest.mark.parametrize("told_before", [False, True])
def test_clearing_starts_at_nothing_and_loses_nothing(told_before: bool) -> None:
    """What was not told is drained still; afterwards only what is new."""
    ledger = Ledger(lambda: 60.0)
    tally = ledger.of("a", "m")
    tally.add(counted((GOOD, 2.0)))
    ledger.note(tally)
    told = ledger.drain() if told_before else []
    ledger.clear()
    assert dataclasses.astuple(tally) == dataclasses.astuple(Counts())
    told += ledger.drain()
    assert [row.requests for row in told] == [1]
    tally.add(counted((BAD, 2.0)))
    ledger.note(tally)
    (row,) = ledger.drain()
    assert (row.requests, row.errors, row.timed) == (1, 1, 0)


def test_what_occurred_twice_is_taken_off_twice() -> None:
    """And what is put back stands before what was left, in its order."""
    counts = counted((FULL, 1.0), (FULL, 1.0), (FULL, 1.0))
    counts.add(counted((FULL, 1.0), (FULL, 1.0)), -1)
    assert counts.kinds == {"quota": 1}
    ledger = Ledger(lambda: 60.0)
    rows = []
    for fingerprint in "abc":
        tally = ledger.of(fingerprint, "m")
        tally.add(counted((GOOD, 1.0)))
        ledger.note(tally)
        rows += ledger.drain()
    ledger.put_back(rows[1:])
    ledger.put_back(rows[:1])
    assert [row.fingerprint for row in ledger.drain()] == ["a", "b", "c"]
