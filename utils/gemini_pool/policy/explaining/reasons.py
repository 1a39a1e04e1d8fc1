"""Why a call went where it went, read from the state just after it began.

``why`` makes the ``history.Choice`` of a lease. What always holds: it changes nothing, costs the same with ten keys as
with ten thousand, and says nothing where the choice was not by score: of a probe, a spare, or a key that served because
nobody else could.
"""

from __future__ import annotations

from utils.gemini_pool.policy.explaining.history import Choice
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.pools import ModelPool
from utils.gemini_pool.policy.projects import ProjectModel
from utils.gemini_pool.policy.selection import Entry, Probe, Ranking

_NONE = Probe.NONE


def why(pool: ModelPool, lease: Lease) -> Choice | None:
    """Say why the key of a call that has just begun in the pool was taken; None: not by score."""
    project = lease.lane.project
    if lease.probe is not _NONE or project.entry is None:
        return None
    standing, health, unit = pool.standing, pool.health, lease.unit
    # the call itself is in the usage by now
    score = (1.0 - project.error) * unit / project.usage
    other = _next(standing.ranking, project)
    runner_up = None if other is None else other.turn
    return Choice(
        score,
        standing.ranking.open,
        None if runner_up is None else runner_up.key.label,
        0.0 if other is None else (1.0 - other.error) * unit / (unit + other.usage),
        len(standing.lanes) - health.alive,
        len(health.ejected),
        standing.passed_over,
        standing.closed,
    )


def _next(ranking: Ranking[ProjectModel], besides: ProjectModel) -> ProjectModel | None:
    """The best of the others, as far as it stands at the top of the order."""
    queue, heap = ranking.queue, ranking.heap
    best = queue[0] if queue and _stands(queue[0], besides) else None
    if heap and (best is None or heap[0] < best) and _stands(heap[0], besides):
        best = heap[0]
    return None if best is None else best[2]


def _stands(entry: Entry, besides: ProjectModel) -> bool:
    """Whether a place is valid, and somebody else's."""
    project = entry[2]
    return project.entry is entry and project is not besides
