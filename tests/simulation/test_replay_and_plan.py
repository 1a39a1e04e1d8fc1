"""A recorded day is played again, and the planner finds the smallest number of projects that keeps its promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.plan import Wanted, plan, simulate
from benchmarks.plan import main as plan_main
from benchmarks.simulate import main
from benchmarks.simulation.replay import replay
from benchmarks.simulation.scenario import Fault, Load, Scenario, Trouble
from benchmarks.simulation.world import World
from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.explaining.recorded import Recorded, from_lines, recorded, to_lines


@pytest.fixture(scope="module")
def day() -> list[Recorded]:
    """Ten minutes of four keys, of which the second fails; through the lines of a file."""
    scenario = Scenario(
        name="recorded",
        title="",
        duration_s=600,
        projects=("a", "b", "c", "d"),
        loads=(Load(until_s=600, per_s=1.0),),
        faults=(Fault(Trouble.ERROR, keys=(2,)),),
    )
    world = World(scenario, PoolConfig(), 1)
    world.run()
    return list(from_lines(to_lines(recorded(record) for record in world.policy.history)))


def test_a_recorded_day_comes_out_alike(day: list[Recorded]) -> None:
    """The same requests, the same bad key: all served, with a few calls wasted on it again."""
    figures = replay(day, PoolConfig()).figures()
    assert figures["asked"] == len(day)
    assert figures["availability"] == 100
    assert 2 <= figures["wasted"] <= 60
    assert figures["wait_p50"] == pytest.approx(2.5, rel=0.3)


def test_other_constants_meet_the_same_day(day: list[Recorded]) -> None:
    """A gate that never opens keeps asking the key that fails."""
    usual = replay(day, PoolConfig()).figures()
    stubborn = PoolConfig(open_after_faults=10**6, open_after_timeouts=10**6, open_error_rate=1.0)
    assert replay(day, stubborn).figures()["wasted"] > usual["wasted"] * 1.5


def test_the_same_day_twice_is_the_same(day: list[Recorded]) -> None:
    """Nothing depends on anything but records, constants and seed."""
    first, second = (replay(day, PoolConfig(), seed=3).figures() for _ in range(2))
    assert {name: str(value) for name, value in first.items()} == {name: str(value) for name, value in second.items()}


def test_the_command_replays_a_file(day: list[Recorded], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One table for a file; a sentence for a file that is none."""
    file = tmp_path / "day.jsonl"
    file.write_text("\n".join(to_lines(day)), encoding="utf-8")
    assert main(["--replay", str(file), "--keys", "2"]) == 0
    assert f"| asked | {len(day):,} |" in capsys.readouterr().out
    file.write_text("{}\n", encoding="utf-8")
    assert main(["--replay", str(file)]) == 2
    assert "line 1 is no record" in capsys.readouterr().err
    file.write_text("", encoding="utf-8")
    assert main(["--replay", str(file)]) == 2
    assert "nothing to replay" in capsys.readouterr().err


def test_the_plan_is_the_smallest_that_keeps_the_promises() -> None:
    """One project fewer breaks one of them."""
    wanted = Wanted(users=30, per_hour=60, rpm=15, wait_s=2.0)
    tried: list[int] = []
    best = plan(wanted, lambda found: tried.append(found.projects))
    assert best is not None
    assert best.keeps(wanted)
    assert best.projects >= 2
    assert not simulate(wanted, best.projects - 1).keeps(wanted)
    assert tried == sorted(set(tried), key=tried.index)


def test_the_planner_prints_its_way_and_its_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """A row for what was tried, a sentence at the end."""
    assert plan_main(["--users", "5", "--per-hour", "10", "--rpm", "10"]) == 0
    out = capsys.readouterr().out
    assert "| 1 | 100.00 | 0.00 |" in out
    assert "1 projects serve 5 users: 100.00 % answered" in out
