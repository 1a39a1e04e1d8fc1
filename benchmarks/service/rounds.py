"""Every scenario with every client, round after round, and what came of it.

``Rounds.play`` goes through all scenarios and clients before the next round begins, so that whatever the machine does
meanwhile falls upon all alike, and an end after any round leaves a whole table. What always holds: a run that fails is
told and left out, and the others go on; a client begins a scenario at the speed of time at which it could play it in
the round before. Progress is told run by run, with how many are still to come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from benchmarks.service.children import ChildError
from benchmarks.service.clients import Client
from benchmarks.service.running import Result, median_result, run_all_seeds
from benchmarks.service.scenario import Run, Scenario


class Rounds:
    """Plays rounds; ``done``: how many were played, ``failed``: how many runs ended in an error."""

    def __init__(
        self, scenarios: Sequence[Scenario], clients: Sequence[Client], *, speed: float, tell: Callable[[str], object]
    ) -> None:
        self._scenarios = scenarios
        self._clients = clients
        self._speed = speed
        self._tell = tell
        self._found: dict[tuple[str, str], list[Result]] = {}
        self._healthy: dict[tuple[str, str], Run] = {}
        self._begun_at = time.monotonic()
        self.done = 0
        self.failed = 0

    async def play(self, rounds: int, minutes: float | None = None) -> list[Result]:
        """Play so many rounds, but begin none after so many minutes; the medians, in the order of the scenarios."""
        while self.done < rounds and (not self.done or minutes is None or self._minutes() < minutes):
            left = (rounds - self.done) * len(self._scenarios) * len(self._clients)
            for scenario in self._scenarios:
                for client in self._clients:
                    left -= 1
                    await self._run(scenario, client, left)
            self.done += 1
        return [median_result(results) for results in self._found.values()]

    async def _run(self, scenario: Scenario, client: Client, left: int) -> None:
        found = self._found.setdefault((scenario.name, client.name), [])
        speed = found[-1].speed / client.pace if found else self._speed
        healthy = self._healthy.get((scenario.healthy or "", client.name))
        begun_at = time.monotonic()
        try:
            result, last = await run_all_seeds(scenario, client, speed=speed, healthy=healthy)
        except ChildError as error:
            self.failed += 1
            self._tell(f"{scenario.name} / {client.name} failed and is left out: {error}\n")
            if not found:
                del self._found[scenario.name, client.name]
            return
        self._healthy[scenario.name, client.name] = last
        found.append(result)
        took = f"{time.monotonic() - begun_at:.1f} s; {left} to come after {self._minutes():.0f} min"
        self._tell(f"{scenario.name} / {client.name} ({result.speed:g}x, {took}): {_figures(result)}\n")

    def _minutes(self) -> float:
        return (time.monotonic() - self._begun_at) / 60


def _figures(result: Result) -> str:
    pairs = zip(result.scenario.figures, result.values, strict=True)
    return ", ".join(f"{figure.title} {figure.text(value)}" for figure, value in pairs)
