"""Run one scenario with one client: a fresh emulator, a fresh process, and both sides' records on one clock.

What always holds: nothing of an earlier run is left; requests of the warm-up are in no record. Second 0 is the moment
the emulator took the faults, as well as two processes can agree on it (a few real milliseconds). A run whose load came
late, because the machine or the client could not keep up, is no run of the scenario: ``run_in_time`` repeats it with
time half as fast.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.service.children import ChildError, ClientProcess, EmulatorProcess
from benchmarks.service.clients import Client
from benchmarks.service.emulator import Service
from benchmarks.service.figures import lateness_s
from benchmarks.service.protocol import KeyEntry, Load, Setup, User
from benchmarks.service.scenario import Call, Run, Scenario

#: A load whose users came later than this (99 of 100 by less) was not played as it is written.
_LATE_S = 0.5
_SLOWEST = 2.0
#: A client that takes so many times as long as its load should, and so many real seconds more, will not end.
_STUCK_TIMES, _STUCK_S = 5.0, 60.0
MODEL = "gemini-4-hydrogen"
#: A key for warming up, in a project that no scenario has.
SPARE = KeyEntry("spare", "spare", "AQ.spare-key-of-a-benchmark-that-no-service-knows")


@dataclass(frozen=True, slots=True)
class Result:
    """What a client's runs of a scenario came to: its figures in their order, and the slowest speed of time."""

    scenario: Scenario
    client: Client
    values: tuple[float, ...]
    speed: float

    @property
    def missed(self) -> list[str]:
        """The titles of the figures that miss their goal."""
        pairs = zip(self.scenario.figures, self.values, strict=True)
        return [figure.title for figure, value in pairs if figure.goal is not None and not figure.goal.met(value)]


async def run_once(scenario: Scenario, client: Client, *, speed: float, seed: int, healthy: Run | None = None) -> Run:
    """Run it once; raises ChildError when a process fails."""
    keys = scenario.key_entries(seed)
    service = Service(
        keys=tuple(key.spec for key in (*keys, SPARE)),
        rpm=scenario.rpm,
        latency_s=scenario.latency_s,
        speed=speed,
        seed=seed,
    )
    async with EmulatorProcess(sys.executable, service) as emulator:
        setup = Setup(
            base_url=emulator.url,
            model=MODEL,
            keys=keys,
            spare=SPARE,
            speed=speed,
            told=scenario.told,
            rpm=scenario.rpm if scenario.told else None,
            seed=seed,
            variant=client.variant,
        )
        async with ClientProcess(client.command, setup) as process:
            await emulator.set_faults(scenario.faults)
            zero_at, zero_now = time.monotonic(), await emulator.now()
            # the emulator said its time a moment after second 0
            zero_now -= (time.monotonic() - zero_at) * speed
            users = await _play(process, Load(scenario.arrivals(seed), scenario.patience_s, zero_at), speed)
            calls = _calls(await emulator.diary(), zero_now)
    return Run(scenario, users, calls, speed, healthy)


async def _play(process: ClientProcess, load: Load, speed: float) -> list[User]:
    """Play a load; raises ChildError for a client that does not let its users go."""
    usual_s = (load.arrivals[-1] + load.patience_s) / speed
    try:
        async with asyncio.timeout(usual_s * _STUCK_TIMES + _STUCK_S):
            return await process.play(load)
    except TimeoutError:
        raise ChildError("the client held its users for longer than they wait") from None


def _calls(diary: Sequence[Mapping[str, Any]], zero_now: float) -> list[Call]:
    return [
        Call(entry["at"] - zero_now, entry["key"], entry["project"], entry["outcome"])
        for entry in diary
        if entry["key"] not in (None, SPARE.label) and entry["model"] is not None
    ]


async def run_in_time(
    scenario: Scenario, client: Client, *, speed: float, seed: int, healthy: Run | None = None
) -> Run:
    """Run it as fast as its load can be played in time; a late run is kept only at the slowest speed."""
    pace = speed * client.pace
    while True:
        run = await run_once(scenario, client, speed=pace, seed=seed, healthy=healthy)
        if lateness_s(run) <= _LATE_S or pace / 2 < min(_SLOWEST, speed):
            return run
        pace /= 2


async def run_all_seeds(
    scenario: Scenario, client: Client, *, speed: float, healthy: Run | None = None
) -> tuple[Result, Run]:
    """Run every seed, each at the speed the one before could be played at; answers the means and the last run."""
    runs: list[Run] = []
    for seed in scenario.seeds:
        runs.append(await run_in_time(scenario, client, speed=speed, seed=seed, healthy=healthy))
        speed = runs[-1].speed / client.pace
    values = tuple(statistics.fmean(figure.of(run) for run in runs) for figure in scenario.figures)
    return Result(scenario, client, values, min(run.speed for run in runs)), runs[-1]


def median_result(results: Sequence[Result]) -> Result:
    """One result of several rounds of the same scenario and client: the median of every figure."""
    first = results[0]
    values = tuple(statistics.median(some) for some in zip(*(result.values for result in results), strict=True))
    return Result(first.scenario, first.client, values, min(result.speed for result in results))
