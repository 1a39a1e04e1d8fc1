"""What a request holds while it calls: the lease of a lane.

A ``Lease`` is handed out by ``Policy.begin`` and given back by ``Policy.end`` with an outcome, exactly once; giving it
back does no I/O. It remembers what was true at its start, so that a late outcome can be told from a fresh one. One is
made for every call, so it holds no more than it must; the rest is found through its lane.
"""

from __future__ import annotations

from utils.gemini_pool.policy.instances import Instance
from utils.gemini_pool.policy.projects import Lane, ProjectModel
from utils.gemini_pool.policy.selection import Probe


class Lease:
    """One call to one key for one model.

    ``started_at``: the clock's seconds. ``gate_version``: the gate's when the call began. ``unit``: what the call
    weighs in the project's usage. ``clearing``: how often the counts had been emptied when the call began, since what
    was asked before belongs to what was emptied.
    """

    __slots__ = ("clearing", "gate_version", "lane", "probe", "released", "slot", "started_at", "unit")

    def __init__(  # noqa: PLR0917  # one is made for every call, and names cost time
        self,
        lane: Lane,
        slot: Instance,
        probe: Probe,
        started_at: float,
        unit: float,
        clearing: int,
    ) -> None:
        self.lane = lane
        self.slot = slot
        self.probe = probe
        self.started_at = started_at
        self.unit = unit
        self.gate_version = lane.gate_version
        self.clearing = clearing
        self.released = False

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self.lane.pool.model

    @property
    def project(self) -> ProjectModel:
        """The quota project of the leased key for this model."""
        return self.lane.project

    @property
    def slot_index(self) -> int:
        """The index of the instance that serves."""
        return self.slot.index

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the leased key."""
        return self.lane.key.fingerprint

    @property
    def key_label(self) -> str:
        """The label of the leased key ("Key #3")."""
        return self.lane.key.label
