"""The bot under load: many interactions at once, many answers at once, years of messages, and charts.

``python -m benchmarks.bot`` prints every table; with the name of one (``interactions``, ``answers``, ``messages``,
``charts``) that one alone. The bot is a process of its own, composed as ``bot.py`` composes it; both emulators, with
Discord's rate limits, and the crowd are another. ``--rounds``: of how many the middle one is told; ``--messages``: how
many are stored. Wall times: a machine that does other work shows it in them.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.discord.charting import chart_rows
from benchmarks.discord.figures import Spread
from benchmarks.discord.filled import LONG_CHANNEL, fill
from benchmarks.discord.recalling import recall_times
from benchmarks.discord.stage import Json, Stage, stage
from benchmarks.discord.world import World
from bot import keep_for_good
from utils.security.masterkeys import MasterKeys
from utils.storage import open_storage

_PEOPLE = 200
_AT_ONCE = 200
_ANSWERS = 100
_WORDS = 900
#: Between rounds the bot ends what the round before began.
_REST_S = 8.0
_LOADS = 200

_INTERACTIONS = f"""{_AT_ONCE} interactions in one instant: `/ask`, `/usage`, `/my-data show`, `/persona list`,
`/pool-stats`, `/api-key-stats` and buttons. Goal: all acknowledged, p99 below 300 ms (Discord takes 3 s)."""
_ANSWERING = f"""{_ANSWERS} answers of {_WORDS} words at once, each in a thread; Gemini's first byte after 1 s, a piece
every 250 ms. Goals: first text within 1.2 s of the first byte, states in between a second apart, loop lag p99 below
50 ms, never told to slow down. Discord takes 50 requests a second from a bot: of a hundred answers that begin in one
instant the last cannot be seen before 2 s."""


@dataclass(frozen=True, slots=True)
class Round:
    """What was measured once: the times that count, the bot's loop lag (ms) and CPU, and all that the crowd saw."""

    times: Spread
    lag: Spread
    cpu: float
    seen: Json


async def interactions(told: argparse.Namespace) -> list[str]:
    """200 in one instant: how long until each was acknowledged, as the emulated Discord sees it."""
    rows = ["| acknowledged | p50 | p99 | slowest | loop lag p99 | rules broken |", "|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        async with stage(Path(folder), World(_PEOPLE, latency_s=0.3, gap_s=0.1)) as place:
            await place.order("answered_asks", count=30)
            rounds = [await _at_once(place) for _ in range(told.rounds)]
    one = _middle(rounds)
    rows.append(
        f"| {len(one.seen['ms'])} of {_AT_ONCE} | {one.times.p50:.0f} ms | {one.times.p99:.0f} ms"
        f" | {one.times.most:.0f} ms | {one.lag.p99:.0f} ms | {len(one.seen['violations'])} |"
    )
    return rows


async def _at_once(place: Stage) -> Round:
    await asyncio.sleep(_REST_S)
    await place.begin()
    seen = await place.order("at_once", count=_AT_ONCE)
    return Round(Spread.of(seen["ms"]), *await place.look(), seen)


async def answers(told: argparse.Namespace) -> list[str]:
    """100 answers streamed at once into 100 threads, begun within ten seconds and all in one instant."""
    columns = ("begun", "first text p50", "p99", "edits of a message", "apart at least", "most requests in a second")
    columns += ("loop lag p99", "CPU", "told to slow down", "rules broken")
    rows = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    with tempfile.TemporaryDirectory() as folder:
        async with stage(Path(folder), World(_ANSWERS, latency_s=1.0, gap_s=0.25)) as place:
            await place.order("open_chats", count=_ANSWERS)
            for name, over_s in (("within 10 s", 10.0), ("in one instant", 0.0)):
                rounds = [await _stream(place, over_s) for _ in range(told.rounds)]
                rows.append(_answers_row(name, _middle(rounds)))
    return rows


def _answers_row(name: str, one: Round) -> str:
    seen = one.seen
    return (
        f"| {name} | {one.times.p50:.2f} s | {one.times.p99:.2f} s | {statistics.median(seen['edits']):.0f}"
        f" | {min(seen['gaps_s'], default=0.0):.2f} s | {seen['per_second']} | {one.lag.p99:.0f} ms | {one.cpu:.0%}"
        f" | {sum(seen['told_to_slow_down'].values())} | {len(seen['violations'])} |"
    )


async def _stream(place: Stage, over_s: float) -> Round:
    await asyncio.sleep(_REST_S)
    await place.begin()
    seen = await place.order("stream", count=_ANSWERS, words=_WORDS, over_s=over_s)
    lag, cpu = await place.look()
    if seen["answers"] < _ANSWERS:
        raise RuntimeError(f"only {seen['answers']} of {_ANSWERS} answers ended")
    return Round(Spread.of(seen["first_text_s"]), lag, cpu, seen)


async def messages(told: argparse.Namespace) -> list[str]:
    """A thread's context from a full database, and the start of the bot with it."""
    rows = ["| | |", "|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, keys = folder / "data" / "bot.db", MasterKeys(folder / "keys" / "master.key")
        stored = await fill(path, keys, wanted=told.messages, long_thread=min(10_000, told.messages // 2))
        rows.append(f"| stored, encrypted | {stored:,} messages, {path.stat().st_size / 1e6:,.0f} MB |")
        begun = time.perf_counter()
        async with open_storage(str(path), keys=keys) as storage:
            rows.append(f"| database opened | {(time.perf_counter() - begun) * 1000:.0f} ms |")
            keep_for_good()
            threads = max(1, stored // 200 - 60)
            many = [1 + number * 7919 % threads for number in range(_LOADS)]
            for title, channels in (
                ("any thread: context of 200 messages", many),
                ("the thread of 10,000", [LONG_CHANNEL] * _LOADS),
            ):
                took = Spread.of(await recall_times(storage, channels))
                rows.append(f"| {title} | p50 {took.p50:.1f} ms, p99 {took.p99:.1f} ms |")
        starts = []
        for _ in range(1 + told.rounds):
            async with stage(folder, World(1, latency_s=0.3, gap_s=0.1)) as place:
                starts.append(place.started_s)
        rows.append(f"| from the process's start until connected to Discord | {statistics.median(starts[1:]):.1f} s |")
        rows.append(f"| the first time after an installation, when Python compiles all modules | {starts[0]:.1f} s |")
    return rows


async def charts(_told: argparse.Namespace) -> list[str]:
    """A chart drawn by its process, and what the loop that waits for it feels."""
    return ["| chart | takes | loop lag p99 | longest |", "|---|---|---|---|", *await chart_rows()]


def _middle(rounds: Sequence[Round]) -> Round:
    """Give the round whose 99th percentile is the middle one."""
    return sorted(rounds, key=lambda one: one.times.p99)[len(rounds) // 2]


TABLES: dict[str, tuple[str, Callable[[argparse.Namespace], Awaitable[list[str]]]]] = {
    "interactions": (_INTERACTIONS, interactions),
    "answers": (_ANSWERING, answers),
    "messages": ("Years of messages. Goals: a context in 10 ms (p99), a start in 3 s.", messages),
    "charts": ("Charts. Goal: loop lag p99 below 50 ms while one is drawn.", charts),
}


async def _run(told: argparse.Namespace) -> None:
    for name in told.tables or TABLES:
        title, table = TABLES[name]
        print(f"## {name}\n\n{title}\n", flush=True)
        print("\n".join(await table(told)), flush=True)
        print()


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables of these names, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bot", description="The bot under load.")
    parser.add_argument("tables", nargs="*", choices=[[], *TABLES], metavar="TABLE", help=", ".join(TABLES))
    parser.add_argument("--rounds", type=int, default=3, help="the middle one is told (default 3)")
    parser.add_argument("--messages", type=int, default=1_000_000, help="how many are stored (default a million)")
    asyncio.run(_run(parser.parse_args(argv)))


if __name__ == "__main__":
    main()
