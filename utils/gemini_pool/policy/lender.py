"""What a request needs of whoever lends it keys: the interface between ``policy/request.py`` and ``policy/policy.py``.

A protocol without behaviour, so that the life of one question can be read, and driven, without the whole of the rules.
Times are the clock's seconds. What always holds of an implementation: a lease that ``begin`` gave is ended once.
"""

from __future__ import annotations

from typing import Protocol

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.explaining.history import Choice
from utils.gemini_pool.policy.latency import Size, Usual
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import Outcome
from utils.gemini_pool.policy.selection import Wishes
from utils.gemini_pool.policy.waiting.room import Room, W
from utils.gemini_pool.policy.waiting.slots import Slot


class Lender(Protocol[W]):
    """What a request needs of the policy; ``W`` is what waits in its rooms."""

    config: PoolConfig

    def begin(self, model: str, wishes: Wishes, now: float) -> Lease | None:
        """Begin a call, or None when nothing can serve now."""

    def end(self, lease: Lease, outcome: Outcome, now: float) -> None:
        """End a call."""

    def why(self, lease: Lease) -> Choice | None:
        """Say why the key of a call that has just begun was taken; None: not by score."""

    def forgive(self, lease: Lease, now: float) -> None:
        """Take back the fault of a call."""

    def room(self, model: str) -> Room[W]:
        """Give the room in which requests for a model wait."""

    def slot(self, model: str, place: int, now: float) -> Slot:
        """When the one at this place of a model's line (1 is next) could begin a call, and what is in the way."""

    def places_until(self, model: str, at: float, now: float) -> int:
        """How many calls could begin until then, those for others who wait included; not more than it pays to count."""

    def usual(self, model: str, size: Size) -> Usual:
        """How long a model's answers of a size usually take."""
