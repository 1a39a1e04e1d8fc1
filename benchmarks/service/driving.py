"""Inside a client's process: warm up, make the client, play what the runner orders.

``serve`` is the whole of such a process; a client is a ``Contestant`` and the function that makes one. What always
holds: users come when the load says, whatever became of earlier ones; a user who got no answer in time leaves and the
client's work for that user is cancelled; an answer counts only when it repeats its own question's id. Standard library
only, since clients from other environments are driven by it too.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from benchmarks.service.protocol import LEFT, REFUSED, SERVED, WRONG, Burn, Json, Load, Setup, User, read_order
from benchmarks.service.scaled_time import new_loop

_WARM_UP = 3


class Contestant(Protocol):
    """A client: asks a question over its keys, and may raise whatever it raises."""

    async def ask(self, question: str, patience_s: float) -> str:
        """Answer the text; ``patience_s`` is how long the user will wait."""
        ...

    async def aclose(self) -> None:
        """Close what is open."""
        ...


Make = Callable[[Setup], Awaitable[Contestant]]


def serve(make: Make) -> None:
    """Be a client's process: orders on standard input, answers on standard output."""
    setup = Setup.read(json.loads(sys.stdin.readline()))
    with asyncio.Runner(loop_factory=partial(new_loop, setup.speed)) as runner:
        runner.run(_serve(make, setup))


async def _serve(make: Make, setup: Setup) -> None:
    # what a library does once (imports, its models, certificates) is no part of a scenario
    warm = await make(replace(setup, keys=(setup.spare,), told=False))
    for number in range(_WARM_UP):
        await warm.ask(f"warm up #q-{number}", 60.0)
    await warm.aclose()
    contestant = await make(setup)
    _say({"ready": True})
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = read_order(json.loads(line))
        if isinstance(order, Burn):
            _say({"cpu_ms": await burn(contestant, order)})
        else:
            users = await play(contestant, order, setup.speed)
            _say({"users": [user.row() for user in users]})
    await contestant.aclose()


def _say(document: Json) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


async def play(contestant: Contestant, load: Load, speed: float) -> list[User]:
    """Let every user come in time; answers their fates in the order they came."""
    loop, zero = asyncio.get_running_loop(), load.zero_at * speed
    users = []
    for number, at in enumerate(load.arrivals):
        await asyncio.sleep(zero + at - loop.time())
        users.append(loop.create_task(_user(contestant, number, at, loop.time() - zero - at, load.patience_s)))
    return await asyncio.gather(*users)


async def _user(contestant: Contestant, number: int, at: float, late_s: float, patience_s: float) -> User:
    loop, mark = asyncio.get_running_loop(), f"#q-{number}e"
    begun = loop.time()
    why, patience = "", asyncio.timeout(patience_s)
    try:
        async with patience:
            text = await contestant.ask(f"In one sentence: why is the sky blue? {mark}", patience_s)
        fate = SERVED if mark in text else WRONG
    except Exception as error:  # noqa: BLE001  # a client may raise anything; each is a user without an answer
        fate, why = (LEFT if patience.expired() else REFUSED), type(error).__name__
    return User(at, fate, loop.time() - begun, late_s, why)


async def burn(contestant: Contestant, order: Burn) -> float:
    """CPU milliseconds of this process per question; raises what the client raises."""
    left = iter(range(order.questions))

    async def work() -> None:
        for number in left:
            await contestant.ask(f"In one sentence: why is the sky blue? #q-{number}", 60.0)

    begun = time.process_time()
    await asyncio.gather(*(work() for _ in range(order.at_once)))
    return (time.process_time() - begun) * 1000 / order.questions
