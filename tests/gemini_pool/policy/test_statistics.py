"""The figures that operators read: totals, states of keys, and what is left of a day."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.conftest import DEAD, FAULT, MODEL, OK, World, quota
from utils.gemini_pool.policy import Kind, Outcome, PoolConfig
from utils.gemini_pool.policy.outcome import Window
from utils.gemini_pool.policy.selection import Wishes
from utils.gemini_pool.policy.statistics import key_states, key_stats, model_stats, quota_stats

ANSWER = Outcome(Kind.OK, input_tokens=3, output_tokens=5)


def test_a_pool_that_was_not_asked_shows_its_keys() -> None:
    """Everything is 0, every key live."""
    told = key_stats(World(keys=2).policy)
    usage = told.pop("key_usage")
    assert told == {
        "total_keys": 2,
        "live_keys": 2,
        "total_requests": 0,
        "failed_requests": 0,
        "error_rate": 0.0,
        "avg_time": 0.0,
        "input_tokens": 0,
        "output_tokens": 0,
        "kinds": {},
    }
    assert list(usage) == ["Key #1", "Key #2"]
    assert usage["Key #2"] == {
        "usage": 0,
        "errors": 0,
        "avg_time": 0.0,
        "error_rate": 0.0,
        "name": "Key #2",
        "project": "Key #2",
        "state": "live",
        "reason": "",
        "retry_after": None,
        "in_flight": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "kinds": {},
    }


def test_the_totals_are_those_of_all_keys_and_models() -> None:
    """Requests, errors, tokens, kinds and the mean time of the answers."""
    world = World(keys=2)
    lease = world.begin_on(0)
    world.pass_time(2.0)
    world.end(lease, ANSWER)
    world.call_on(1, FAULT)
    other = world.policy.begin("other", Wishes(frozenset({1})), world.now)
    assert other is not None
    world.pass_time(4.0)
    world.end(other, ANSWER)
    world.begin_on(0)
    told = key_stats(world.policy)
    assert (told["total_requests"], told["failed_requests"]) == (4, 1)
    assert (told["error_rate"], told["avg_time"]) == (0.25, 3.0)
    assert (told["input_tokens"], told["output_tokens"]) == (6, 10)
    assert told["kinds"] == {"ok": 2, "fault": 1}
    first, second = told["key_usage"].values()
    assert (first["usage"], first["errors"], first["avg_time"], first["in_flight"]) == (3, 0, 3.0, 1)
    assert (first["input_tokens"], first["output_tokens"], first["kinds"]) == (6, 10, {"ok": 2})
    assert (second["usage"], second["errors"], second["error_rate"], second["in_flight"]) == (1, 1, 1.0, 0)


def test_the_state_of_a_key_is_its_worst_and_says_for_how_long() -> None:
    """Dead, ejected, probing, cooling or live."""
    world = World(keys=6, config=PoolConfig(open_jitter=0.0, peer_factor=0.0))
    world.call_on(0, DEAD)
    world.call_on(1, FAULT, FAULT, FAULT)
    world.call_on(2, quota(50.0))
    world.pass_time(5.0)
    world.call_on(3, FAULT, FAULT, FAULT)
    world.pass_time(25.0)
    told = key_stats(world.policy)
    assert told["live_keys"] == 5
    states = [(one["state"], one["retry_after"], one["reason"]) for one in told["key_usage"].values()]
    assert states == [
        ("dead", None, "API_KEY_INVALID"),
        ("probing", None, ""),
        ("cooling", 20.0, ""),
        ("ejected", 5.0, ""),
        ("live", None, ""),
        ("live", None, ""),
    ]


def test_an_ejection_counts_more_than_a_closure_of_another_model() -> None:
    """Whichever model comes first."""
    world = World(keys=4, config=PoolConfig(open_jitter=0.0))
    world.call_on(0, quota(50.0))
    for _ in range(3):
        lease = world.policy.begin("other", Wishes(frozenset({1, 2, 3})), world.now)
        assert lease is not None
        world.end(lease, FAULT)
    entry = key_stats(world.policy)["key_usage"]["Key #1"]
    assert (entry["state"], entry["retry_after"]) == ("ejected", 30.0)
    world.pass_time(30.0)
    entry = key_stats(world.policy)["key_usage"]["Key #1"]
    assert (entry["state"], entry["retry_after"]) == ("probing", None)


def test_instances_are_active_where_their_key_can_serve() -> None:
    """Usage of instances adds up; instances of keys that are out are errors."""
    world = World(keys=3, pool_size=4)
    world.call_on(1, OK, OK)
    world.call_on(2, OK)
    before = model_stats(world.policy)[MODEL]
    assert before == {
        "pool_size": 4,
        "active_instances": 4,
        "error_instances": 0,
        "total_usage": 3,
        "usage_distribution": [0, 2, 1, 0],
        "key_distribution": {"Key #1": 2, "Key #2": 1, "Key #3": 1},
    }
    world.eject(1)
    after = model_stats(world.policy)[MODEL]
    assert (after["active_instances"], after["error_instances"], after["total_usage"]) == (3, 1, 5)


@pytest.mark.parametrize(("sent", "left"), [(0, 3), (2, 1), (3, 0)])
def test_what_is_left_of_a_day_is_the_limit_less_what_was_sent(sent: int, left: int) -> None:
    """By project and model; a day that was refused has nothing left, an unknown limit is not told."""
    world = World(keys=2, projects={0: "p", 1: "q"}, config=PoolConfig(requests_per_day=3))
    for _ in range(sent):
        world.call_on(0, OK)
    world.call_on(1, quota(60.0, Window.DAY))
    told = quota_stats(world.policy)
    assert told["p"] == {MODEL: {"limit": 3, "left": left}}
    assert told["q"][MODEL]["left"] == 0
    assert quota_stats(World().policy) == {}
    unknown = World()
    unknown.call(OK)
    assert quota_stats(unknown.policy) == {}


def test_an_instance_of_a_dead_key_is_no_active_one() -> None:
    """A key may be dead whose gate is live."""
    world = World(keys=3, pool_size=3)
    world.call_on(1, DEAD)
    told = model_stats(world.policy)[MODEL]
    assert (told["active_instances"], told["error_instances"]) == (2, 1)


def test_a_key_without_an_instance_is_not_among_those_that_have_some() -> None:
    """A spare has no line of its own."""
    world = World(keys=3, pool_size=2)
    world.call(OK)
    assert model_stats(world.policy)[MODEL]["key_distribution"] == {"Key #1": 1, "Key #2": 1}


def test_the_states_of_keys_are_found_by_their_fingerprints() -> None:
    """In a word each."""
    world = World(keys=4, config=PoolConfig(open_jitter=0.0, peer_factor=0.0))
    world.call_on(0, DEAD)
    world.eject(1)
    world.call_on(2, quota(50.0))
    assert key_states(world.policy) == {"f0": "dead", "f1": "ejected", "f2": "cooling", "f3": "live"}


def test_a_closure_is_told_to_its_last_moment_and_no_longer() -> None:
    """Half a second before its end it says so; at its end the key is live."""
    world = World(keys=2)
    world.call_on(0, quota(50.0))
    world.pass_time(49.5)
    entry = key_stats(world.policy)["key_usage"]["Key #1"]
    assert (entry["state"], entry["retry_after"]) == ("cooling", 0.5)
    world.pass_time(0.5)
    entry = key_stats(world.policy)["key_usage"]["Key #1"]
    assert (entry["state"], entry["retry_after"]) == ("live", None)


def test_a_key_that_is_found_out_about_says_so_though_its_project_is_closed() -> None:
    """First its gate must open, then its quota counts."""
    world = World(keys=4, projects={0: "p", 1: "p"}, config=PoolConfig(open_jitter=0.0))
    world.eject(0)
    world.pass_time(20.0)
    world.call_on(1, quota(30.0))
    world.pass_time(10.0)
    told = key_stats(world.policy)["key_usage"]
    assert (told["Key #1"]["state"], told["Key #2"]["state"]) == ("probing", "cooling")
