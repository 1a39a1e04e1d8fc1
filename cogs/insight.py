"""What administrators look into: counts over time, the database, and what the pool tells of itself.

``Insight`` is what the rooms for administrators are made of. The protocols are the pool's part: ``Watch`` its records,
explanations and alerts, ``Quotas`` what is left of each project's quota; a pool that lacks one is None there, and the
commands then leave out what it would say. What always holds: nothing here changes anything, but for the one row that a
look at the database writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from utils.storage import GuildSettingsStore, HealthCheck, Spans, Storage


class TriedOnce(Protocol):
    """One attempt at an answer: which key (its label), how long it took, what came of it."""

    @property
    def key(self) -> str:
        """The key's label."""

    @property
    def seconds(self) -> float:
        """Its length."""


class Way(Protocol):
    """One request's way through the pool: ``end`` is ``answered``, or what stood in the way, or "" while it goes on."""

    @property
    def id(self) -> str:
        """What the request was named by its caller."""

    @property
    def model(self) -> str:
        """The model asked for."""

    @property
    def waited_s(self) -> float:
        """For how long nothing could be tried."""

    @property
    def attempts(self) -> Sequence[TriedOnce]:
        """What was tried, in order."""

    @property
    def end(self) -> str:
        """How it ended."""

    @property
    def seconds(self) -> float:
        """From the asking to the end."""


class Alert(Protocol):
    """Something an operator should know; keys are named by label."""

    @property
    def kind(self) -> str:
        """What happened, in a word."""

    @property
    def values(self) -> Mapping[str, object]:
        """What fills the sentence of its kind."""

    @property
    def text(self) -> str:
        """It in English."""


class Watch(Protocol):
    """The pool as it looks at itself."""

    def explain(self, request_id: str, /) -> str:
        """Tell a request's way, a sentence a line, keys by label; empty when it is not kept (any more)."""

    def records(self) -> Sequence[Way]:
        """Give the newest requests, the oldest first."""

    def set_alert_listener(self, on_alert: Callable[[Any], None] | None, /) -> None:
        """Have a function called with every ``Alert``, in the loop that started the pool; None: nobody."""


#: ``{project: {model: {"limit": requests a day, "left": of them, ...}}}``.
QuotaStats: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Any]]]


class Quotas(Protocol):
    """What is left of what projects may ask for."""

    def get_quota_stats(self) -> QuotaStats:
        """Give the projects whose daily limits are known."""


@dataclass(frozen=True, slots=True)
class Insight:
    """What can be looked into; ``choices`` says where alerts go."""

    spans: Spans
    health: HealthCheck
    choices: GuildSettingsStore
    watch: Watch | None = None
    quotas: Quotas | None = None


def look_into(storage: Storage, *, watch: Watch | None = None, quotas: Quotas | None = None) -> Insight:
    """Make the insight of an open storage and of what a pool offers."""
    return Insight(storage.spans, storage.health, storage.settings, watch, quotas)
