"""Calls under way: which of them are late, and that each becomes so once."""

from __future__ import annotations

from tests.gemini_pool.policy.conftest import OK, World
from utils.gemini_pool.policy.flights import Flights


def test_a_call_becomes_late_once() -> None:
    """In the order they began, and not again when looked at later."""
    world, flights = World(keys=3), Flights()
    first, second = world.begin_on(0), world.begin_on(1)
    world.pass_time(5.0)
    third = world.begin_on(2)
    flights.line.extend((first, second, third))
    assert list(flights.become_late(third.started_at - 1.0)) == [first, second]
    assert list(flights.become_late(third.started_at - 1.0)) == []
    assert flights.noted == {first: True, second: True}
    assert list(flights.become_late(third.started_at)) == [third]


def test_a_call_that_answers_or_has_ended_is_never_late() -> None:
    """What was heard of may take as long as it likes."""
    world, flights = World(keys=3), Flights()
    heard, ended, silent = world.begin_on(0), world.begin_on(1), world.begin_on(2)
    flights.line.extend((heard, ended, silent))
    flights.hear(heard)
    world.end(ended, OK)
    assert list(flights.become_late(world.now)) == [silent]


def test_a_call_that_ended_is_not_heard_of() -> None:
    """Its first byte, told late, leaves nothing behind."""
    world, flights = World(keys=1), Flights()
    lease = world.begin_on(0)
    world.end(lease, OK)
    flights.hear(lease)
    assert flights.noted == {}


def test_the_end_of_a_call_tells_whether_it_was_late() -> None:
    """Once."""
    world, flights = World(keys=2), Flights()
    late, soon = world.begin_on(0), world.begin_on(1)
    flights.line.append(late)
    assert list(flights.become_late(world.now)) == [late]
    assert not flights.end(soon)
    assert flights.end(late)
    assert not flights.end(late)
