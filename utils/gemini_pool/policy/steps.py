"""What a request asks its driver to do next: the words between ``policy/request.py`` and whoever carries it out.

Frozen facts without behaviour. A driver (the dispatcher, the simulator) makes the attempt of a ``Call`` and feeds its
outcome back, looks again at the time of a ``Wait``, and ends with ``Answered`` or ``Refuse``. Times ending in ``until``
or ``_at`` are the clock's seconds, lengths end in ``_s``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from utils.gemini_pool.policy.latency import Limits
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import Refused
from utils.gemini_pool.policy.waiting.slots import Obstacle


class Call(NamedTuple):
    """Make one attempt under this lease, within these limits, of this model."""

    lease: Lease
    limits: Limits
    #: Ask for the answer in pieces even if the caller wants it whole, because whole answers ran out of time.
    stream_inside: bool
    model: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at ``until``, or sooner when ``Policy.take_turns`` names the request.

    ``obstacle``: what is in the way, as soon as it is worth telling; None before that, and between two attempts.
    ``place``: the place in the line (1 is next; 0: not in it). ``estimate_s``: seconds until it is this request's turn,
    None while nobody can know.
    """

    until: float
    obstacle: Obstacle | None
    place: int = 0
    estimate_s: float | None = None


class Answered(NamedTuple):
    """The request was answered, by this model."""

    model: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """The request ends without an answer; ``refused`` for the caller's own fault, else ``obstacle``.

    ``model``: which could not answer; the first of those that were asked, where the caller allowed several.
    ``retry_after``: seconds until another try may be answered, None where that never comes by itself; ``guess``: it
    depends on what nobody can know, such as the end of a call that is under way.
    """

    detail: str
    attempts: int
    obstacle: Obstacle | None = None
    refused: Refused | None = None
    retry_after: float | None = None
    guess: bool = False
    model: str = ""


Step = Call | Wait | Answered | Refuse
