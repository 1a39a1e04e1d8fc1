"""Quota of a project: how long it is closed, and who is told."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from tests.gemini_pool.policy.conftest import CANCELLED, DEAD, FAULT, MODEL, NO_QUOTA, OK, World, quota
from utils.gemini_pool.policy.outcome import Window
from utils.gemini_pool.policy.quota.pacific import seconds_to_pacific_midnight
from utils.gemini_pool.policy.selection import Probe
from utils.gemini_pool.policy.waiting.slots import Obstacle

PACIFIC = ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("here", "hours"),
    [
        ((2026, 11, 21, 12, 0), 12),
        ((2026, 11, 21, 0, 0), 24),
        ((2026, 3, 8, 0, 0), 23),
        ((2026, 3, 8, 1, 0), 22),
        ((2026, 11, 1, 0, 0), 25),
        ((2026, 11, 1, 3, 0), 21),
        ((2026, 12, 31, 23, 0), 1),
    ],
)
def test_the_day_ends_at_midnight_in_los_angeles(here: tuple[int, int, int, int, int], hours: int):
    """Also on the days of 23 and 25 hours."""
    assert seconds_to_pacific_midnight(dt.datetime(*here, tzinfo=PACIFIC).timestamp()) == hours * 3600


def test_a_minute_wall_lasts_as_long_as_told(world: World):
    """Until now + retryDelay nothing is sent to the project; then everything."""
    world.call_on(0, quota(30.0))
    world.pass_time(29.9)
    assert {world.call(OK, 1, 2, 3) for _ in range(4)} <= {1, 2, 3}
    world.pass_time(0.1)
    assert world.call(OK, 1, 2, 3) == 0


def test_a_wall_without_a_time_lasts_a_minute(world: World):
    """The usual window."""
    world.call_on(0, quota(None))
    assert world.lane(0).project.quota.until == world.now + 60.0


def test_a_wall_is_no_fault_of_the_key(world: World):
    """Neither its record nor its gate knows of it."""
    world.call_on(0, quota(30.0))
    assert world.lane(0).rate.calls(world.now) == 0.0
    assert world.lane(0).gate.faults_in_row == 0


def test_a_later_shorter_wait_never_shortens_a_longer_one(world: World):
    """Calls that were under way when the wall was met report their own waits."""
    first, second, third = (world.begin_on(0) for _ in range(3))
    closure = first.project.quota
    world.end(first, quota(40.0))
    until = closure.until
    world.end(second, quota(5.0))
    assert closure.until == until
    world.end(third, quota(5.0, Window.DAY))
    day_ends = closure.until
    assert day_ends > until
    assert (day_ends, closure.why) == (closure.until, "day")


def test_an_answer_of_a_call_begun_before_opens_nothing(world: World):
    """Only a call that was sent to find out can say that the wall fell."""
    early = world.begin_on(0)
    world.call_on(0, quota(40.0))
    world.end(early, OK)
    assert early.project.quota.is_closed(world.now)


def test_a_day_is_probed_once_an_hour(world: World):
    """In case the label lied: one probe, and only for requests that can afford one."""
    world.call_on(0, quota(5.0, Window.DAY))
    world.pass_time(3599.0)
    assert world.begin().probe is Probe.NONE
    world.pass_time(1.0)
    assert world.begin(may_probe=False).probe is Probe.NONE
    probe = world.begin()
    assert (probe.probe, probe.lane.key.position) == (Probe.QUOTA, 0)
    assert world.begin().probe is Probe.NONE
    world.end(probe, quota(5.0, Window.DAY))
    assert world.begin().probe is Probe.NONE
    world.pass_time(3600.0)
    world.end(world.begin(), OK)
    assert not world.lane(0).project.quota.is_closed(world.now)


def test_a_day_ends_by_itself_at_midnight(world: World):
    """16:00 in Los Angeles: eight hours, and a second since clocks differ, until everything passes again."""
    world.call_on(0, quota(5.0, Window.DAY))
    closure = world.lane(0).project.quota
    assert closure.until - world.now == 8 * 3600 + 1
    world.pass_time(8 * 3600.0 + 1)
    assert not closure.is_closed(world.now)
    assert world.begin_on(0).probe is Probe.NONE


def test_no_quota_closes_the_project_for_the_model_only(world: World):
    """One free try a day; other models of the key are open."""
    world.call_on(0, NO_QUOTA)
    assert world.lane(0).project.quota.is_closed(world.now + 86_000)
    other = world.policy.pool("other")
    assert not other.projects[0].quota.is_closed(world.now)
    assert world.lane(0).key.dead is None
    world.pass_time(86_400.0)
    probe = world.begin()
    assert (probe.probe, probe.lane.key.position) == (Probe.QUOTA, 0)
    world.end(probe, OK)
    assert world.call(OK, 1, 2, 3) == 0


@pytest.mark.parametrize("outcome", [CANCELLED, FAULT])
def test_a_probe_that_told_nothing_leaves_the_wall(world: World, outcome):
    """The project stays closed, and may be asked again."""
    world.call_on(0, quota(5.0, Window.DAY))
    world.pass_time(3600.0)
    world.end(world.begin(), outcome)
    closure = world.lane(0).project.quota
    assert closure.is_closed(world.now)
    assert not closure.probing


def test_the_next_slot_is_the_first_wall_to_fall(world: World):
    """Over all projects that can still serve; dead keys are none."""
    world.policy.end(world.begin_on(3), DEAD, world.now)
    for key, wait in ((0, 40.0), (1, 20.0), (2, 60.0)):
        world.call_on(key, quota(wait))
    assert world.try_begin() is None
    slot = world.policy.next_slot(MODEL, world.now)
    assert (slot.at, slot.obstacle, slot.guess) == (world.now + 20.0, Obstacle.QUOTA, False)


def test_without_keys_there_is_no_slot():
    """A policy without keys says what is in the way instead of failing."""
    assert World(keys=0).policy.next_slot(MODEL, 0.0).obstacle is Obstacle.ALL_DEAD


def test_a_dead_key_is_never_taken(world: World):
    """Whatever is tried and however long it is ago; the others serve."""
    world.call_on(0, DEAD)
    world.pass_time(10 * 86_400.0)
    assert {world.call(OK, 1, 2, 3) for _ in range(8)} == {1, 2, 3}
    assert world.policy.keys[0].dead is not None
