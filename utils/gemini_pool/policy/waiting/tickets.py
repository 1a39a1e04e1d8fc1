"""The ticket of one who waits in the line of a model, shared by the two orders it stands in.

``line`` orders tickets by turn, ``promises`` by the time they are due. What always holds: a ticket is made by one line,
stands in both of its orders or in neither, and is granted or leaves once.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Ticket(Generic[T]):
    """One who waits: ``holder`` is what the line was given, ``user`` whose turn it takes; times in clock seconds.

    ``due_at``: from when on it goes before others, whoever's turn it is; ``by_grant``: the number of the grant by
    which it must have gone (``promises``); ``harmless``: all who were due after it could still go in time when it came.
    ``waiting`` is True until it is granted or has left; ``granted`` tells these apart.
    """

    __slots__ = ("by_grant", "due_at", "granted", "harmless", "holder", "joined_at", "number", "user", "waiting")

    def __init__(self, holder: T, user: Hashable, number: int, joined_at: float, due_at: float) -> None:
        self.holder = holder
        self.user = user
        self.number = number
        self.joined_at = joined_at
        self.due_at = due_at
        self.by_grant = 0
        self.harmless = True
        self.waiting = True
        self.granted = False
