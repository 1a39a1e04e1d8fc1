"""The simulator itself: the same seed gives the same run, and what a scenario file says is what happens."""

from __future__ import annotations

import dataclasses
import math
import random
from pathlib import Path

import pytest

from benchmarks.simulate import SCENARIOS, main
from benchmarks.simulation.figures import FIGURES
from benchmarks.simulation.scenario import Fault, Goal, Load, Scenario, Service, Trouble, configured, read
from benchmarks.simulation.service import ProjectQuota
from benchmarks.simulation.table import measure, shown, table
from benchmarks.simulation.world import WALL_START, arrivals, run
from utils.gemini_pool.policy import Kind, PoolConfig, classify

SHORT = Scenario(
    "short", "two keys, two minutes", 120.0, ("a", "b"), (Load(until_s=120.0, per_s=1.0),), deadline_s=30.0
)


def test_the_same_seed_gives_the_same_run() -> None:
    """Two runs of one seed agree in every figure; another seed differs."""
    first, again, other = (run(SHORT, PoolConfig(), seed).figures() for seed in (1, 1, 2))
    assert str(first) == str(again)
    assert first != other


def test_other_constants_meet_the_same_users() -> None:
    """Arrivals have dice of their own: as many ask under any constants."""
    plain = run(SHORT, PoolConfig.plain(), 1).figures()
    assert plain["asked"] == run(SHORT, PoolConfig(), 1).figures()["asked"]


def test_a_service_that_is_dead_serves_nobody() -> None:
    """Every key dead from the start: one wasted call for each, and nothing served."""
    dead = dataclasses.replace(SHORT, faults=(Fault(Trouble.DEAD, keys=(1, 2)),))
    figures = run(dead, PoolConfig(), 1).figures()
    assert figures["availability"] == 0.0
    assert figures["wasted"] == figures["wasted_ill"] == 2
    assert math.isinf(figures["calls_per_served"])


def test_a_slow_service_answers_later() -> None:
    """A factor of 2 on every key doubles the usual wait."""
    service = Service(latency_sigma=0.01)
    usual = dataclasses.replace(SHORT, service=service)
    slow = dataclasses.replace(usual, faults=(Fault(Trouble.SLOW, factor=2.0),))
    assert run(usual, PoolConfig(), 1).figures()["wait_p50"] == pytest.approx(2.5, abs=0.05)
    assert run(slow, PoolConfig(), 1).figures()["wait_p50"] == pytest.approx(5.0, abs=0.1)


def test_a_user_without_patience_leaves() -> None:
    """A user who leaves is not served, and nothing stays in flight."""
    hurried = dataclasses.replace(SHORT, loads=(Load(until_s=120.0, per_s=1.0, patience_s=0.5),))
    figures = run(hurried, PoolConfig(), 1).figures()
    assert figures["availability"] < 5.0
    assert figures["wasted"] == 0


def test_bursts_arrive_evenly_over_their_time() -> None:
    """So many requests as asked for, all inside the load's time."""
    times = [one.at for one in arrivals((Load(from_s=10.0, until_s=12.0, requests=4),), random.Random(1))]
    assert times == [10.0, 10.5, 11.0, 11.5]


def test_the_service_admits_no_more_than_its_limits() -> None:
    """The sixteenth call in a minute is refused until the first is a minute old; a day's limit has its own name."""
    quota = ProjectQuota(per_minute=15, per_day=16)
    assert not any(quota.refusal(float(second), WALL_START + second) for second in range(15))
    refused = quota.refusal(20.0, WALL_START + 20)
    assert refused is not None
    outcome = classify(refused)
    assert (outcome.kind, outcome.retry_after, outcome.limits[0].value) == (Kind.QUOTA, 40.0, 15)
    assert quota.refusal(60.0, WALL_START + 60) is None
    spent = quota.refusal(200.0, WALL_START + 200)
    assert spent is not None
    assert classify(spent).detail == "daily limit"


def test_a_goal_compares_the_mean_or_the_worst_seed() -> None:
    """One seed over the bound breaks a goal over the worst, not one over the mean."""
    values = [1.0, 2.0, 6.0]
    assert Goal("x", at_most=3.0).is_met(values)
    assert not Goal("x", at_most=3.0, over="worst").is_met(values)
    assert Goal("x", at_least=3.0).is_met(values)
    assert not Goal("x", at_least=3.0, over="worst").is_met(values)
    with pytest.raises(ValueError, match="at_least or at_most"):
        Goal("x")


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_scenario_file_is_understood(path: Path) -> None:
    """Goals name figures that exist, constants exist, faults name keys that exist."""
    scenario = read(path)
    assert {goal.figure for goal in scenario.goals} <= set(FIGURES)
    assert scenario.ill_keys() <= set(range(1, len(scenario.projects) + 1))
    configured(PoolConfig(), scenario.config)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('title = ""\nduration_s = 1\nkeys = 1\nload = [{ per_sec = 1 }]', "per_sec"),
        ('title = ""\nduration_s = 1\nkeys = 1\nload = []\nfault = [{ kind = "sad" }]', "sad"),
        ('title = ""\nduration_s = 1\nkeys = 2\nprojects = ["a"]\nload = []', "one project for every key"),
        ('title = ""\nduration_s = 1\nkeys = 1\nload = []\nlimit = 3', "limit"),
    ],
)
def test_a_name_it_does_not_know_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """A typing mistake in a scenario is an error that names the file."""
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"wrong\.toml: .*{complaint}"):
        read(path)


def test_constants_are_read_as_their_type() -> None:
    """Texts of the command line become whole numbers, numbers and truths; unknown fields are refused."""
    config = configured(PoolConfig(), {"max_attempts": "3", "rotation_s": "60", "lift_newcomers": "false"})
    assert (config.max_attempts, config.rotation_s, config.lift_newcomers) == (3, 60.0, False)
    with pytest.raises(ValueError, match="no field speed"):
        configured(PoolConfig(), {"speed": "3"})


def test_a_table_shows_the_goal_with_its_figure() -> None:
    """A goal that is not reached says so, with what was measured."""
    scenario = dataclasses.replace(SHORT, goals=(Goal("calls_per_served", at_most=0.5),))
    text = table(measure(scenario, 2))
    assert "NOT REACHED: calls_per_served <= 0.5; measured 1" in text
    assert shown(math.inf) == "never"


def test_the_command_prints_tables_and_refuses_nonsense(capsys: pytest.CaptureFixture[str]) -> None:
    """One table for a file; one sentence and the exit code 2 for a constant that does not exist."""
    burst = str(SCENARIOS / "burst.toml")
    assert main([burst, "--seeds", "1", "--config", "max_attempts=2"]) == 0
    assert capsys.readouterr().out.startswith("## burst: ")
    assert main([burst, "--seeds", "1", "--config", "colour=2"]) == 2
    assert "no field colour" in capsys.readouterr().err
