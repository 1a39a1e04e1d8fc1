"""``python -m sandbox``: run the sandbox alone.

The first line on standard output is for people, the second is JSON for programs: ``{"ready": {...addresses...}}``
(or ``{"error": sentence}``, which then is the only line). Ends on SIGTERM, SIGINT or ``POST /_sandbox/stop`` with exit
code 0; what keeps it from starting is one sentence on standard error and exit code 2.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sandbox.server import DEFAULT_PORT, PARTS, ServerError, ServerOptions, running, until_stopped

_REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until stopped; answers the exit code."""
    options = _options(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_run(options))
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        # a program that started this one reads only standard output
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        return _REFUSED
    except KeyboardInterrupt:
        return 0
    return 0


def _options(arguments: Sequence[str] | None) -> ServerOptions:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A Gemini and a Discord on this machine, with a page to talk to the bot.",
    )
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="the page's port (0: any free one)")
    parser.add_argument("--parts", choices=PARTS, default="all", help="which emulators to run")
    parser.add_argument("--seed", type=int, default=0, help="for keys, ids and chance")
    parser.add_argument("--speed", type=_speed, default=1.0, help="sandbox seconds per real second")
    parser.add_argument("--leave-when-idle", type=float, metavar="SECONDS", help="end when nobody used it so long")
    parser.add_argument("--openapi", type=Path, metavar="FILE", help="Discord's published description, as a judge")
    found = parser.parse_args(arguments)
    return ServerOptions(
        port=found.port,
        parts=found.parts,
        seed=found.seed,
        speed=found.speed,
        leave_when_idle_s=found.leave_when_idle,
        openapi=found.openapi,
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port lies between 0 and 65535")
    return port


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 < speed <= 10_000:
        raise argparse.ArgumentTypeError("the speed of time lies above 0 and at most at 10000")
    return speed


async def _run(options: ServerOptions) -> None:
    async with running(options) as sandbox:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            # Windows has no signal handlers in its loop; Ctrl-C arrives there as KeyboardInterrupt
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, sandbox.stopped.set)
        sys.stdout.write(f"Sandbox: {sandbox.page_url}\n")
        sys.stdout.write(json.dumps({"ready": sandbox.addresses()}) + "\n")
        sys.stdout.flush()
        await until_stopped(sandbox, options)


if __name__ == "__main__":
    sys.exit(main())
