"""What a question waits for, and who sees to it that everybody gets their share.

``Waiting`` is what is told to whoever shows it, through an ``OnWait``: the place in the pool's line, or that another
answer is given to the same person first. ``Fair`` is who lets one answer at a time be given to a person and counts what
answers cost; ``utils.conversations.fairness`` meets it, ``EverybodysShare`` is nobody at all. What always holds: what
is told is said once for each change, never awaited, and may be dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

#: What a question waits for while another answer is given to who asks.
OWN_ANSWER: Final = "own_answer"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question waits: ``place`` in the line (1 is next, 0: not in it), seconds until its turn (None: not known).

    ``obstacle`` is a word for what is in the way: the pool's own, or ``OWN_ANSWER``; None: nothing worth telling.
    """

    place: int = 0
    estimate_s: float | None = None
    obstacle: str | None = None


#: Is told whenever what a question waits for changes.
OnWait: TypeAlias = Callable[[Waiting], None]


class PoolWait(Protocol):
    """What the pool tells of a question that waits in its line."""

    @property
    def place(self) -> int:
        """The place in the line; 1 is next, 0: not in it."""

    @property
    def estimate_s(self) -> float | None:
        """Seconds until its turn, None while nobody can know."""

    @property
    def obstacle(self) -> str | None:
        """What is in the way."""


def waiting_in_line(wait: PoolWait) -> Waiting:
    """Give what the pool told in the words of this room."""
    return Waiting(wait.place, wait.estimate_s, None if wait.obstacle is None else str(wait.obstacle))


class Fair(Protocol):
    """Who sees to it that nobody gets more than their share."""

    def is_served(self, user_id: int, /) -> bool:
        """Tell whether an answer is being given to a person now."""

    def slot(self, user_id: int, /) -> AbstractAsyncContextManager[None]:
        """Wait until no other answer is being given to a person, and let no other be."""

    async def spent(
        self, *, user_id: int, guild_id: int | None, model: str, input_tokens: int, output_tokens: int
    ) -> None:
        """Count what an answer cost; raises nothing."""


class EverybodysShare:
    """Nobody is counted and nobody waits for an answer of their own."""

    def is_served(self, _user_id: int, /) -> bool:
        """Say that nobody is served."""
        return False

    def slot(self, _user_id: int, /) -> AbstractAsyncContextManager[None]:
        """Wait for nothing."""
        return nullcontext()

    async def spent(
        self, *, user_id: int, guild_id: int | None, model: str, input_tokens: int, output_tokens: int
    ) -> None:
        """Count nothing."""
