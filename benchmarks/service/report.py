"""The results as a page in Markdown: for every scenario a table of figures, ours beside the peers'."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.service.clients import OURS, Client
from benchmarks.service.running import Result
from benchmarks.service.scenario import Scenario

_NOTE = """Every client is a process of its own before a fresh emulator over HTTP; an answer takes 1 s. Time runs faster
(the last row of each table says how many times) for the emulator and for the client's whole event loop and clock, so
every client keeps its own constants. What a client's CPU costs is magnified as much: a run whose users came late (p99
above 0.5 s) is repeated with slower time. {rounds}**Bold**: our figure misses its goal.

- **this pool**: `GeminiAPIPool` as it comes. **plain formula**: the same with `PoolConfig.plain()`.
- **google-genai in turn**: one client of the SDK a key, asked in turn, without retries, or with the SDK's own
  (`HttpRetryOptions()`: 5 attempts, 1 s doubling).
- **LiteLLM Router**: its defaults with a timeout of 10 s a call; *by usage*: `usage-based-routing-v2`, which can be
  told requests a minute.
"""


def page(results: Sequence[Result], *, rounds: int) -> str:
    """The whole page below its head."""
    scenarios = list(dict.fromkeys(result.scenario.name for result in results))
    sections = [_section([one for one in results if one.scenario.name == name]) for name in scenarios]
    said = f"Medians of {rounds} interleaved rounds. " if rounds > 1 else ""
    return "\n".join([_NOTE.format(rounds=said), *sections])


def _section(results: Sequence[Result]) -> str:
    scenario = results[0].scenario
    clients = [result.client for result in results]
    head = ["", "goal", *(client.title for client in clients)]
    rows = [_row(scenario, number, results) for number in range(len(scenario.figures))]
    rows.append(_line(["speed of time", "", *(f"{result.speed:g}" for result in results)]))
    lines = [f"## {scenario.title}", "", scenario.text, "", _line(head), _line(["---"] * len(head)), *rows, ""]
    return "\n".join(lines)


def _row(scenario: Scenario, number: int, results: Sequence[Result]) -> str:
    figure = scenario.figures[number]
    cells = []
    for result in results:
        value = result.values[number]
        missed = _is_ours(result.client) and figure.goal is not None and not figure.goal.met(value)
        cells.append(f"**{figure.text(value)}**" if missed else figure.text(value))
    return _line([figure.title, figure.goal_text, *cells])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _is_ours(client: Client) -> bool:
    return client.name == OURS.name
