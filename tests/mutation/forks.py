"""Run something in a copy of this process and hear what it finds.

``listen`` yields what the copy tells while it works; ``in_a_copy`` gives its one answer and is for mistakes: the copy
has little memory, and ``limit_time`` ends it when it runs for ever.
"""

from __future__ import annotations

import gc
import os
import pickle
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_MEMORY = 4 * 1024**3
#: A copy that only waits is ended after this many times its CPU time.
_WAITS_TIMES = 10.0


@dataclass(frozen=True)
class Ended:
    """How a copy ended: what it answered, or None; ``timed_out``: it was ended by its limit."""

    answer: Any
    timed_out: bool


Tell = Callable[[Any], None]


def limit_time(seconds: float) -> None:
    """End this process when it has used so much CPU time from now on, or waited ten times that; 0: never."""
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * _WAITS_TIMES)


def in_a_copy(work: Callable[[], Any]) -> Ended:
    """Run ``work`` in a fork, in silence and with little memory; an error in it answers None."""
    child, reading = _fork(lambda tell: tell(work()), quiet=True)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return Ended(pickle.loads(said) if said else None, by in {signal.SIGVTALRM, signal.SIGALRM})  # noqa: S301  # ours


def listen(work: Callable[[Tell], None]) -> Iterator[Any]:
    """Run ``work`` in a fork and yield everything that it tells; what it writes is shown."""
    child, reading = _fork(work, quiet=False)
    try:
        with os.fdopen(reading, "rb") as pipe:
            while pipe.peek(1):
                yield pickle.load(pipe)  # noqa: S301  # ours
    finally:
        os.waitpid(child, 0)


def _fork(work: Callable[[Tell], None], *, quiet: bool) -> tuple[int, int]:
    """Start a copy; answers its id and the pipe to read from."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        os.close(reading)
        _live(work, writing, quiet=quiet)
    os.close(writing)
    return child, reading


def _live(work: Callable[[Tell], None], writing: int, *, quiet: bool) -> None:
    """The copy's whole life."""
    gc.freeze()
    if quiet:
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with os.fdopen(writing, "wb") as pipe:

            def tell(what: Any) -> None:
                pickle.dump(what, pipe)
                pipe.flush()

            work(tell)
    except BaseException:  # noqa: BLE001  # whatever happens in the copy must not run on in the original's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
