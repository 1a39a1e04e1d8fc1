"""Every request the emulator received, in short, for tests and for people who look for a mistake."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

_ENTRIES = 5000
_BODY = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """One request: when (sandbox time, seconds), what, the answer's status and the beginning of the body."""

    at: float
    method: str
    path: str
    status: int
    body: str


class Diary:
    """The newest requests; older ones are dropped."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_ENTRIES)

    def write(self, at: float, method: str, path: str, status: int, body: Any) -> None:
        """Add a request."""
        short = "" if body is None else json.dumps(body, ensure_ascii=False)[:_BODY]
        self._entries.append(Entry(at, method, path, status, short))

    def all(self) -> list[dict[str, Any]]:
        """Return all entries, oldest first, JSON-ready."""
        return [asdict(entry) for entry in self._entries]
