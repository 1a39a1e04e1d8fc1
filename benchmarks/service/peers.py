"""What a question costs: CPU time of each client's process on one emulator, and LiteLLM's time to choose a deployment.

``python -m benchmarks.service.peers`` writes ``docs/benchmarks/peers.md`` (``--print``: only prints). All clients live
at once over the same eight keys and ask in interleaved rounds; what is compared is the CPU time of their processes, in
medians over the rounds and in ratios to the plain SDK's: wall time says more of the machine. The emulator answers
without latency.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from benchmarks.service.children import ROOT, ClientProcess, EmulatorProcess
from benchmarks.service.clients import LITELLM, OURS, SDK, Client, available
from benchmarks.service.emulator import Service
from benchmarks.service.protocol import Burn, KeyEntry, Setup
from benchmarks.service.running import MODEL, SPARE

_KEYS, _PROJECTS = 8, 4
_AT_ONCE = (16, 64)
_QUESTIONS = 200
_ROUNDS = 7
_EMULATOR_SPEED = 10_000.0
_DEPLOYMENTS = (4, 100, 1_000)
_COMPARED = (SDK, OURS, LITELLM)
_TITLE = (
    "CPU time per question and its ratio to the first column's: "
    f"median of {_ROUNDS} interleaved rounds of {_QUESTIONS} whole answers over {_KEYS} keys"
)
_TARGET = ROOT / "docs" / "benchmarks" / "peers.md"


async def cpu_ms(clients: Sequence[Client], at_once: int, *, questions: int, rounds: int) -> Mapping[str, float]:
    """CPU milliseconds per question of each client, by name; raises ChildError."""
    keys = tuple(
        KeyEntry(f"key-{number}", f"project-{number % _PROJECTS}", f"AQ.nobody-knows-key-{number}-of-a-benchmark")
        for number in range(_KEYS)
    )
    specs = tuple(key.spec for key in (*keys, SPARE))
    service = Service(keys=specs, rpm=None, latency_s=0.0, speed=_EMULATOR_SPEED)
    order = Burn(questions, at_once)
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(EmulatorProcess(sys.executable, service))
        processes = {}
        for client in clients:
            setup = Setup(emulator.url, MODEL, keys, SPARE, variant=client.variant)
            processes[client.name] = await stack.enter_async_context(ClientProcess(client.command, setup))
        samples: dict[str, list[float]] = {client.name: [] for client in clients}
        # one round more than is counted: the first opens the connections
        for number in range(rounds + 1):
            for name, process in processes.items():
                taken = await process.burn(order)
                samples[name] += [taken] if number else []
    return {name: statistics.median(some) for name, some in samples.items()}


def choosing_us(deployments: Sequence[int]) -> list[float]:
    """Microseconds in which LiteLLM's Router chooses, for each number of deployments."""
    done = subprocess.run(
        [str(LITELLM.python), "-m", "benchmarks.service.contestants.litellm_choosing", *map(str, deployments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(line) for line in done.stdout.split()[-len(deployments) :]]


def cpu_table(clients: Sequence[Client], measured: Mapping[int, Mapping[str, float]]) -> list[str]:
    """The table of CPU times and their ratios to the plain SDK's, as lines."""
    lines = [
        f"| | {' | '.join(client.title for client in clients)} |",
        f"|---|{'---|' * len(clients)}",
    ]
    for at_once, by_name in measured.items():
        base = by_name[SDK.name]
        cells = [f"{by_name[client.name]:.2f} ms ({by_name[client.name] / base:.2f})" for client in clients]
        lines.append(f"| {at_once} at once | {' | '.join(cells)} |")
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, then print or write; answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service.peers", description="CPU beside the peers.")
    parser.add_argument("--print", action="store_true", dest="only_print", help="write no file")
    only_print = parser.parse_args(argv).only_print
    there = available()
    clients = [client for client in _COMPARED if client in there]
    measured = {
        at_once: asyncio.run(cpu_ms(clients, at_once, questions=_QUESTIONS, rounds=_ROUNDS)) for at_once in _AT_ONCE
    }
    lines = [
        _TITLE,
        "",
        *cpu_table(clients, measured),
    ]
    if LITELLM in there:
        lines += ["", "LiteLLM Router's time to choose, default strategy", "", "| deployments | median |", "|---|---|"]
        times = zip(_DEPLOYMENTS, choosing_us(_DEPLOYMENTS), strict=True)
        lines += [f"| {count:,} | {taken:,.1f} us |" for count, taken in times]
    text = "\n".join(lines) + "\n"
    if only_print:
        print(text)
    else:
        _TARGET.write_text(_head() + text, encoding="utf-8")
    return 0


def _head() -> str:
    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"# peers\n\n`python -m benchmarks.service.peers` on {dt.datetime.now(dt.UTC):%Y-%m-%d}, {where}.\n\n"


if __name__ == "__main__":
    sys.exit(main())
