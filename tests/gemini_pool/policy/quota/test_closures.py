"""Until when and why a project is closed, and when it may be asked after."""

from __future__ import annotations

import pytest

from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.quota.closures import Closed, Closure


def make() -> Closure:
    """Give one that is open."""
    return Closure(PoolConfig())


def test_an_open_one_keeps_nobody_away() -> None:
    """Since ever."""
    closure = make()
    assert (closure.why, closure.until, closure.probe_at, closure.probing) == (None, 0.0, 0.0, False)
    assert not closure.is_closed(0.0)
    assert not closure.wants_probe(0.0)
    assert closure.opens_at(5.0) == 5.0


@pytest.mark.parametrize(("wait", "length"), [(30.0, 30.0), (None, 60.0), (0.2, 1.0)])
def test_a_full_minute_is_waited_out(wait: float | None, length: float) -> None:
    """As long as the service says, a second at least, a minute when it says nothing; it is never probed."""
    closure = make()
    closure.close_minute(100.0, wait)
    assert (closure.why, closure.until) == (Closed.MINUTE, 100.0 + length)
    assert closure.is_closed(99.9 + length)
    assert not closure.is_closed(100.0 + length)
    assert not closure.wants_probe(100.5)
    assert closure.opens_at(100.0) == 100.0 + length


def test_a_day_is_asked_after_every_hour() -> None:
    """Not while a probe is under way, and not when it is over."""
    closure = make()
    closure.close_day(100.0, 20_000.0)
    assert (closure.why, closure.until, closure.probe_at) == (Closed.DAY, 20_000.0, 3700.0)
    assert not closure.wants_probe(3699.9)
    assert closure.wants_probe(3700.0)
    closure.probing = True
    assert not closure.wants_probe(3700.0)
    closure.probing = False
    assert not closure.wants_probe(20_000.0)
    assert closure.opens_at(100.0) == 20_000.0


def test_no_quota_lasts_until_a_probe_is_answered() -> None:
    """However long; the probe is tried once a day."""
    closure = make()
    closure.close_for_good(100.0)
    assert (closure.why, closure.probe_at) == (Closed.NO_QUOTA, 86_500.0)
    assert closure.is_closed(1e9)
    assert closure.wants_probe(86_500.0)
    assert not closure.wants_probe(86_499.0)
    assert (closure.opens_at(0.0), closure.opens_at(90_000.0)) == (86_500.0, 90_000.0)
    closure.open()
    assert (closure.why, closure.until, closure.probe_at) == (None, 0.0, 0.0)
    assert not closure.is_closed(0.0)


def test_the_longest_closure_stands() -> None:
    """A shorter one does not end it; of two with one end the later reason counts."""
    closure = make()
    closure.close_day(0.0, 5000.0)
    closure.close_minute(10.0, 30.0)
    assert (closure.why, closure.until) == (Closed.DAY, 5000.0)
    assert closure.probe_at == 3600.0
    closure.close_minute(4990.0, 10.0)
    assert (closure.why, closure.until) == (Closed.MINUTE, 5000.0)
    assert closure.probe_at == 5000.0


def test_of_two_parts_of_a_project_the_longer_closure_is_the_projects() -> None:
    """A probe under way at either is the project's."""
    longer, shorter, none = make(), make(), make()
    longer.close_day(0.0, 5000.0)
    shorter.close_minute(0.0, 30.0)
    shorter.absorb(longer)
    assert (shorter.why, shorter.until, shorter.probe_at) == (Closed.DAY, 5000.0, 3600.0)
    longer.absorb(none)
    assert (longer.why, longer.until) == (Closed.DAY, 5000.0)
    for mine, theirs in ((True, False), (False, True), (True, True), (False, False)):
        first, second = make(), make()
        first.probing, second.probing = mine, theirs
        first.absorb(second)
        assert first.probing is (mine or theirs)
