"""The scenarios as they are written down, and the page they become."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from benchmarks.service.clients import OURS, SDK
from benchmarks.service.report import page
from benchmarks.service.running import Result, median_result
from benchmarks.service.scenario import Figure, Goal, Scenario
from benchmarks.service.scenarios import SCENARIOS

ROOT = Path(__file__).resolve().parents[2]
ENVS = ROOT / "benchmarks" / "envs"

BOUNDED = Scenario(
    name="bounded",
    title="Bounded",
    text="As short as can be.",
    keys=1,
    projects=1,
    users=1,
    seconds=10.0,
    figures=(Figure("errors", lambda _run: 0.0, Goal("<=", 2)), Figure("p95", lambda _run: 0.0, unit=" s", digits=1)),
)


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        (Goal("<=", 2), 2.0, True),
        (Goal("<=", 2), 2.1, False),
        (Goal(">=", 0.9), 0.89, False),
        (Goal("=", 1), 1.0, True),
        (Goal("<=", 2), math.nan, False),
    ],
)
def test_a_goal_is_met_or_missed(goal, value, met):
    """Bounds belong to their goal; a figure that could not be taken meets none."""
    assert goal.met(value) is met


def test_the_page_shows_ours_beside_the_peers_and_marks_what_misses():
    """Only our own figures are held to a goal."""
    results = [Result(BOUNDED, OURS, (3.0, 1.25), 20.0), Result(BOUNDED, SDK, (9.0, math.nan), 5.0)]
    text = page(results, rounds=1)
    assert "| errors | at most 2 | **3** | 9 |" in text
    assert "| p95 |  | 1.2 s | - |" in text
    assert "| speed of time |  | 20 | 5 |" in text
    assert results[0].missed == ["errors"]


def test_several_rounds_become_their_medians():
    """Each figure by itself; the speed is that of the slowest round."""
    rounds = [Result(BOUNDED, OURS, values, speed) for values, speed in (((1.0, 9.0), 20.0), ((3.0, 7.0), 10.0))]
    rounds.append(Result(BOUNDED, OURS, (2.0, 8.0), 20.0))
    assert median_result(rounds) == Result(BOUNDED, OURS, (2.0, 8.0), 10.0)


def test_scenarios_name_what_exists():
    """Names are unique, a healthy measure comes before who needs it, faults name keys of their scenario."""
    seen: set[str] = set()
    for scenario in SCENARIOS:
        assert scenario.name not in seen
        assert scenario.healthy is None or scenario.healthy in seen
        labels = {key.label for key in scenario.key_entries(1)}
        named = {label for fault in scenario.faults for label in fault.get("keys", ())}
        assert named <= labels
        seen.add(scenario.name)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_users_come_in_time_and_alike_for_the_same_seed(scenario):
    """As many as written, in order, within the time, the same for every client."""
    arrivals = scenario.arrivals(1)
    assert len(arrivals) == scenario.users
    assert arrivals == sorted(arrivals) == scenario.arrivals(1)
    assert arrivals[0] >= 0.0
    assert arrivals[-1] <= scenario.seconds
    assert arrivals != scenario.arrivals(2)


def test_no_secret_of_a_key_is_printed():
    """A key shows its label and its project only."""
    key = SCENARIOS[0].key_entries(1)[0]
    assert key.secret not in repr(key)


def test_litellm_is_locked_apart_and_without_the_versions_that_must_not_be():
    """Its lock is whole and hashed, names no index, and no lock of the product knows it."""
    lock = (ENVS / "litellm.lock").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE))
    assert pinned["litellm"] not in {"1.82.7", "1.82.8", "1.107.0"}
    assert lock.count("--hash=sha256:") >= len(pinned)
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", lock)
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert "litellm" not in (ROOT / name).read_text(encoding="utf-8")
