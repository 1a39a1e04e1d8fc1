"""What the pool costs: CPU time per request beside the plain SDK, the time to choose a key and to be made, and memory.

``python -m benchmarks.pool`` prints every table; with the name of one (``requests``, ``choosing``, ``making``,
``memory``) that one alone. Each is medians of interleaved rounds beside an emulator in a process of its own.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from benchmarks import choosing, making, memory, requests

TABLES: dict[str, tuple[str, Callable[[], list[str]]]] = {
    "requests": (
        f"CPU time per request: {requests.ROUNDS} interleaved rounds of {requests.REQUESTS} over {requests.KEYS} keys",
        lambda: asyncio.run(requests.table()),
    ),
    "choosing": ("Time to choose a key and count a call's start, and to count its end", choosing.table),
    "making": ("Time to make a pool", making.table),
    "memory": ("Resident memory", memory.table),
}


def main(names: list[str]) -> None:
    """Print the tables of these names, or all."""
    for name in names or TABLES:
        title, table = TABLES[name]
        print(f"{title}\n")
        print("\n".join(table()), flush=True)
        print()


if __name__ == "__main__":
    main(sys.argv[1:])
