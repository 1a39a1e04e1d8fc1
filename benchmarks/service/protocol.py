"""What the runner and a client's process say to each other: one JSON document a line, an order and its answer.

The first line is a ``Setup``, answered by ``{"ready": true}``; then every order is a ``Load`` (answered by the users'
fates) or a ``Burn`` (answered by CPU time). The end of the input is the end of the process. Standard library only,
since clients from other environments speak it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

Json = dict[str, Any]

#: How a user's question ended: answered, answered with another's answer, an error handed out, or patience at its end.
SERVED, WRONG, REFUSED, LEFT = "served", "wrong", "refused", "left"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """An emulated key as a client may be told of it."""

    label: str
    project: str
    secret: str

    @property
    def spec(self) -> str:
        """The form ``GEMINI_API_KEYS`` and the emulator take."""
        return f"{self.label}@{self.project}:{self.secret}"

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"KeyEntry({self.label}@{self.project})"


@dataclass(frozen=True, slots=True)
class Setup:
    """What a client knows before the first question.

    ``told``: it may use the keys' projects and ``rpm``, requests a minute of a project; else neither. ``spare`` is a
    key of no part in the scenario, to warm the client's library up with. ``variant`` is one of the client's own.
    """

    base_url: str
    model: str
    keys: tuple[KeyEntry, ...]
    spare: KeyEntry
    speed: float = 1.0
    told: bool = False
    rpm: int | None = None
    seed: int = 0
    variant: str = ""

    def document(self) -> Json:
        """Give it as JSON."""
        return asdict(self)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Setup:
        """Read what ``document`` gave."""
        keys = tuple(KeyEntry(**key) for key in document["keys"])
        return cls(**{**document, "keys": keys, "spare": KeyEntry(**document["spare"])})


@dataclass(frozen=True, slots=True)
class Load:
    """Users to play: when each comes (scenario seconds), how long each waits, second 0 by ``time.monotonic``."""

    arrivals: Sequence[float]
    patience_s: float
    zero_at: float


@dataclass(frozen=True, slots=True)
class Burn:
    """Questions to ask as fast as may be, so many at once."""

    questions: int
    at_once: int


@dataclass(frozen=True, slots=True)
class User:
    """One user's fate: came at (scenario seconds), how it ended, after how long, how late the load was to play it."""

    at: float
    fate: str
    seconds: float
    late_s: float
    why: str = ""

    @property
    def served(self) -> bool:
        """Whether the user got the answer to the question asked."""
        return self.fate == SERVED

    def row(self) -> list[Any]:
        """Give it as a JSON list."""
        return [getattr(self, field.name) for field in fields(self)]


def order_document(order: Load | Burn) -> Json:
    """Give an order as JSON."""
    return {"do": type(order).__name__.lower(), **asdict(order)}


def read_order(document: Mapping[str, Any]) -> Load | Burn:
    """Read an order; raises KeyError for one that is not known."""
    kinds: dict[str, type[Load | Burn]] = {"load": Load, "burn": Burn}
    given = {name: value for name, value in document.items() if name != "do"}
    return kinds[document["do"]](**given)
