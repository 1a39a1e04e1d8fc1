"""What a scenario file says, as frozen facts.

A ``Scenario`` holds keys, the service's limits and latency, ``Fault``s over time, ``Load``s, and ``Goal``s (a figure
and a bound). ``read`` makes one of a TOML file and refuses names it does not know, so that a typing mistake cannot
change what is measured. All times are seconds since the scenario's start; keys are counted from 1, as people see them.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from utils.gemini_pool.policy import PoolConfig


class Trouble(StrEnum):
    """What can be wrong with a key, or with the whole service."""

    DEAD = "dead"
    LEAKED = "leaked"
    OVERLOADED = "overloaded"
    ERROR = "error"
    HANG = "hang"
    SLOW = "slow"


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """A trouble from ``from_s`` until ``until_s``, of ``keys`` (empty: of all), for ``share`` of their calls.

    ``factor`` lengthens the answers of a slow key.
    """

    kind: Trouble
    from_s: float = 0.0
    until_s: float = float("inf")
    keys: tuple[int, ...] = ()
    share: float = 1.0
    factor: float = 1.0

    def strikes(self, key: int, now: float) -> bool:
        """Whether it can befall a call of the key (from 1) that begins now."""
        return self.from_s <= now < self.until_s and (not self.keys or key in self.keys)


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """Requests arriving by chance at ``per_s`` a second, or ``requests`` of them evenly over the time.

    ``caller_fault_share``: how many the service refuses for the caller's own mistake. ``patience_s``: after that long
    without an answer a user leaves.
    """

    from_s: float = 0.0
    until_s: float = 0.0
    per_s: float = 0.0
    requests: int = 0
    users: int = 20
    patience_s: float = float("inf")
    caller_fault_share: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Service:
    """How the service answers: log-normal latency (seconds), and limits per project (0: none).

    ``network_s``: mean time until a call reaches the service, where its place in the minute is counted.
    ``first_byte_share``: of an answer asked for in pieces, the part of its time until the first.
    """

    latency_median_s: float = 2.5
    latency_sigma: float = 0.5
    refusal_s: float = 0.2
    network_s: float = 0.05
    first_byte_share: float = 0.3
    requests_per_minute: int = 0
    requests_per_day: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Goal:
    """A bound on a figure: on its mean over the seeds, or on the worst seed."""

    figure: str
    at_least: float | None = None
    at_most: float | None = None
    over: str = "mean"

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None) or self.over not in {"mean", "worst"}:
            raise ValueError(f"the goal {self.figure} needs at_least or at_most, and over = mean or worst")

    def value(self, values: list[float]) -> float:
        """Give what the bound is compared with."""
        if self.over == "mean":
            return sum(values) / len(values)
        return max(values) if self.at_least is None else min(values)

    def is_met(self, values: list[float]) -> bool:
        """Whether the figure of these seeds keeps within the bound."""
        value = self.value(values)
        return value >= self.at_least if self.at_least is not None else value <= (self.at_most or 0.0)

    def __str__(self) -> str:
        bound = f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"
        return f"{self.figure} {bound}{' in every seed' if self.over == 'worst' else ''}"


@dataclasses.dataclass(frozen=True, slots=True)
class Scenario:
    """One experiment; ``projects`` names the quota project of every key, ``projects_told`` whether the pool knows."""

    name: str
    title: str
    duration_s: float
    projects: tuple[str, ...]
    loads: tuple[Load, ...]
    faults: tuple[Fault, ...] = ()
    service: Service = Service()
    goals: tuple[Goal, ...] = ()
    config: Mapping[str, object] = dataclasses.field(default_factory=dict)
    deadline_s: float = 30.0
    projects_told: bool = True

    def fault_window(self) -> tuple[float, float] | None:
        """From the first fault's start to the last one's end; None without faults."""
        if not self.faults:
            return None
        return min(fault.from_s for fault in self.faults), max(fault.until_s for fault in self.faults)

    def ill_keys(self) -> frozenset[int]:
        """Keys (from 1) that have a fault of their own at some time; empty when the fault is everybody's."""
        return frozenset(key for fault in self.faults for key in fault.keys)


def read(path: Path) -> Scenario:
    """Read a scenario file; raises ``ValueError`` that names the file for anything it does not understand."""
    try:
        return _scenario(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"{path}: {error}") from error


def _scenario(name: str, told: dict[str, Any]) -> Scenario:
    keys = told.pop("keys")
    projects = told.pop("projects", None) or [f"project {number + 1}" for number in range(keys)]
    if len(projects) != keys:
        raise ValueError("projects must name one project for every key")
    goals = tuple(Goal(figure, **bound) for figure, bound in told.pop("goal", {}).items())
    return Scenario(
        name=name,
        projects=tuple(projects),
        loads=tuple(Load(**load) for load in told.pop("load")),
        faults=tuple(_fault(fault) for fault in told.pop("fault", [])),
        service=Service(**told.pop("service", {})),
        goals=goals,
        **told,
    )


def _fault(told: dict[str, Any]) -> Fault:
    kind, keys = Trouble(told.pop("kind")), tuple(told.pop("keys", ()))
    return Fault(kind=kind, keys=keys, **told)


def configured(base: PoolConfig, values: Mapping[str, object]) -> PoolConfig:
    """Give the constants with some replaced; texts are read as the field's type; raises ``ValueError``."""
    types = {field.name: str(field.type) for field in dataclasses.fields(PoolConfig)}
    unknown = sorted(set(values) - set(types))
    if unknown:
        raise ValueError(f"PoolConfig has no field {', '.join(unknown)}")
    read_values: dict[str, Any] = {name: _typed(types[name], value) for name, value in values.items()}
    return dataclasses.replace(base, **read_values)


def _typed(type_name: str, value: object) -> object:
    text = str(value)
    if type_name == "bool":
        if text.lower() not in {"true", "false"}:
            raise ValueError(f"{text!r} is neither true nor false")
        return text.lower() == "true"
    return int(text) if type_name == "int" else float(text)
