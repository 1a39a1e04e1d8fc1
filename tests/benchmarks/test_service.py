"""One short scenario over HTTP with our pool: emulator, client and records work together."""

from __future__ import annotations

import pytest

from benchmarks.service import figures
from benchmarks.service.children import ChildError, LineProcess
from benchmarks.service.clients import OURS
from benchmarks.service.running import run_once
from benchmarks.service.scenario import Scenario

SHORT = Scenario(
    name="short",
    title="Three keys, one invalid",
    text="A user a second.",
    keys=3,
    projects=3,
    users=12,
    seconds=12.0,
    faults=({"kind": "invalid", "keys": ["key-0"]},),
    figures=(),
)


async def test_a_scenario_is_played_and_both_sides_are_recorded():
    """Every user is served in scenario time, and the diary has a call for each and one to the dead key."""
    run = await run_once(SHORT, OURS, speed=10.0, seed=1)
    assert figures.served_percent(run) == 100.0, [user.why for user in run.users]
    assert figures.calls_with("invalid")(run) == 1
    assert figures.calls_with("ok")(run) == len(run.users) == 12
    assert all(user.seconds >= SHORT.latency_s * 0.9 for user in run.users)
    # the first user comes within seconds of second 0, whatever the machine does meanwhile
    assert all(call.at >= -1.0 for call in run.calls)
    assert {call.project for call in run.calls} == {"project-0", "project-1", "project-2"}


async def test_a_child_that_fails_says_why():
    """Its last words are in the error, so that a missing library can be told from a mistake."""
    async with LineProcess(["python", "-c", "import sys; sys.exit('no such library')"]) as child:
        with pytest.raises(ChildError, match="no such library"):
            await child.exchange(b"{}\n")
