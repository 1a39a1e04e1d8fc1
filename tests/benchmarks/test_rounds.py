"""Rounds over HTTP: a client that fails is left out, and the table of the others is whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from benchmarks.service import figures
from benchmarks.service.clients import OURS
from benchmarks.service.report import page
from benchmarks.service.rounds import Rounds
from benchmarks.service.scenario import Figure, Scenario

SHORT = Scenario(
    name="short",
    title="Two keys",
    text="A user a second.",
    keys=2,
    projects=2,
    users=4,
    seconds=6.0,
    figures=(Figure("users served", figures.served_percent),),
)
BROKEN = dataclasses.replace(OURS, name="broken", title="a client that is broken", python=Path("/bin/false"))


async def test_a_client_that_fails_is_told_of_and_left_out():
    """An hour of measuring is not lost to one process that died; no round begins after the minutes are over."""
    told: list[str] = []
    rounds = Rounds([SHORT], [BROKEN, OURS], speed=20.0, tell=told.append)
    results = await rounds.play(3, minutes=0.0)
    assert (rounds.done, rounds.failed) == (1, 1)
    assert [(result.client.name, result.values) for result in results] == [("ours", (100.0,))]
    assert told[0].startswith("short / broken failed and is left out: /bin/false")
    assert "4 to come" in told[1]
    assert "| users served |  | 100 |" in page(results, rounds=rounds.done)
