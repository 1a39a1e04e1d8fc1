"""A project for one model by itself: whose turn it is, its mean error, and what is left of one that was taken over."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.conftest import FAULT, OK, WALL, World, quota
from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.projects import ProjectModel
from utils.gemini_pool.policy.quota.limits import ModelLimits
from utils.gemini_pool.policy.quota.project_quota import ProjectQuota


def of_one_project(keys: int = 3) -> tuple[World, ProjectModel]:
    """Give a world whose keys all share a project, and the project."""
    world = World(keys=keys, projects=dict.fromkeys(range(keys), "p"))
    return world, world.pool.projects[0]


def turns(project: ProjectModel) -> list[int]:
    """Give the ready keys in the order of their turns."""
    return [lane.key.position for lane in project.ready]


def test_a_new_project_has_nothing() -> None:
    """No lane, no turn, no place in the order, nothing used and nothing known against it."""
    config = PoolConfig()
    project = ProjectModel("p", ProjectQuota(config, ModelLimits(config), 0.0, WALL))
    assert (project.name, project.lanes, list(project.ready)) == ("p", [], [])
    assert (project.usage, project.error, project.in_flight) == (0.0, 0.0, 0)
    assert (project.turn, project.entry, project.closed_at, project.wake_at) == (None, None, None, None)
    assert project.may_send(0.0)


def test_a_new_key_is_sound_and_unused() -> None:
    """Nothing stands against it, and nothing is under way."""
    world = World(keys=1)
    lane = world.lane(0)
    assert (lane.in_flight, lane.overdue, lane.troubled, lane.counts.requests) == (0, 0, False, 0)
    assert lane.is_live(world.now)


def test_who_is_admitted_goes_last_and_who_is_dismissed_moves_no_other() -> None:
    """Whoever's turn it was; a second time changes nothing."""
    _, project = of_one_project(4)
    first, second, third, fourth = project.lanes
    assert turns(project) == [0, 1, 2, 3]
    project.dismiss(first)
    project.dismiss(first)
    assert (turns(project), project.turn) == ([1, 2, 3], second)
    project.dismiss(third)
    assert turns(project) == [1, 3]
    project.admit(first)
    project.admit(first)
    assert turns(project) == [1, 3, 0]
    for lane in (second, first, fourth):
        project.dismiss(lane)
    assert (turns(project), project.turn) == ([], None)
    project.admit(third)
    assert (turns(project), third.after) == ([2], third)


def test_the_error_of_a_project_is_the_mean_of_its_ready_keys() -> None:
    """One fault of one key, with five imagined good calls: a sixth; over three keys an eighteenth."""
    world, project = of_one_project()
    world.call_on(0, FAULT)
    assert project.mean_error(world.now) == pytest.approx(1 / 6 / 3)
    project.dismiss(world.lane(1))
    assert project.mean_error(world.now) == pytest.approx(1 / 6 / 2)
    project.dismiss(world.lane(0))
    assert project.mean_error(world.now) == 0.0


def test_a_project_that_was_taken_over_stands_for_nothing() -> None:
    """None of its keys is its own, none is ready, and no closure of its is waited for."""
    world, project = of_one_project()
    lanes = list(project.lanes)
    world.pool.standing.close(project, world.now)
    project.empty()
    assert (project.lanes, project.turn, project.closed_at) == ([], None, None)
    assert [lane.after for lane in lanes] == [None, None, None]


def test_the_closure_of_a_project_that_was_taken_over_ends_with_the_other() -> None:
    """Its time comes twice, and one project is open again."""
    world = World(keys=3)
    world.call_on(2, quota(40.0))
    world.pool.join(world.policy.keys[1].project, world.policy.keys[2].project, world.now)
    assert world.pool.standing.closed == 1
    world.pass_time(40.0)
    for _ in range(4):
        world.call(OK)
    assert world.pool.standing.closed == 0
