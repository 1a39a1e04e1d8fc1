"""The life of a turn, as a table.

asked -> answering -> answered | failed. ``asked``: the question is stored. ``answering``: a message shows
the answer so far (again, when the answer moves to another message). ``answered`` and ``failed`` are the
end; a short answer or an early failure comes there straight from ``asked``.

What always holds: a turn that ended never changes its state. The store keeps the state, ``Conversations``
asks ``require`` before it acts.
"""

from __future__ import annotations

from typing import Final

from utils.conversations.errors import TurnStateError
from utils.storage import TurnState

FOLLOWING: Final[dict[TurnState, frozenset[TurnState]]] = {
    "asked": frozenset({"answering", "answered", "failed"}),
    "answering": frozenset({"answering", "answered", "failed"}),
    "answered": frozenset(),
    "failed": frozenset(),
}


def is_ended(state: TurnState) -> bool:
    """Tell whether nothing more happens to a turn in this state."""
    return not FOLLOWING[state]


def require(state: TurnState, following: TurnState) -> None:
    """Raise TurnStateError unless a turn may go from one state to the other."""
    if following not in FOLLOWING[state]:
        raise TurnStateError(f"A turn that is {state} cannot become {following}; ask a new question instead.")
