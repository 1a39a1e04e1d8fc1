"""The picture of a run: what is counted for it, and that it is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.simulate import main
from benchmarks.simulation.scenario import Fault, Load, Scenario, Service, Trouble
from benchmarks.simulation.timeline import timeline
from benchmarks.simulation.world import run
from utils.gemini_pool.policy import Kind, PoolConfig

SCENARIO = """
title = "two keys, one of them dead"
duration_s = 40
keys = 2
[[load]]
until_s = 40
per_s = 1.0
[[fault]]
kind = "dead"
from_s = 20
keys = [1]
"""


def test_every_question_and_call_is_counted_once() -> None:
    """Questions are under way from when they were asked until they ended; calls are told apart by how they ended."""
    told = timeline([0.0, 0.5, 1.5], [2.2, 3.9], [2.0], [(2.2, Kind.OK), (1.1, Kind.TIMEOUT), (3.9, Kind.OK)])
    assert told.bin_s == 1.0
    assert told.answered == [0, 0, 1, 1, 0]
    assert told.unanswered == [0, 0, 1, 0, 0]
    assert told.under_way == [2, 3, 1, 0, 0]
    assert told.calls["answered"] == [0, 0, 1, 1, 0]
    assert told.calls["failed or timed out"] == [0, 1, 0, 0, 0]


def test_nothing_is_under_way_when_a_run_is_over() -> None:
    """Refused, served and impatient users: all who asked have ended, and what a run counted adds up."""
    scenario = Scenario(
        "crowd",
        "",
        60.0,
        ("a", "b"),
        (Load(until_s=60.0, per_s=2.0, patience_s=10.0), Load(until_s=60.0, per_s=1.0, caller_fault_share=0.5)),
        faults=(Fault(Trouble.ERROR, share=0.3),),
        service=Service(requests_per_minute=15),
    )
    recorder = run(scenario, PoolConfig(), 1)
    told, figures = recorder.timeline(), recorder.figures()
    assert sum(told.unanswered) > 0
    assert sum(told.answered) + sum(told.unanswered) == figures["asked"]
    assert min(told.under_way) == told.under_way[-1] == 0
    assert sum(told.calls["over a quota"]) == figures["refused_429"]


def test_a_run_is_drawn_where_it_is_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--picture`` writes a PNG beside the table."""
    pytest.importorskip("matplotlib")
    file, target = tmp_path / "dying.toml", tmp_path / "run.png"
    file.write_text(SCENARIO, encoding="utf-8")
    assert main([str(file), "--seeds", "1", "--picture", str(target)]) == 0
    assert "two keys, one of them dead" in capsys.readouterr().out
    content = target.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(content) > 10_000


def test_a_picture_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there ends the command with a sentence, after the table."""
    pytest.importorskip("matplotlib")
    file = tmp_path / "dying.toml"
    file.write_text(SCENARIO, encoding="utf-8")
    assert main([str(file), "--seeds", "1", "--picture", str(tmp_path / "no" / "run.png")]) == 2
    assert "run.png" in capsys.readouterr().err
