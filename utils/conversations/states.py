"""The life of a turn, as a table.

asked -> answering -> answered | failed. ``asked``: the question is stored, and further messages may still join
it. ``answering``: the model is asked, or was when the process stopped. ``answered`` and ``failed`` are the end;
a question that is changed, or whose answer somebody wants anew, is asked again from there.

What always holds: nothing but being asked again leads out of an end. The store keeps the state, and each step is
conditional there.
"""

from __future__ import annotations

from typing import Final

from utils.conversations.errors import TurnStateError
from utils.storage import TurnState

FOLLOWING: Final[dict[TurnState, frozenset[TurnState]]] = {
    "asked": frozenset({"answering", "answered", "failed"}),
    "answering": frozenset({"answering", "answered", "failed"}),
    "answered": frozenset({"asked"}),
    "failed": frozenset({"asked"}),
}


def is_ended(state: TurnState) -> bool:
    """Tell whether nothing more happens to a turn in this state."""
    return "asked" in FOLLOWING[state]


def require(state: TurnState, following: TurnState) -> None:
    """Raise TurnStateError unless a turn may go from one state to the other."""
    if following not in FOLLOWING[state]:
        raise TurnStateError(f"A turn that is {state} cannot become {following}; ask a new question instead.")
