"""Gateway sessions: what a bot has identified for, and what it has not seen yet.

``Session`` numbers its events and keeps the newest of them for RESUME. ``Sessions`` opens, finds and ends them and
hands events to those that asked for them by intent. What always holds: an event that was dispatched while a session's
connection was away is replayed, in order, when it comes back. The connection itself is ``gateway``'s.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.events import EventBus

GUILDS = 1 << 0
GUILD_MEMBERS = 1 << 1
GUILD_MESSAGES = 1 << 9
GUILD_REACTIONS = 1 << 10
GUILD_TYPING = 1 << 11
DIRECT_MESSAGES = 1 << 12
DIRECT_REACTIONS = 1 << 13
DIRECT_TYPING = 1 << 14
MESSAGE_CONTENT = 1 << 15
NO_INTENT = 0


class Wire(Protocol):
    """The connection a session is on."""

    def send_text(self, text: str) -> None:
        """Queue one frame."""

    def drop(self, code: int) -> None:
        """Close after what is queued."""


@dataclass(slots=True, eq=False)
class Session:
    """One identified client; ``shard`` is (its number, how many there are)."""

    id: str
    intents: int
    shard: tuple[int, int]
    keep: int
    wire: Wire | None = None
    away_since: float | None = None
    sequence: int = 0
    status: str = "online"
    _events: deque[tuple[int, str]] = field(default_factory=deque)

    def dispatch(self, event: str, data: Any) -> None:
        """Number an event, keep it, and send it if the client is there."""
        self.sequence += 1
        text = json.dumps({"op": 0, "t": event, "s": self.sequence, "d": data}, ensure_ascii=False)
        self._events.append((self.sequence, text))
        if len(self._events) > self.keep:
            self._events.popleft()
        if self.wire is not None:
            self.wire.send_text(text)

    def missed(self, sequence: int) -> list[str] | None:
        """Return the frames after ``sequence``; None when they are no longer all there."""
        oldest = self._events[0][0] if self._events else self.sequence + 1
        if not oldest - 1 <= sequence <= self.sequence:
            return None
        return [text for number, text in self._events if number > sequence]


class Sessions:
    """All sessions of the bot's token."""

    def __init__(self, bus: EventBus, monotonic: Callable[[], float], resume_s: float) -> None:
        self._bus = bus
        self._monotonic = monotonic
        self._resume_s = resume_s
        self._sessions: dict[str, Session] = {}

    def open(self, session: Session) -> None:
        """Take a new session in."""
        self._sessions[session.id] = session

    def find(self, session_id: str) -> Session | None:
        """Find a session that may be resumed."""
        self._forget_the_lost()
        return self._sessions.get(session_id)

    def end(self, session: Session) -> None:
        """Forget a session: it cannot be resumed."""
        self._sessions.pop(session.id, None)

    def leave(self, session: Session) -> None:
        """Take note that a session's client is away; it may come back for a while."""
        session.wire, session.away_since = None, self._monotonic()

    def join(self, session: Session, wire: Wire) -> None:
        """Take note that a session's client is back."""
        session.wire, session.away_since = wire, None

    def _forget_the_lost(self) -> None:
        before = self._monotonic() - self._resume_s
        for session in list(self._sessions.values()):
            if session.away_since is not None and session.away_since < before:
                del self._sessions[session.id]

    def connected(self) -> list[Session]:
        """Sessions whose client is there now."""
        return [session for session in self._sessions.values() if session.wire is not None]

    def online(self) -> bool:
        """Whether people see the bot as online: also while a client that may resume is away."""
        return any(s.wire is not None and s.status != "invisible" for s in self._sessions.values())

    def announce(self) -> None:
        """Publish whether the bot is online."""
        self._bus.publish("bot", {"online": self.online()})

    def drop_all(self) -> None:
        """Close every connection and forget every session."""
        for session in self.connected():
            if session.wire is not None:
                session.wire.drop(4000)
        self._sessions.clear()

    def dispatch(
        self,
        event: str,
        data: dict[str, Any],
        *,
        intent: int,
        guild_id: str | None,
        shape: Callable[[Session, dict[str, Any]], dict[str, Any]] | None = None,
    ) -> list[Session]:
        """Send an event to the sessions of its shard with that intent; returns those that are connected."""
        self._forget_the_lost()
        reached = []
        for session in self._for(intent, guild_id):
            session.dispatch(event, shape(session, data) if shape else data)
            if session.wire is not None:
                reached.append(session)
        return reached

    def _for(self, intent: int, guild_id: str | None) -> Iterator[Session]:
        for session in self._sessions.values():
            number, of = session.shard
            at_home = (int(guild_id) >> 22) % of == number if guild_id else number == 0
            if at_home and (not intent or session.intents & intent):
                yield session
