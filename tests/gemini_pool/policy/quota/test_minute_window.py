"""A known limit per minute is kept to, and a refusal that names one is the last of its kind."""

from __future__ import annotations

from tests.gemini_pool.policy.conftest import MODEL, OK, World
from utils.gemini_pool.policy import Kind, Outcome, PoolConfig
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import LimitNamed, Measure, Window
from utils.gemini_pool.policy.selection import Wishes

REFUSED = Outcome(
    Kind.QUOTA, retry_after=20.0, window=Window.MINUTE, limits=(LimitNamed(Measure.REQUESTS_PER_MINUTE, 3),)
)


def begin(world: World) -> Lease | None:
    """Start a call as a request does."""
    return world.policy.begin(MODEL, Wishes(), world.now)


def test_a_declared_limit_is_never_exceeded_in_any_minute() -> None:
    """Two projects of five a minute take ten at once; the eleventh waits for the first place to come free."""
    world = World(PoolConfig(requests_per_minute=5), keys=2)
    leases = [begin(world) for _ in range(11)]
    assert sum(lease is not None for lease in leases) == 10
    assert world.policy.next_slot(MODEL, world.now).at == world.now + 61.0
    world.pass_time(60.5)
    assert begin(world) is None
    world.pass_time(0.5)
    assert begin(world) is not None


def test_keys_of_one_project_share_its_minute() -> None:
    """The limit is the project's: a second key adds nothing."""
    world = World(PoolConfig(requests_per_minute=5), keys=2, projects={0: "p", 1: "p"})
    assert sum(begin(world) is not None for _ in range(11)) == 5


def test_a_limit_named_by_a_refusal_is_kept_to_from_then_on() -> None:
    """After the first refusal no call is begun that would be refused for the same reason."""
    world = World(keys=1)
    for _ in range(3):
        lease = begin(world)
        assert lease is not None
        world.policy.end(lease, OK, world.now)
    refused = begin(world)
    assert refused is not None
    world.policy.end(refused, REFUSED, world.now)
    world.pass_time(20.0)
    # the closure is over, but the three that were served still fill the minute
    assert begin(world) is None
    assert world.policy.next_slot(MODEL, world.now).at == world.now + 41.0
    world.pass_time(41.0)
    assert sum(begin(world) is not None for _ in range(5)) == 3


def test_a_learned_limit_outlives_a_restart_and_lapses_after_a_day() -> None:
    """Limits are raised now and then: what was learned is asked anew once a day."""
    world = World(keys=1)
    lease = begin(world)
    assert lease is not None
    world.policy.end(lease, REFUSED, world.now)
    again = world.make(1)
    again.restore({}, world.policy.snapshot())
    world.pass_time(3600.0)
    assert sum(again.begin(MODEL, Wishes(), world.now) is not None for _ in range(5)) == 3
    world.pass_time(86400.0)
    assert sum(again.begin(MODEL, Wishes(), world.now) is not None for _ in range(5)) == 5


def test_a_call_that_was_never_sent_takes_no_place() -> None:
    """What the service did not count does not count here; a cancelled call keeps its place."""
    world = World(PoolConfig(requests_per_minute=2), keys=1)
    unsent, cancelled = begin(world), begin(world)
    assert unsent is not None
    assert cancelled is not None
    world.policy.end(unsent, Outcome(Kind.CALLER, requests=0), world.now)
    world.policy.end(cancelled, Outcome(Kind.CANCELLED), world.now)
    assert begin(world) is not None
    assert begin(world) is None
