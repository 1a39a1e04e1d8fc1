"""Two parts of one project become one: what each knew, what closes it, and which refusal is remembered."""

from __future__ import annotations

from tests.gemini_pool.policy.quota.quota_service import answer, day_refusal, minute_refusal
from tests.gemini_pool.policy.quota.test_project_quota import Project
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.outcome import Kind, Outcome
from utils.gemini_pool.policy.quota.project_quota import ModelLimits


def parts(config: PoolConfig | None = None) -> tuple[Project, Project]:
    """Give two projects of one model."""
    config = config or PoolConfig()
    known = ModelLimits(config)
    return Project(config, known), Project(config, known)


def pass_time(seconds: float, *projects: Project) -> None:
    """Let time go by for all."""
    for project in projects:
        project.pass_time(seconds)


def test_a_limit_that_only_the_other_knew_holds_for_both() -> None:
    """Three a minute, not one more beyond them."""
    first, second = parts()
    first.call(answer())
    second.call(answer(), answer(), minute_refusal(3, 20.5))
    first.quota.absorb(second.quota, first.now)
    first.pass_time(61.0)
    assert len(first.begin_all()) == 3
    assert not first.quota.may_send(first.now, 0)


def test_the_limit_that_was_named_later_holds() -> None:
    """Whichever part it was named to."""
    first, second = parts()
    first.call(day_refusal(10))
    pass_time(10.0, first, second)
    second.call(day_refusal(8))
    first.quota.absorb(second.quota, first.now)
    assert first.quota.day_limit(first.now) == 8
    first, second = parts()
    second.call(day_refusal(10))
    pass_time(10.0, first, second)
    first.call(day_refusal(8))
    first.quota.absorb(second.quota, first.now)
    assert first.quota.day_limit(first.now) == 8


def test_a_doubt_ends_where_two_were_found_to_be_one() -> None:
    """That the other has used the limit too explains the refusal."""
    first, second = parts()
    first.call(Outcome(Kind.QUOTA, retry_after=1.0))
    pass_time(1.0, first, second)
    assert first.goes_alone()
    first.quota.absorb(second.quota, first.now)
    assert first.quota.may_send(first.now, 1)


def test_what_closes_one_part_closes_both() -> None:
    """From that moment, and the pool has to ask."""
    first, second = parts()
    second.call(Outcome(Kind.NO_QUOTA_HERE))
    first.quota.absorb(second.quota, first.now)
    assert first.quota.limited
    assert not first.may_send()


def test_the_earlier_refusal_is_remembered() -> None:
    """The project has been closed since then, whichever part met it, and also where only one did."""
    first, second = parts()
    second.call(answer(), minute_refusal(10, 40.5))
    pass_time(2.0, first, second)
    first.call(answer(), minute_refusal(10, 38.5))
    early, late = second.quota.wall, first.quota.wall
    assert early is not None
    assert late is not None
    first.quota.absorb(second.quota, first.now)
    assert first.quota.wall is early
    alone, nobody = parts()
    alone.call(answer(), minute_refusal(10, 40.5))
    wall = alone.quota.wall
    assert wall is not None
    alone.quota.absorb(nobody.quota, alone.now)
    assert alone.quota.wall is wall


def test_a_probe_of_either_part_ends_for_both() -> None:
    """Refused or answered: another may be sent when its time has come."""
    for answered in (False, True):
        first, second = parts()
        first.call(day_refusal(50))
        second.call(day_refusal(50))
        pass_time(3600.0, first, second)
        probe = second.begin()
        first.quota.absorb(second.quota, first.now)
        assert (first.quota.probing, first.quota.wants_probe(first.now)) == (True, False)
        first.in_flight = 1
        first.pass_time(1.0)
        first.end(probe, answer() if answered else day_refusal(50))
        assert not first.quota.probing
        assert first.may_send() is answered


def test_a_probe_that_ended_before_is_not_waited_for() -> None:
    """The one of the other part, begun earlier, is the one under way."""
    first, second = parts()
    first.call(day_refusal(50))
    second.call(day_refusal(50))
    pass_time(3600.0, first, second)
    probe = second.begin()
    pass_time(5.0, first, second)
    first.call(day_refusal(50))
    first.quota.absorb(second.quota, first.now)
    probing = [first.quota.probing]
    first.in_flight = 1
    first.end(probe, Outcome(Kind.CANCELLED))
    assert [*probing, first.quota.probing] == [True, False]
