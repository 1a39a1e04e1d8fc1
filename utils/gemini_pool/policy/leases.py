"""What a request holds while it calls: the lease of a lane.

A ``Lease`` is handed out by ``Policy.begin`` and given back by ``Policy.end`` with an outcome, exactly once; giving it
back does no I/O. It remembers what was true at its start, so that a late outcome can be told from a fresh one.
"""

from __future__ import annotations

from dataclasses import dataclass

from utils.gemini_pool.policy.instances import Instance
from utils.gemini_pool.policy.projects import Lane, ProjectModel
from utils.gemini_pool.policy.selection import Probe


@dataclass(slots=True, eq=False)
class Lease:
    """One call to one key for one model.

    ``started_at``: the clock's seconds. ``gate_version``: the gate's when the call began. ``unit``: what the call
    weighs in the project's usage. ``another_live``: whether another lane stood ready when it was chosen.
    """

    model: str
    lane: Lane
    project: ProjectModel
    slot: Instance
    slot_index: int
    probe: Probe
    started_at: float
    gate_version: int
    unit: float
    another_live: bool
    #: How often the counts had been emptied when the call began: what was asked before belongs to what was emptied.
    clearing: int = 0
    released: bool = False

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the leased key."""
        return self.lane.key.fingerprint

    @property
    def key_label(self) -> str:
        """The label of the leased key ("Key #3")."""
        return self.lane.key.label
