"""Keys as the rules see them: positions, labels and fingerprints, never secrets.

``KeySpec`` is what the configuration says of a key; ``Key`` lives as long as the key is configured. What always holds:
a key's ``label`` is its position in the configuration ("Key #1"), its identity is the fingerprint, and a dead key stays
dead until an operator resets the pool. Secrets stay with ``provider/``, which finds them by fingerprint.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeySpec:
    """A configured key: its fingerprint, the operator's own name for it and its quota project, where told."""

    fingerprint: str
    name: str | None = None
    project: str | None = None


@dataclass(frozen=True, slots=True)
class Death:
    """Why a key is out for good, and since when (Unix seconds)."""

    reason: str
    since: float


class Key:
    """One configured key."""

    __slots__ = ("dead", "fingerprint", "found_project", "label", "name", "position", "project", "project_name", "spec")

    def __init__(self, position: int, spec: KeySpec) -> None:
        self.spec = spec
        self.position = position
        self.fingerprint = spec.fingerprint
        self.label = f"Key #{position + 1}"
        self.name = spec.name or self.label
        # a key of which no project is told counts as a project of its own, whatever its position becomes
        self.project = spec.project or f"only {spec.fingerprint}"
        self.project_name = spec.project or self.name
        #: The project that the key was found to belong to, though nobody told.
        self.found_project: str | None = None
        self.dead: Death | None = None

    def join(self, project: str) -> None:
        """Belong to a project that was found out."""
        self.project = self.found_project = project

    def __repr__(self) -> str:
        return f"<{self.label} {self.name} of {self.project_name}{' dead' if self.dead else ''}>"
