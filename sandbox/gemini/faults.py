"""Faults on order: which key, project or model misbehaves, how, from when to when, and how often.

``parse_faults`` checks a list as it comes over the control interface; ``FaultBook`` decides, for each request and
with dice of its own seed, which one strikes. What always holds: a list with one bad entry changes nothing; the first
entry that matches a request strikes it, except ``slow``, which only stretches its latency and lets later entries
strike too. Kinds in ``KEY_KINDS`` are about the key and strike every call; all others strike only calls to a model.
How a fault looks on the wire is the business of ``refusals`` and ``delivery``.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.gemini.keys import EmulatedKey

KEY_KINDS = frozenset({"401", "403", "blocked", "expired", "invalid", "leaked", "location", "suspended"})
_QUOTA_KINDS = frozenset({"429", "429day", "429tokens", "limit0"})
_STATUS_KINDS = frozenset({"400", "404", "500", "503", "504", "html502"})
#: Kinds that spoil an answer that has begun, or its body; they strike only calls that generate.
BODY_KINDS = frozenset(
    {"continuation", "empty", "malformed", "miderror", "midreset", "promptblock", "safety", "truncate"}
)
#: Kinds that put no key or service in the wrong: a valid answer, or the request's own fault.
HARMLESS_KINDS = frozenset({"400", "404", "continuation", "promptblock", "safety"})
KINDS = KEY_KINDS | _QUOTA_KINDS | _STATUS_KINDS | BODY_KINDS | {"hang", "reset", "slow"}
_FIELDS = frozenset({"keys", "projects", "model", "kind", "from", "to", "probability", "factor"})
_DEFAULT_SLOWNESS = 10.0
_WORDS = {
    **dict.fromkeys(KEY_KINDS, "dead"),
    **dict.fromkeys(_QUOTA_KINDS, "throttled"),
    "hang": "hanging",
    "slow": "slow",
    "leaked": "leaked",
    "suspended": "suspended",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One ordered fault; empty ``keys``, ``projects`` and ``model`` match everything.

    ``start`` and ``end`` are sandbox seconds after the list was set (end None: for ever). ``factor`` stretches the
    latency for ``slow``, and is the retryDelay in seconds for the kinds of 429 (0: a 429 without any details).
    """

    kind: str
    keys: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    model: str | None = None
    start: float = 0.0
    end: float | None = None
    probability: float = 1.0
    factor: float | None = None

    def matches(self, key: EmulatedKey, model: str | None) -> bool:
        """Whether the fault is meant for this key and model (None: the call names no model)."""
        return (
            (not self.keys or key.label in self.keys)
            and (not self.projects or key.project in self.projects)
            and (self.model is None or self.model == model)
            and (model is not None or self.kind in KEY_KINDS)
        )

    def active(self, elapsed: float) -> bool:
        """Whether it holds that many sandbox seconds after the list was set."""
        return self.start <= elapsed and (self.end is None or elapsed < self.end)

    @property
    def word(self) -> str:
        """The state of a key that this fault is upon, in one word."""
        if self.probability < 1:
            return "flapping"
        return _WORDS.get(self.kind, "failing")

    def document(self) -> dict[str, Any]:
        """The fault as the control interface lists it; fields at their default are left out."""
        given = {
            "keys": list(self.keys) or None,
            "projects": list(self.projects) or None,
            "model": self.model,
            "kind": self.kind,
            "from": self.start or None,
            "to": self.end,
            "probability": None if self.probability == 1 else self.probability,
            "factor": self.factor,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Strike:
    """What happens to one request: the fault that strikes (or None), and how much slower everything is."""

    fault: Fault | None = None
    slowness: float = 1.0


def parse_faults(entries: object) -> tuple[Fault, ...]:
    """Check a list of faults; raises ValueError with one sentence that names the entry."""
    if not isinstance(entries, list):
        raise ValueError("faults are a list of objects, each with a kind")  # noqa: TRY004 - one class for bad input from outside
    return tuple(_parse(entry, f"fault {number}") for number, entry in enumerate(entries, start=1))


def _parse(entry: object, name: str) -> Fault:
    if not isinstance(entry, dict):
        raise ValueError(f"{name} must be an object with a kind")  # noqa: TRY004 - one class for bad input from outside
    unknown = sorted(str(field) for field in entry.keys() - _FIELDS)
    if unknown:
        raise ValueError(f"{name} has a field that is not known: {unknown[0]!r}")
    kind = str(entry.get("kind"))
    if kind not in KINDS:
        raise ValueError(f"{name} must have one of these kinds: {', '.join(sorted(KINDS))}")
    model = entry.get("model")
    if model is not None and not isinstance(model, str):
        raise ValueError(f"the model of {name} must be a name")
    start = _number(entry, "from", name, default=0.0)
    end = _number(entry, "to", name, default=None)
    if end is not None and start is not None and end < start:
        raise ValueError(f"{name} must end after it starts")
    probability = _number(entry, "probability", name, default=1.0)
    if probability is None or not 0 <= probability <= 1:
        raise ValueError(f"the probability of {name} must lie between 0 and 1")
    return Fault(
        kind=kind,
        keys=_names(entry, "keys", name),
        projects=_names(entry, "projects", name),
        model=model.removeprefix("models/") if model else None,
        start=start or 0.0,
        end=end,
        probability=probability,
        factor=_number(entry, "factor", name, default=None),
    )


def _number(entry: Mapping[str, Any], field: str, name: str, *, default: float | None) -> float | None:
    value = entry.get(field)
    if value is None:
        return default
    # `not value >= 0` also refuses NaN, which JSON parsers let through.
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ValueError(f"{field!r} of {name} must be a number of at least 0")
    return float(value)


def _names(entry: Mapping[str, Any], field: str, name: str) -> tuple[str, ...]:
    value = entry.get(field)
    if value is None:
        return ()
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(item, str) for item in names):
        raise ValueError(f"{field!r} of {name} must be a list of names that is not empty")
    return tuple(names)


class FaultBook:
    """The faults in force, with the time they were set and their dice."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._faults: tuple[Fault, ...] = ()
        self._set_at = 0.0

    def set(self, faults: Sequence[Fault], now: float) -> None:
        """Put a list in force from ``now`` (sandbox seconds) in place of the one before."""
        self._faults = tuple(faults)
        self._set_at = now

    def documents(self) -> list[dict[str, Any]]:
        """The list in force, as it was set."""
        return [fault.document() for fault in self._faults]

    def strike(self, key: EmulatedKey, model: str | None, now: float, *, generates: bool) -> Strike:
        """Decide what happens to a request; dice are thrown only for faults that match it."""
        slowness = 1.0
        for fault in self._in_force(key, model, now):
            if fault.kind in BODY_KINDS and not generates:
                continue
            if fault.probability < 1 and self._rng.random() >= fault.probability:
                continue
            if fault.kind != "slow":
                return Strike(fault, slowness)
            slowness *= _DEFAULT_SLOWNESS if fault.factor is None else fault.factor
        return Strike(None, slowness)

    def word(self, key: EmulatedKey, now: float) -> str:
        """The state of a key in one word: ``live`` unless a fault for all models is upon it."""
        # No model is called "", so faults for one model only are left out.
        for fault in self._in_force(key, "", now):
            return fault.word
        return "live"

    def _in_force(self, key: EmulatedKey, model: str | None, now: float) -> list[Fault]:
        elapsed = now - self._set_at
        return [fault for fault in self._faults if fault.active(elapsed) and fault.matches(key, model)]
