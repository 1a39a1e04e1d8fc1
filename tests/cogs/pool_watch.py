"""A pool's look at itself, as ``cogs.insight.Watch`` describes it, told by tests what to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt."""

    key: str = "Key #1"
    seconds: float = 0.5


@dataclass(frozen=True, slots=True)
class ToldWay:
    """One request's way."""

    id: str
    model: str = "gemini-4-hydrogen"
    waited_s: float = 0.0
    attempts: tuple[Tried, ...] = (Tried(),)
    end: str = "answered"
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class ToldAlert:
    """One alert."""

    kind: str
    values: Mapping[str, object] = field(default_factory=dict)
    text: str = "something happened"


class ToldWatch:
    """Says what it was told; ``alert`` calls whoever listens."""

    def __init__(self) -> None:
        self.ways: list[ToldWay] = []
        self.explanations: dict[str, str] = {}
        self.listener: Callable[[Any], None] | None = None

    def explain(self, request_id: str, /) -> str:
        """Give the explanation told for this request, or ""."""
        return self.explanations.get(request_id, "")

    def records(self) -> tuple[ToldWay, ...]:
        """Give the ways told."""
        return tuple(self.ways)

    def set_alert_listener(self, on_alert: Callable[[Any], None] | None, /) -> None:
        """Take the listener."""
        self.listener = on_alert

    def alert(self, kind: str, text: str = "something happened", **values: object) -> None:
        """Tell an alert."""
        assert self.listener is not None
        self.listener(ToldAlert(kind, values, text))
