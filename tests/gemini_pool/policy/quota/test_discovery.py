"""Which keys share a project: found out by walls that end together, and by nothing less."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from tests.gemini_pool.policy.quota.quota_service import ProjectService, answer, minute_refusal, refusal
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.outcome import Kind, Outcome
from utils.gemini_pool.policy.quota.discovery import Discovery
from utils.gemini_pool.policy.quota.project_quota import ModelLimits, ProjectQuota

WALL = 1_795_219_200.0
CONFIG = PoolConfig()
OK = answer()


@dataclass
class Keys:
    """Keys of projects not told, by name."""

    names: Sequence[str] = ("a", "b", "c")
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.discovery = Discovery(CONFIG)
        known = ModelLimits(CONFIG)
        self.quotas = {name: ProjectQuota(CONFIG, known, self.now, WALL) for name in self.names}
        for name, quota in self.quotas.items():
            self.discovery.know(name, quota)

    def call_at(self, name: str, at: float) -> None:
        """Let a key have made a call that was served."""
        self.quotas[name].start(at)
        self.quotas[name].end(at, OK, at, WALL + at, 0)

    def call(self, name: str, *outcomes: Outcome) -> str | None:
        """Make calls on a key; answers what the last refusal among them found out."""
        found, quota = None, self.quotas[name]
        for outcome in outcomes:
            quota.start(self.now)
            quota.end(self.now, outcome, self.now, WALL + self.now, 0)
            if outcome.kind is Kind.QUOTA:
                found = self.discovery.wall(name, self.now)
        return found


def test_two_walls_with_one_oldest_call_are_one_project() -> None:
    """Both are refused while their own counts are below the limit, and together they do not exceed it."""
    keys = Keys()
    keys.call_at("c", 980.25)
    assert keys.call("a", *[OK] * 4, minute_refusal(9, 40.25)) is None
    keys.now += 10.0
    assert keys.call("b", minute_refusal(9, 30.29)) == "a"


def test_a_third_key_joins_a_group_that_was_found() -> None:
    """By the group's wall and its sum."""
    keys = Keys()
    keys.call_at("c", 980.25)
    keys.call("a", *[OK] * 4, minute_refusal(9, 40.25))
    keys.now += 10.0
    assert keys.call("b", minute_refusal(9, 30.25)) == "a"
    keys.quotas["a"].absorb(keys.quotas["b"], keys.now)
    keys.discovery.forget("b")
    keys.now += 10.0
    assert keys.call("c", minute_refusal(9, 20.25)) == "a"


def _ends_apart(keys: Keys) -> str | None:
    keys.call("a", *[OK] * 4, minute_refusal(9, 40.25))
    return keys.call("b", minute_refusal(9, 40.45))


def _told_in_whole_seconds(keys: Keys) -> str | None:
    keys.call("a", *[OK] * 4, minute_refusal(9, 40.0))
    return keys.call("b", minute_refusal(9, 40.0))


def _other_limit(keys: Keys) -> str | None:
    keys.call("a", *[OK] * 4, minute_refusal(9, 40.25))
    return keys.call("b", minute_refusal(10, 40.25))


def _sent_too_many(keys: Keys) -> str | None:
    keys.call("b", *[OK] * 6)
    keys.call("a", *[OK] * 4, minute_refusal(9, 40.25))
    return keys.call("b", minute_refusal(9, 40.25))


def _served_meanwhile(keys: Keys) -> str | None:
    keys.call("a", *[OK] * 4, minute_refusal(9, 40.25))
    keys.now += 1.0
    return keys.call("b", OK, minute_refusal(9, 39.25))


def _over_already(keys: Keys) -> str | None:
    keys.call("a", *[OK] * 4, minute_refusal(9, 5.25))
    keys.now += 5.25
    return keys.call("b", minute_refusal(9, 0.02))


def _full_by_itself(keys: Keys) -> str | None:
    keys.call("a", *[OK] * 9, minute_refusal(9, 40.25))
    return keys.call("b", *[OK] * 9, minute_refusal(9, 40.25))


def _without_a_limit(keys: Keys) -> str | None:
    keys.call("a", refusal(wait=40.25))
    return keys.call("b", refusal(wait=40.25))


def _two_calls_at_that_moment(keys: Keys) -> str | None:
    keys.call("a", OK)
    keys.now += 0.05
    keys.call("b", OK)
    keys.now += 30.0
    keys.call("a", minute_refusal(9, 29.93))
    return keys.call("b", minute_refusal(9, 29.98))


#: When the oldest call began by the walls of a case, where it is not the usual moment.
_OLDEST: dict[Callable[[Keys], str | None], float] = {
    _ends_apart: 980.35,
    _told_in_whole_seconds: 980.0,
    _over_already: 945.25,
}


@pytest.mark.parametrize(
    "tell",
    [
        _ends_apart,
        _told_in_whole_seconds,
        _other_limit,
        _sent_too_many,
        _served_meanwhile,
        _over_already,
        _full_by_itself,
        _without_a_limit,
        _two_calls_at_that_moment,
    ],
)
def test_anything_that_speaks_against_it_keeps_two_projects_apart(tell: Callable[[Keys], str | None]) -> None:
    """Each of these alone is enough, whatever else agrees."""
    keys = Keys()
    if tell is not _two_calls_at_that_moment:
        keys.call_at("c", _OLDEST.get(tell, 980.25))
    assert tell(keys) is None


def _nobody_called_then(keys: Keys) -> str | None:
    keys.call("a", *[OK] * 4, minute_refusal(9, 40.25))
    return keys.call("b", minute_refusal(9, 40.25))


def test_a_moment_at_which_no_call_of_ours_began_tells_nothing() -> None:
    """The oldest call is somebody else's."""
    assert _nobody_called_then(Keys()) is None


def test_calls_that_add_up_to_the_limit_with_the_oldest_are_of_one_project() -> None:
    """One refusal is enough where only one choice of the others comes to the limit."""
    keys = Keys()
    keys.call("b", OK)
    keys.now += 5.0
    keys.call("a", OK, OK)
    keys.call("b", OK)
    keys.call("c", OK)
    keys.now += 20.0
    assert keys.call("a", minute_refusal(4, 35.01)) == "b"


def test_two_choices_that_add_up_tell_nothing() -> None:
    """It may be either."""
    keys = Keys()
    keys.call("b", OK)
    keys.call("c", OK)
    keys.now += 5.0
    keys.call("a", OK, OK)
    keys.now += 20.0
    assert keys.call("a", minute_refusal(3, 35.01)) is None


def test_calls_that_may_yet_be_refused_tell_nothing() -> None:
    """What began while the refusal was under way is not known to be accepted."""
    keys = Keys()
    keys.call("b", OK)
    keys.now += 5.0
    keys.call("a", OK)
    keys.now += 20.0
    quota, asked_at = keys.quotas["a"], keys.now
    keys.quotas["b"].start(asked_at - 0.05)
    quota.start(asked_at)
    keys.now += 0.1
    quota.end(asked_at, minute_refusal(3, 34.91), keys.now, WALL, 0)
    assert keys.discovery.wall("a", keys.now) is None


def test_among_many_projects_nothing_is_added_up() -> None:
    """There are too many choices, and too alike."""
    keys = Keys([f"k{number}" for number in range(12)])
    keys.call("k1", OK, OK)
    for name in keys.names[2:]:
        keys.call(name, OK, OK, OK)
    keys.now += 20.0
    keys.call("k0", OK)
    assert keys.call("k0", minute_refusal(3, 40.01)) is None


def test_a_project_is_never_one_with_itself() -> None:
    """Its own later walls, and one that it no longer has, compare with nothing."""
    keys = Keys()
    keys.call("a", *[OK] * 4, minute_refusal(9, 40.25))
    assert keys.call("a", minute_refusal(9, 40.25)) is None
    keys.now += 70.0
    keys.call("a", *[OK] * 9)
    assert keys.call("a", minute_refusal(9, 40.25)) is None
    assert keys.call("b", minute_refusal(9, 40.25)) is None


def test_keys_that_fill_up_together_are_not_one_project() -> None:
    """A burst on four keys of four projects: all walls end in the same moment, and each project is full by itself."""
    keys = Keys(("a", "b", "c", "d"))
    services = {name: ProjectService(rpm=5) for name in keys.names}
    for name in keys.names:
        keys.call(name, *[services[name].call(keys.now, WALL) for _ in range(5)])
    for name in keys.names:
        assert keys.call(name, *[services[name].call(keys.now, WALL) for _ in range(3)]) is None


@dataclass
class Pool:
    """A pool in small: the least used key that may send, a refused request moves on, others wait for a place."""

    projects: Sequence[str]
    service: dict[str, ProjectService]
    rng: random.Random
    #: Calls of somebody else, on each of the projects.
    others_per_s: float = 0.0
    now: float = 0.0
    refused: int = 0
    served: int = 0
    merged: set[frozenset[int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        known = ModelLimits(CONFIG)
        self.discovery = Discovery(CONFIG)
        self.quota_of = [ProjectQuota(CONFIG, known, 0.0, WALL) for _ in self.projects]
        for key, quota in enumerate(self.quota_of):
            self.discovery.know(str(key), quota)
        self.members = {key: [key] for key in range(len(self.projects))}
        self.in_flight = [0] * len(self.projects)
        self.others_at = dict.fromkeys(self.service, 0.0)
        self.calls: list[tuple[float, int, int, float, Outcome]] = []

    def run(self, per_s: float, seconds: float) -> None:
        """Let requests arrive at random for so long."""
        waiting, number, arrival = 0, 0, self.rng.expovariate(per_s)
        while arrival < seconds:
            next_end = self.calls[0][0] if self.calls else float("inf")
            self.now = min(arrival, next_end, self._next_open() if waiting else float("inf"))
            if self.now == next_end:
                _, _, key, started_at, outcome = heapq.heappop(self.calls)
                waiting += self._end(key, started_at, outcome)
            elif self.now == arrival:
                waiting += 1
                arrival += self.rng.expovariate(per_s)
            while waiting and (free := self._choose()) is not None:
                waiting, number = waiting - 1, number + 1
                self._begin(free, number)

    def _next_open(self) -> float:
        return min(self.quota_of[key].next_open_at(self.now, self.in_flight[key]) for key in self.members)

    def _choose(self) -> int | None:
        free = [key for key in self.members if self.quota_of[key].may_send(self.now, self.in_flight[key])]
        used = {key: self.quota_of[key].sent_since(self.now - 300.0) / len(self.members[key]) for key in free}
        return min(free, key=lambda key: (used[key], self.rng.random()), default=None)

    def _begin(self, key: int, number: int) -> None:
        quota = self.quota_of[key]
        quota.start(self.now)
        self.in_flight[key] += 1
        service = self.service[self.projects[key]]
        service.delay_s = 0.02
        self._let_others_call()
        outcome = service.call(self.now, WALL + self.now)
        lasts = self.rng.lognormvariate(0.9, 0.5) if outcome.kind is Kind.OK else self.rng.uniform(0.03, 0.07)
        heapq.heappush(self.calls, (self.now + lasts, number, key, self.now, outcome))

    def _let_others_call(self) -> None:
        for name, at in self.others_at.items():
            while self.others_per_s and self.others_at[name] < self.now:
                self.service[name].call(self.others_at[name], WALL + at)
                self.others_at[name] += self.rng.expovariate(self.others_per_s)

    def _end(self, key: int, started_at: float, outcome: Outcome) -> int:
        """End a call; answers how many requests have to be sent again."""
        while key not in self.members:
            key = next(kept for kept, keys in self.members.items() if key in keys)
        self.in_flight[key] -= 1
        quota = self.quota_of[key]
        quota.end(started_at, outcome, self.now, WALL + self.now, self.in_flight[key])
        if outcome.kind is Kind.OK:
            self.served += 1
            return 0
        self.refused += 1
        while (other := self.discovery.wall(str(key), self.now)) is not None:
            self._merge(key, int(other))
        return 1

    def _merge(self, kept: int, gone: int) -> None:
        self.quota_of[kept].absorb(self.quota_of[gone], self.now)
        self.discovery.forget(str(gone))
        self.members[kept] += self.members.pop(gone)
        self.in_flight[kept] += self.in_flight[gone]
        self.merged.add(frozenset(self.members[kept]))


def test_eight_keys_of_two_projects_nobody_told_of() -> None:
    """Twenty minutes near both limits: one refused call a key on average, and no two projects taken for one."""
    refused = []
    for seed in range(10):
        pool = Pool("xyxyxyxy", {name: ProjectService(rpm=15) for name in "xy"}, random.Random(seed))
        pool.run(28 / 60.0, 1200.0)
        assert all(len({pool.projects[key] for key in group}) == 1 for group in pool.merged)
        assert len(pool.members) <= 3
        refused.append(pool.refused)
    assert sum(refused) / len(refused) <= 8
    assert max(refused) <= 16


def test_keys_of_projects_of_their_own_are_never_merged() -> None:
    """Four projects, asked for nearly all they give: each refuses once or so, and stays alone."""
    for seed in range(5):
        pool = Pool("wxyz", {name: ProjectService(rpm=15) for name in "wxyz"}, random.Random(seed))
        pool.run(55 / 60.0, 900.0)
        assert not pool.merged
        assert pool.refused <= 5


def test_keys_that_somebody_else_uses_too_are_not_merged() -> None:
    """Four projects of which others take a third: what does not add up once is not believed to add up later."""
    merged = 0
    for seed in range(10):
        services = {name: ProjectService(rpm=15) for name in "wxyz"}
        pool = Pool("wxyz", services, random.Random(seed), others_per_s=5 / 60.0)
        pool.run(45 / 60.0, 900.0)
        merged += bool(pool.merged)
    assert merged <= 1
