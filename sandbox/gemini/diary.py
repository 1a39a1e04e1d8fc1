"""The emulator's diary: every request it received, so that a test can compare what arrived with what was meant.

``Entry`` is one request; ``Diary`` keeps the newest. What always holds: no secret stands in it (keys are named by
label, the query is left out, bodies are shortened without their base64), and its memory is bounded both by the number
of entries and by the characters they hold; the oldest leave first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.gemini.wire import Json, compact, objects

_MAX_ENTRIES = 20_000
_MAX_CHARACTERS = 32_000_000
_MAX_BODY = 600
_MAX_TURNS = 200
_MAX_TEXT = 4_000
_MAX_VALUE = 80
_MAX_CATEGORIES = 10


@dataclass(slots=True)
class Entry:
    """One request: when (sandbox Unix seconds), by which key, for what, and how it ended.

    ``turns`` is the conversation as received, newest last: ``{role, text, parts}`` with ``parts`` a list of short
    descriptions; ``system`` the text of the system instruction, ``safety`` the thresholds by category. ``outcome`` is
    ``ok``, ``request`` (the caller's fault), or the kind of fault or quota that ended it. ``status`` is 0 while it runs
    and where no status was sent; ``seconds`` is None while it runs.
    """

    id: int
    at: float
    key: str | None
    project: str | None
    path: str
    method: str
    model: str | None = None
    stream: bool = False
    status: int = 0
    outcome: str = ""
    body: str = ""
    turns: list[Json] = field(default_factory=list)
    system: str = ""
    safety: dict[str, str] = field(default_factory=dict)
    client_left: bool = False
    seconds: float | None = None

    def document(self) -> Json:
        """The entry as JSON, whole."""
        return {
            **self.summary(),
            "body": self.body,
            "turns": self.turns,
            "system": self.system,
            "safety": self.safety,
        }

    def summary(self) -> Json:
        """The entry without what was said in it."""
        names = ("id", "at", "key", "project", "path", "model", "method", "status", "outcome")
        more = ("stream", "client_left", "seconds")
        return {name: getattr(self, name) for name in (*names, *more)}

    @property
    def characters(self) -> int:
        """Roughly how much memory the texts take."""
        return len(self.body) + len(self.system) + sum(len(turn["text"]) + 100 for turn in self.turns)


class Diary:
    """The newest entries, oldest first."""

    def __init__(self, max_entries: int = _MAX_ENTRIES, max_characters: int = _MAX_CHARACTERS) -> None:
        self._entries: deque[Entry] = deque()
        self._max_entries = max_entries
        self._max_characters = max_characters
        self._characters = 0
        self._last_id = 0

    def open(self, *, at: float, key: str | None, project: str | None, path: str, method: str) -> Entry:
        """Write down that a request came in."""
        self._last_id += 1
        entry = Entry(self._last_id, at, key, project, path, method)
        self._entries.append(entry)
        self._trim()
        return entry

    def received(self, entry: Entry, body: Mapping[str, Any]) -> None:
        """Write down what the request said."""
        entry.body = _short(body)
        contents = body.get("contents")
        if isinstance(contents, list):
            entry.turns = [_turn(content) for content in contents[-_MAX_TURNS:]]
        entry.system = _turn(body.get("systemInstruction"))["text"]
        entry.safety = {
            str(each.get("category"))[:_MAX_VALUE]: str(each.get("threshold"))[:_MAX_VALUE]
            for each in objects(body, "safetySettings")[:_MAX_CATEGORIES]
        }
        if self._entries and entry.id >= self._entries[0].id:
            self._characters += entry.characters
            self._trim()

    def documents(self) -> list[Json]:
        """Every entry that is kept, oldest first."""
        return [entry.document() for entry in self._entries]

    def clear(self) -> None:
        """Forget every entry; ids go on."""
        self._entries.clear()
        self._characters = 0

    def _trim(self) -> None:
        while len(self._entries) > self._max_entries or (
            self._characters > self._max_characters and len(self._entries) > 1
        ):
            self._characters -= self._entries.popleft().characters


def describe(part: Mapping[str, Any]) -> str:
    """Name a part of a message in a few words, such as ``image/png 1234 bytes``."""
    if isinstance(blob := part.get("inlineData"), dict):
        return f"{blob.get('mimeType')} {decoded_size(str(blob.get('data', '')))} bytes"
    if isinstance(file := part.get("fileData"), dict):
        return f"{file.get('mimeType') or 'linked'} file {str(file.get('fileUri'))[-_MAX_VALUE:]}"
    for kind in ("functionCall", "functionResponse"):
        if isinstance(call := part.get(kind), dict):
            return f"{kind} {call.get('name')}"
    return "text" if "text" in part else next(iter(part), "nothing")


def decoded_size(base64_text: str) -> int:
    """How many bytes a base64 text stands for."""
    bare = base64_text.rstrip("=")
    return len(bare) * 3 // 4


def _turn(content: object) -> Json:
    if not isinstance(content, dict):
        return {"role": "user", "text": "", "parts": []}
    parts = objects(content, "parts")
    text = "".join(str(part["text"]) for part in parts if "text" in part)
    return {
        "role": content.get("role") or "user",
        "text": text[:_MAX_TEXT],
        "parts": [describe(part) for part in parts],
    }


def _short(body: Mapping[str, Any]) -> str:
    return compact(_clip(body)).decode()[:_MAX_BODY]


def _clip(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _MAX_VALUE else value[:_MAX_VALUE] + "…"
    if isinstance(value, Mapping):
        return {name: _clip(inner) for name, inner in value.items()}
    if isinstance(value, Sequence):
        return [_clip(item) for item in value[-_MAX_TURNS:]]
    return value
