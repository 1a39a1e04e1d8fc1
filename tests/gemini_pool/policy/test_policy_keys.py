"""Keys that come, go, die and are found to share a project, as the pools of all models see it; and what is kept."""

from __future__ import annotations

from tests.gemini_pool.policy.conftest import CANCELLED, DEAD, FAULT, MODEL, OK, World, quota
from utils.gemini_pool.policy import KeySpec, PoolConfig, Refuse, Wait
from utils.gemini_pool.policy.latency import Size, Usual
from utils.gemini_pool.policy.selection import FIRST, Probe
from utils.gemini_pool.policy.waiting.slots import Obstacle

OTHER = "other"


def specs(*numbers: int, projects: dict[int, str] | None = None) -> list[KeySpec]:
    """Give the configuration of these keys."""
    return [KeySpec(f"f{number}", None, (projects or {}).get(number)) for number in numbers]


def projects(world: World, model: str = MODEL) -> list[list[str]]:
    """Give the fingerprints of the keys of every project."""
    return [[lane.key.fingerprint for lane in project.lanes] for project in world.policy.pool(model).projects]


def found(*keys: int) -> World:
    """Give four keys of which these two were found to share a project."""
    world = World()
    kept, taken = (world.policy.keys[key].project for key in keys)
    on_found = world.pool.roster.on_found
    assert on_found is not None
    on_found(kept, taken)
    return world


def test_a_model_that_was_never_asked_usually_takes_what_the_configuration_says() -> None:
    """Nothing of it was learned."""
    world = World()
    assert world.policy.usual("never asked", Size.UNKNOWN) == Usual(2.5, 8.0, 10.0, learned=False)
    assert dict(world.policy.pools) == {}


def test_looking_for_turns_makes_no_pool() -> None:
    """A room in which nobody waits has nobody to let go."""
    world = World()
    world.policy.room(OTHER)
    assert world.policy.take_turns(world.now) == []
    assert dict(world.policy.pools) == {}


def test_who_waits_when_the_last_key_is_taken_out_is_let_go_by_none() -> None:
    """It looks by itself at its time, and hears that there is no key."""
    world = World(keys=1)
    world.call_on(0, quota(5.0))
    request = world.policy.request(MODEL, deadline_s=30.0)
    assert isinstance(request.step(world.now), Wait)
    world.policy.reload_keys([])
    assert world.policy.take_turns(world.now) == []
    end = request.step(world.now)
    assert isinstance(end, Refuse)
    assert end.obstacle is Obstacle.ALL_DEAD


def test_only_a_death_is_seen_by_the_other_models() -> None:
    """An answer, a fault and a wall are of one model."""
    world = World(keys=3)
    other = world.policy.pool(OTHER)
    for outcome in (OK, FAULT, CANCELLED, quota(60.0)):
        world.call_on(0, outcome)
    assert other.health.alive == 3
    lease = world.policy.begin(OTHER, FIRST, world.now)
    assert lease is not None
    assert lease.lane.key.position == 0


def test_the_death_of_a_key_that_left_kills_nobody() -> None:
    """Another stands at its position by now."""
    world = World(keys=3)
    other = world.policy.pool(OTHER)
    under_way = world.begin_on(0)
    world.policy.reload_keys(specs(1, 2))
    world.end(under_way, DEAD)
    assert other.health.alive == world.pool.health.alive == 2
    assert [key.dead for key in world.policy.keys] == [None, None]


def test_peeking_leaves_a_probe_to_who_asks() -> None:
    """The gate that is due is found out about by the next request, not by a look."""
    world = World(config=PoolConfig(open_jitter=0.0))
    world.eject(2)
    world.pass_time(30.0)
    for _ in range(3):
        world.policy.peek(MODEL)
    lease = world.begin()
    assert (lease.probe, lease.lane.key.position) == (Probe.GATE, 2)


def test_a_key_without_an_instance_is_shown_as_the_first() -> None:
    """The one instance there is will be its own when it serves."""
    world = World(keys=2, pool_size=1)
    world.call_on(0, quota(300.0))
    assert world.policy.peek(MODEL) == 0
    assert world.begin().slot_index == 0


def test_keys_of_which_nothing_was_found_stay_by_themselves() -> None:
    """Through a reset with other keys, and through a change of keys."""
    world = World(keys=3)
    world.policy.pool(MODEL)
    world.policy.reset_pools(specs(0, 1, 2, 5))
    assert projects(world) == [["f0"], ["f1"], ["f2"], ["f5"]]
    world.policy.reload_keys(specs(2, 1, 0))
    assert projects(world) == [["f2"], ["f1"], ["f0"]]


def test_what_was_found_out_of_keys_is_kept_when_others_come_and_go() -> None:
    """For the pools there are and for those that are made later."""
    world = found(1, 3)
    world.policy.reload_keys(specs(0, 1, 3, 7))
    assert projects(world) == projects(world, OTHER) == [["f0"], ["f1", "f3"], ["f7"]]
    world.policy.reset_pools(specs(3, 1, 0))
    assert projects(world) == [["f3", "f1"], ["f0"]]


def test_what_the_operator_declares_wins_over_what_was_found() -> None:
    """The project of the configuration is the key's from then on."""
    declared = specs(0, 1, 2, 3, projects={1: "mine"})
    reloaded, reset = found(1, 3), found(1, 3)
    reloaded.policy.reload_keys(declared)
    reset.policy.reset_pools(declared)
    for world in (reloaded, reset):
        assert [key.project for key in world.policy.keys].count("mine") == 1
        assert ["f1"] in projects(world)
        assert ["f3"] in projects(world)


def test_a_key_that_left_a_project_serves_no_more() -> None:
    """The other key of the project has all its turns."""
    world = World(keys=3, projects={0: "p", 1: "p"})
    for _ in range(4):
        world.call(OK)
    gone = world.policy.keys[0]
    world.policy.reload_keys(specs(1, 2, projects={1: "p"}))
    leases = [world.begin() for _ in range(8)]
    assert {lease.fingerprint for lease in leases} == {"f1", "f2"}
    assert all(lease.lane.key in world.policy.keys for lease in leases)
    assert gone.dead is not None
    assert (gone.dead.reason, gone.dead.since) == ("it is not configured any more", world.wall)


def test_a_dead_key_that_leaves_died_of_what_it_died_of() -> None:
    """Being taken out is no new death."""
    world = World(keys=2)
    world.call_on(0, DEAD)
    gone = world.policy.keys[0]
    world.pass_time(5.0)
    world.policy.reload_keys(specs(1))
    assert gone.dead is not None
    assert (gone.dead.reason, gone.dead.since) == ("API_KEY_INVALID", world.wall - 5.0)


def test_a_new_key_is_known_at_once_to_those_who_ask_when_they_could_be_served() -> None:
    """The only key is closed for a minute; another was just taken in."""
    world = World(keys=1)
    world.call_on(0, quota(60.0))
    assert world.policy.next_slot(MODEL, world.now).at == world.now + 60.0
    world.policy.reload_keys(specs(0, 1))
    assert world.policy.next_slot(MODEL, world.now).at == world.now


def test_what_is_taken_up_after_a_restart_holds_for_pools_that_were_made_before() -> None:
    """They are made anew with it."""
    before = World(keys=2)
    before.call_on(0, quota(60.0))
    after = World(keys=2)
    early = after.pool
    after.policy.restore({}, before.policy.snapshot())
    assert after.pool is not early
    assert {after.call(OK) for _ in range(4)} == {1}


def test_counts_can_be_emptied_again_and_again() -> None:
    """What was asked before the last time is not counted, what was asked since is."""
    world = World(keys=1)
    leases = []
    for _ in range(3):
        leases.append(world.begin())
        world.policy.reset_counts()
    leases.append(world.begin())
    world.policy.pool(OTHER)
    for lease in leases:
        world.end(lease, OK)
    assert (world.lane(0).counts.requests, world.lane(0).counts.timed) == (1, 1)
