"""Whom the rules choose and what they count, held step by step against plain books kept beside them.

The books know nothing of how the pool finds its answers: they keep every call in a list and add up. Runs are drawn from
a few seeds, so that a failure repeats.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.gemini_pool.policy.conftest import (
    CALLER,
    CANCELLED,
    FAULT,
    MODEL,
    OK,
    OVERLOADED,
    TIMEOUT,
    World,
    quota,
)
from utils.gemini_pool.policy import KeySpec, Kind, Outcome, Policy, PoolConfig
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import COUNTED_AS_ERROR, Window
from utils.gemini_pool.policy.projects import Lane, ProjectModel
from utils.gemini_pool.policy.quota.texts import LimitNamed, Measure
from utils.gemini_pool.policy.selection import FIRST, Probe, Wishes

CONTINUED = Outcome(Kind.OK, requests=3, input_tokens=7, output_tokens=11)
UNSENT = Outcome(Kind.CALLER, requests=0)
SHORT = Outcome(Kind.OK, input_tokens=5, output_tokens=2)
#: Nobody is ejected, so that what a project has used is what was sent and nothing else.
NOBODY_OUT = PoolConfig(max_ejected_share=0.0)


class EvenDice(random.Random):
    """Dice that always show the middle, however often they are thrown."""

    def random(self) -> float:
        """Give the middle."""
        return 0.5


@dataclass
class EvenWorld(World):
    """A world with dice that always show the middle."""

    def make(self, keys: int) -> Policy:
        """Make the policy on them."""
        specs = [KeySpec(f"f{number}", None, self.projects.get(number)) for number in range(keys)]
        return Policy(
            self.config,
            lambda: self.now,
            lambda: self.wall,
            EvenDice(),
            keys=specs,
            pool_size=self.pool_size,
        )


@dataclass
class Books:
    """Every call that was sent and every outcome that came back, as plain lists."""

    world: World
    #: For each call: its project, when it began, and how many requests it stands for.
    sent: dict[Lease, float] = field(default_factory=dict)
    #: For each key: when a call ended, and whether with a fault.
    ended: dict[int, list[tuple[float, bool]]] = field(default_factory=dict)
    under_way: list[Lease] = field(default_factory=list)
    figures: Counter[tuple[int, str]] = field(default_factory=Counter)

    def begin(self, lease: Lease) -> None:
        """Write a call down."""
        self.sent[lease] = 1.0
        self.under_way.append(lease)
        self.figures[lease.lane.key.position, "requests"] += 1

    def end(self, lease: Lease, outcome: Outcome) -> None:
        """Write an outcome down."""
        self.under_way.remove(lease)
        key = lease.lane.key.position
        if outcome.kind is Kind.CANCELLED or outcome.requests == 0:
            self.sent[lease] = 0.0
        else:
            self.sent[lease] = float(outcome.requests)
        self.figures[key, "requests"] += outcome.requests - 1
        self.figures[key, "errors"] += outcome.kind in COUNTED_AS_ERROR
        self.figures[key, "input_tokens"] += outcome.input_tokens
        self.figures[key, "output_tokens"] += outcome.output_tokens
        if outcome.kind is Kind.OK or outcome.kind in {Kind.FAULT, Kind.TIMEOUT, Kind.OVERLOADED}:
            self.ended.setdefault(key, []).append((self.world.now, outcome.kind is not Kind.OK))

    def usage(self, project: ProjectModel) -> float:
        """1 + what the project has sent, each request worth half after every half-life."""
        now, half_life_s = self.world.now, self.world.config.usage_half_life_s
        of_project = [(lease.started_at, many) for lease, many in self.sent.items() if lease.project is project]
        return 1.0 + math.fsum(many * math.exp2((began - now) / half_life_s) for began, many in of_project)

    def error(self, lane: Lane) -> float:
        """Faults over calls and the prior, both decayed; a fault below a thousandth is forgotten by an answer."""
        now, half_life_s = self.world.now, self.world.config.error_half_life_s
        calls: float = 0.0
        faults: float = 0.0
        before = float("-inf")
        for at, faulty in self.ended.get(lane.key.position, []):
            decay = math.exp2((before - at) / half_life_s)
            before = at
            calls, faults = calls * decay + 1.0, faults * decay + faulty
            if not faulty and faults < 0.001:
                faults = 0.0
        decay = math.exp2((before - now) / half_life_s)
        return faults * decay / (calls * decay + self.world.config.error_prior)

    def late(self, lane: Lane) -> bool:
        """Whether a call of the lane takes longer than 1.5 times the usual p95."""
        longest = self.world.config.overdue_times_p95 * self.world.config.usual_p95_s
        return any(lease.lane is lane and self.world.now - lease.started_at >= longest for lease in self.under_way)

    def check(self) -> None:
        """Hold all that the pool counts against the books."""
        pool, now = self.world.pool, self.world.now
        in_flight = Counter(lease.lane.key.position for lease in self.under_way)
        for lane in pool.lanes:
            key = lane.key.position
            assert lane.in_flight == in_flight[key]
            assert lane.rate.error(now) == pytest.approx(self.error(lane), abs=1e-9)
            for name in ("requests", "errors", "input_tokens", "output_tokens"):
                assert getattr(lane.counts, name) == self.figures[key, name], name
        for project in pool.projects:
            assert pool.usage(project, now) == pytest.approx(self.usage(project))
            assert project.in_flight == sum(in_flight[lane.key.position] for lane in project.lanes)
        total = sum(pool.usage(project, now) - 1.0 for project in pool.projects)
        assert pool.standing.total / pool.standing.scale.unit(now) == pytest.approx(total, abs=1e-9)
        assert sum(slot.usage for slot in pool.instances.slots) == sum(lane.counts.requests for lane in pool.lanes)
        assert sum(slot.in_flight for slot in pool.instances.slots) == len(self.under_way)


def best(books: Books, tried: frozenset[int] = frozenset()) -> set[str] | None:
    """Name the projects that may be chosen by the books: the least used of those that can serve; None: with errors."""
    world = books.world
    pool, now = world.pool, world.now
    able = [project for project in pool.projects if project.may_send(now)]
    fresh = [
        project
        for project in able
        if any(lane.key.position not in tried and not books.late(lane) and lane.slots for lane in project.lanes)
    ]
    calm = [project for project in fresh if not pool.standing.is_busy(project, now)] or fresh
    if not calm or any(books.error(lane) for project in calm for lane in project.lanes):
        return None
    usages = {project.name: books.usage(project) for project in calm}
    return {name for name, usage in usages.items() if usage <= min(usages.values()) * (1 + 1e-9)}


def draw(rng: random.Random) -> Outcome:
    """Give an outcome, most of them answers."""
    return rng.choice([OK, OK, SHORT, SHORT, CONTINUED, FAULT, TIMEOUT, CALLER, CANCELLED, UNSENT, quota(20.0)])


def live(world: World, rng: random.Random, steps: int, *, outcomes: list[Outcome] | None = None) -> None:
    """Begin and end calls in any order, the books beside; every choice is one that they allow."""
    books = Books(world)
    assert world.pool.lanes
    for _ in range(steps):
        if books.under_way and rng.random() < 0.45:
            lease = rng.choice(books.under_way)
            outcome = rng.choice(outcomes) if outcomes else draw(rng)
            world.end(lease, outcome)
            books.end(lease, outcome)
        else:
            world.pass_time(rng.choice([0.0, 0.01, 1.0, 1.5, 7.0]))
            tried = frozenset(rng.sample(range(world.keys), rng.choice([0, 0, 0, 1])))
            allowed = best(books, tried) if not world.pool.breaker.is_open else None
            wishes = FIRST if not tried and rng.random() < 0.5 else Wishes(tried)
            begun = world.policy.begin(MODEL, wishes, world.now)
            if begun is None:
                continue
            books.begin(begun)
            if allowed is not None and begun.probe is Probe.NONE:
                assert begun.project.name in allowed
        books.check()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("keys", "per_project"), [(1, 1), (3, 1), (6, 2)])
def test_the_least_used_project_is_chosen_and_everything_is_counted(keys: int, per_project: int, seed: int) -> None:
    """Answers only: whatever the order of starts and ends, and however long the calls take."""
    world = EvenWorld(NOBODY_OUT, keys=keys, projects={key: f"p{key // per_project}" for key in range(keys)})
    live(world, random.Random(seed), 120, outcomes=[OK, SHORT, CONTINUED, CANCELLED, CALLER, UNSENT])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("keys", "per_project"), [(2, 1), (4, 2), (5, 1)])
def test_faults_and_walls_are_counted_as_they_come(keys: int, per_project: int, seed: int) -> None:
    """Any outcome but death: usage, errors, figures and calls under way are what the books say after every step."""
    world = EvenWorld(NOBODY_OUT, keys=keys, projects={key: f"p{key // per_project}" for key in range(keys)})
    live(world, random.Random(seed), 120)


@pytest.mark.parametrize("seed", range(3))
def test_the_counts_stand_over_days(seed: int) -> None:
    """Units are started anew on the way; neither shares nor errors move."""
    world, rng = EvenWorld(NOBODY_OUT, keys=3), random.Random(seed)
    books = Books(world)
    assert world.pool.lanes
    for _ in range(60):
        world.pass_time(rng.choice([10.0, 300.0, 3_000.0, 40_000.0]))
        lease = world.begin()
        books.begin(lease)
        outcome = rng.choice([OK, FAULT, CONTINUED])
        world.end(lease, outcome)
        books.end(lease, outcome)
        books.check()
        allowed = best(books)
        if allowed is not None:
            assert world.policy.peek(MODEL) in {
                lane.slots[0].index for lane in world.pool.lanes if lane.project.name in allowed
            }


@dataclass
class Twins:
    """Two pools that live through the same; one is asked the short way, the other never."""

    worlds: tuple[World, World]
    pairs: list[tuple[Lease, Lease]] = field(default_factory=list)

    def pass_time(self, seconds: float) -> None:
        """Let time go by for both."""
        for world in self.worlds:
            world.pass_time(seconds)

    def begin(self) -> None:
        """Begin a call in both: the choice is the same."""
        short, careful = (
            world.policy.begin(MODEL, wishes, world.now)
            for world, wishes in zip(self.worlds, (FIRST, Wishes()), strict=True)
        )
        assert (short is None) == (careful is None)
        if short is not None and careful is not None:
            assert (short.key_label, short.probe, short.slot_index) == (
                careful.key_label,
                careful.probe,
                careful.slot_index,
            )
            self.pairs.append((short, careful))

    def end(self, rng: random.Random, *outcomes: Outcome) -> None:
        """End one call in both with one of these outcomes."""
        if self.pairs:
            pair, outcome = self.pairs.pop(rng.randrange(len(self.pairs))), rng.choice(outcomes)
            for world, lease in zip(self.worlds, pair, strict=True):
                world.end(lease, outcome)

    def hear(self, rng: random.Random) -> None:
        """Let one call begin to answer in both."""
        for world, lease in zip(self.worlds, rng.choice(self.pairs) if self.pairs else (), strict=bool(self.pairs)):
            world.policy.hear(lease)

    def check(self) -> None:
        """Both count the same, and no more calls are overdue than take long."""
        short, careful = (
            [
                (lane.in_flight, lane.counts.requests, len(lane.slots), lane.overdue, lane.gate.state(world.now))
                for lane in world.pool.lanes
            ]
            for world in self.worlds
        )
        assert short == careful
        world, mine = self.worlds[0], [short for short, _ in self.pairs]
        for lane in world.pool.lanes:
            long = [lease for lease in mine if lease.lane is lane and world.now - lease.started_at >= 12.0]
            assert lane.overdue <= len(long)


def twins(keys: int, per_project: int, pool_size: int | None = None) -> Twins:
    """Make both."""
    projects = {key: f"p{key // per_project}" for key in range(keys)}
    one, other = (
        EvenWorld(PoolConfig(open_jitter=0.0), keys=keys, projects=projects, pool_size=pool_size) for _ in range(2)
    )
    return Twins((one, other))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("keys", "per_project"), [(4, 1), (6, 2), (12, 3)])
def test_the_ordinary_case_written_out_chooses_as_the_careful_way(keys: int, per_project: int, seed: int) -> None:
    """Every choice and count agrees, whatever the outcomes."""
    rng, both = random.Random(seed), twins(keys, per_project)
    for _ in range(150):
        if rng.random() < 0.5:
            both.end(rng, OK, OK, OK, OK, SHORT, CONTINUED, FAULT, CANCELLED, quota(3.0), OVERLOADED)
        else:
            both.pass_time(rng.choice([0.0, 0.0, 0.1, 0.3, 1.1, 5.0]))
            both.begin()
        both.check()


@pytest.mark.parametrize("seed", range(4))
def test_late_calls_spares_and_rotation_are_alike_on_both_ways(seed: int) -> None:
    """Fewer instances than keys, calls that take long or have begun to answer: the short way goes along."""
    rng, both = random.Random(seed), twins(6, 2, pool_size=4)
    for _ in range(150):
        match rng.randrange(12):
            case 0 | 1 | 2 | 3:
                both.end(rng, OK, OK, SHORT, FAULT, FAULT, OVERLOADED, quota(5.0))
            case 4:
                both.hear(rng)
            case 5:
                both.pass_time(13.0)
                for world in both.worlds:
                    world.policy.rotate_if_due()
            case _:
                both.pass_time(rng.choice([0.0, 0.2, 1.1]))
                both.begin()
        both.check()


@pytest.mark.parametrize("seed", range(6))
def test_storage_is_told_of_every_figure_once(seed: int) -> None:
    """Whatever is drained when, the rows add up to the counts, calls under way included."""
    world, rng = EvenWorld(NOBODY_OUT, keys=3), random.Random(seed)
    under_way: list[Lease] = []
    told: Counter[tuple[str, str]] = Counter()
    for _ in range(120):
        match rng.randrange(4):
            case 0 if under_way:
                world.end(under_way.pop(rng.randrange(len(under_way))), draw(rng))
            case 1:
                for row in world.policy.ledger.drain():
                    for name in ("requests", "errors", "timed", "input_tokens", "output_tokens"):
                        told[row.fingerprint, name] += getattr(row, name)
                for lane in world.pool.lanes:
                    for name in ("requests", "errors", "timed", "input_tokens", "output_tokens"):
                        assert told[lane.key.fingerprint, name] == getattr(lane.counts, name), name
            case _:
                lease = world.policy.begin(MODEL, FIRST, world.now)
                if lease is not None:
                    under_way.append(lease)
        world.pass_time(rng.choice([0.0, 0.4, 2.0]))


@pytest.mark.parametrize("short", [True, False])
def test_tokens_count_for_the_limit_that_is_named_later(short: bool) -> None:
    """Answers of a project without a known limit are remembered for a minute, by either way through the pool."""
    world = World(keys=1)
    many = Outcome(Kind.OK, input_tokens=400)
    for _ in range(2):
        lease = world.policy.begin(MODEL, FIRST if short else Wishes(), world.now)
        assert lease is not None
        world.end(lease, many)
    lease = world.policy.begin(MODEL, FIRST, world.now)
    assert lease is not None
    named = LimitNamed(Measure.TOKENS_PER_MINUTE, 1000)
    world.end(lease, Outcome(Kind.QUOTA, retry_after=1.0, window=Window.MINUTE, limits=(named,)))
    world.pass_time(2.0)
    assert world.try_begin() is None
    world.pass_time(59.5)
    assert world.try_begin() is not None
