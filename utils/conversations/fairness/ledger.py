"""What was used today, by person, by person and server, by server, and altogether: in memory, exact.

``Ledger`` takes ``Use``s in and adds them up. Pure: time comes from outside. What always holds: a use counts once,
whoever brings it again; the questions of the last minute are known by their times, also over midnight; a day is a day
of UTC, and what was used on another day counts no more. A clock that is set back does not lock anybody out: what lies
ahead of it is not of the last minute.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from utils.storage import Use

DAY_S = 86_400
MINUTE_S = 60.0
#: Clocks of two processes differ.
_AHEAD_S = 1.0


def day_of(at: float) -> int:
    """Number the UTC day of an instant (unix seconds) from 1970-01-01."""
    return int(at // DAY_S)


def of_user(user_id: int) -> Hashable:
    """Name what a person used anywhere."""
    return "user", user_id


def of_member(user_id: int, guild_id: int) -> Hashable:
    """Name what a person used in one server."""
    return "member", user_id, guild_id


def of_server(guild_id: int) -> Hashable:
    """Name what all used in one server."""
    return "server", guild_id


def of_all() -> Hashable:
    """Name what everybody used everywhere."""
    return ("all",)


@dataclass(frozen=True, slots=True)
class Used:
    """What was used: the times of the last minute's questions in order, and the day's sums."""

    recent: tuple[float, ...] = ()
    requests: int = 0
    tokens: int = 0
    micros: int = 0


def together(parts: Iterable[Used]) -> Used:
    """Add up what was used under several names."""
    taken = list(parts)
    return Used(
        tuple(sorted(at for used in taken for at in used.recent)),
        sum(used.requests for used in taken),
        sum(used.tokens for used in taken),
        sum(used.micros for used in taken),
    )


class _Tally:
    """One subject's sums."""

    __slots__ = ("micros", "recent", "requests", "tokens")

    def __init__(self) -> None:
        self.recent: list[float] = []
        self.requests = self.tokens = self.micros = 0

    def add(self, use: Use, sign: int) -> None:
        self.requests += sign * use.requests
        self.tokens += sign * use.tokens
        self.micros += sign * use.micros


class Ledger:
    """The uses of one day."""

    def __init__(self, now: float) -> None:
        self._day = day_of(now)
        self._uses: dict[int, Use] = {}
        self._tallies: dict[Hashable, _Tally] = {}

    def __len__(self) -> int:
        """Count the uses that are remembered."""
        return len(self._uses)

    def knows(self, use_id: int) -> bool:
        """Tell whether this use was taken in."""
        return use_id in self._uses

    def add(self, use: Use) -> bool:
        """Take a use in; False: it was known."""
        if use.use_id in self._uses:
            return False
        self._uses[use.use_id] = use
        for name in _subjects(use):
            tally = self._tallies.setdefault(name, _Tally())
            if use.requests:
                insort(tally.recent, use.used_at)
            if day_of(use.used_at) == self._day:
                tally.add(use, 1)
        return True

    def take_back(self, use_id: int) -> bool:
        """Count a use no more; False: it is not known."""
        use = self._uses.pop(use_id, None)
        if use is None:
            return False
        for name in _subjects(use):
            tally = self._tallies[name]
            if use.requests and use.used_at in tally.recent:
                tally.recent.remove(use.used_at)
            if day_of(use.used_at) == self._day:
                tally.add(use, -1)
        return True

    def used(self, subject: Hashable, now: float) -> Used:
        """Add up what was used by now (unix seconds)."""
        self.turn(now)
        tally = self._tallies.get(subject)
        if tally is None:
            return Used()
        del tally.recent[: bisect_right(tally.recent, now - MINUTE_S)]
        recent = tuple(tally.recent[: bisect_right(tally.recent, now + _AHEAD_S)])
        return Used(recent, tally.requests, tally.tokens, tally.micros)

    def turn(self, now: float) -> bool:
        """Begin a new day if it is one; True: it was."""
        today = day_of(now)
        if today == self._day:
            return False
        self._day = today
        kept = [use for use in self._uses.values() if use.used_at > now - MINUTE_S or day_of(use.used_at) == today]
        self._uses.clear()
        self._tallies.clear()
        for use in kept:
            self.add(use)
        return True


def _subjects(use: Use) -> Iterable[Hashable]:
    yield of_all()
    yield of_user(use.user_id)
    if use.guild_id is not None:
        yield of_server(use.guild_id)
        yield of_member(use.user_id, use.guild_id)
