"""What a restart must not forget, and what it must not believe."""

from __future__ import annotations

import json

import pytest

from tests.gemini_pool.policy.conftest import DEAD, FAULT, MODEL, NO_QUOTA, OK, World, quota
from utils.gemini_pool.policy import KeySpec, PoolConfig
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.keys import Death
from utils.gemini_pool.policy.outcome import Window
from utils.gemini_pool.policy.records import Counts
from utils.gemini_pool.policy.selection import Probe


def restarted(world: World, documents: dict[str, dict[str, object]], keys: int = 6) -> World:
    """Start again on another monotonic clock, ten seconds later on the wall."""
    again = World(keys=keys, now=world.now / 7.0, wall=world.wall + 10.0)
    again.policy.restore({}, json.loads(json.dumps(documents)))
    return again


@pytest.fixture
def ill() -> World:
    """Six keys: one dead, one ejected, one cooling, one closed for the day, one without quota, one live."""
    world = World(keys=6)
    world.call_on(0, DEAD)
    world.eject(1)
    world.call_on(2, quota(50.0))
    world.call_on(3, quota(5.0, Window.DAY))
    world.call_on(4, NO_QUOTA)
    return world


def test_no_cooldown_and_no_dead_key_is_forgotten(ill: World):
    """Times go on where they were, on the clock of the new process."""
    again = restarted(ill, ill.policy.snapshot())
    dead = again.policy.keys[0].dead
    assert dead is not None
    assert dead.reason == "API_KEY_INVALID"
    assert dead.since == ill.wall
    assert again.state(1) is GateState.OPEN
    for key in range(1, 5):
        before, after = ill.lane(key).project.quota, again.lane(key).project.quota
        if key == 1:
            assert again.lane(1).gate.open_until - again.now == pytest.approx(
                ill.lane(1).gate.open_until - ill.now - 10.0
            )
            continue
        assert after.until - again.now == pytest.approx(before.until - ill.now - 10.0)
        assert after.why == before.why
    assert {again.call(OK) for _ in range(5)} == {5}


def test_a_snapshot_of_a_restart_is_the_same(ill: World):
    """Nothing wears off by restarting again and again."""
    documents = ill.policy.snapshot()
    again = World(keys=6, now=5.0, wall=ill.wall)
    again.policy.restore({}, documents)
    _ = again.pool
    found = again.policy.snapshot()
    assert found.keys() == documents.keys()
    for name, document in documents.items():
        for field, value in document.items():
            assert found[name][field] == (pytest.approx(value) if isinstance(value, float) else value)


def test_the_hourly_probe_goes_on_after_a_restart(ill: World):
    """A closed day is asked after when it would have been."""
    again = restarted(ill, ill.policy.snapshot())
    again.pass_time(3600.0 - 9.9)
    probes = {again.begin().probe for _ in range(3)}
    assert probes >= {Probe.GATE, Probe.QUOTA}


def test_a_key_follows_its_fingerprint(ill: World):
    """Keys moved in the configuration keep what is known of them."""
    moved = World(keys=1)
    moved.policy.reset_pools([KeySpec("f9"), KeySpec("f0")])
    moved.policy.restore({}, ill.policy.snapshot())
    assert [key.dead is not None for key in moved.policy.keys] == [False, True]


def test_what_is_over_is_not_taken_up(ill: World):
    """Walls that ended while the process was down are gone."""
    documents = ill.policy.snapshot()
    again = World(keys=6, wall=ill.wall + 2 * 86_400.0)
    again.policy.restore({}, documents)
    assert all(not project.quota.is_closed(again.now) for project in again.pool.projects)
    assert again.state(1) is GateState.HALF_OPEN
    assert again.policy.keys[0].dead is not None


@pytest.mark.parametrize(
    "documents",
    [
        {"key:f0": {}},
        {"key:f0": {"dead": 5}},
        {"key:unknown": {"dead": "x"}},
        {"quota:only f0|m": {"why": "never heard of", "until": 9e12}},
        {"quota:only f0|m": {"until": "soon"}},
        {"something else": {"a": 1}},
    ],
)
def test_documents_of_another_shape_are_ignored(documents: dict[str, dict[str, object]]):
    """A store of another version never stops the pool."""
    world = World()
    world.policy.restore({}, documents)
    assert {world.call(OK) for _ in range(8)} == {0, 1, 2, 3}


def test_totals_come_back_with_their_keys():
    """Figures are found by fingerprint; those of keys no longer configured are left alone."""
    world = World(keys=2)
    world.policy.restore(
        {
            ("f1", MODEL): Counts(requests=7, errors=2, seconds=3.0, timed=5),
            ("gone", MODEL): Counts(requests=100),
        },
        {},
    )
    assert [lane.counts.requests for lane in world.pool.lanes] == [0, 7]
    assert sum(slot.usage for slot in world.pool.instances.slots) == 7


def test_an_illness_goes_on_where_it_was_after_a_restart() -> None:
    """Begun 400 s ago and ejected for the third time: a failed probe keeps the key out for half of the illness."""
    config = PoolConfig(open_jitter=0.0, open_ill_share=0.5)
    world = World(config=config)
    world.eject(1)
    for wait in (30.0, 60.0):
        world.pass_time(wait)
        probe = world.begin()
        assert (probe.probe, probe.lane.key.position) == (Probe.GATE, 1)
        world.end(probe, FAULT)
    world.pass_time(310.0)
    again = World(config=config, now=7.0, wall=world.wall)
    again.policy.restore({}, json.loads(json.dumps(world.policy.snapshot())))
    gate = again.lane(1).gate
    assert gate.ill_since == pytest.approx(7.0 - 400.0)
    assert gate.ejections == 3
    again.begin(may_probe=False)
    probe = again.begin()
    assert probe.probe is Probe.GATE
    again.end(probe, FAULT)
    assert gate.open_until == pytest.approx(7.0 + 200.0)


def test_an_ejection_without_particulars_is_one_that_is_over() -> None:
    """The first, and a probe finds out at once; a death without a date is as old as can be."""
    world = World()
    world.policy.restore({}, {"gate:f1|m": {"ejections": 0}, "key:f2": {"dead": "gone"}})
    assert world.lane(1).gate.ejections == 1
    assert world.state(1) is GateState.HALF_OPEN
    assert world.policy.keys[2].dead == Death("gone", 0.0)


@pytest.mark.parametrize("project", [5, None, ["p"]])
def test_a_project_that_is_no_name_is_not_taken_up(project: object) -> None:
    """The key stays by itself."""
    world = World(keys=2)
    world.policy.restore({}, {"project:f0": {"project": project}})
    assert world.policy.keys[0].found_project is None
    assert len(world.pool.projects) == 2
