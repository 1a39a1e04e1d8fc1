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
from utils.gemini_pool.policy.selection import Probe, Ranking

_NONE = Probe.NONE


def why(pool: ModelPool, lease: Lease) -> Choice | None:
    """Say why the key of a call that has just begun in the pool was taken; None: not by score."""
    project = lease.lane.project
    if lease.probe is not _NONE or project.entry is None:
        return None
    standing, health = pool.standing, pool.health
    unit = lease.unit
    # the call itself is in the usage by now
    score = (1.0 - project.error) * unit / project.usage
    other = _next(standing.ranking, project)
    dead = len(pool.lanes) - health.alive
    return Choice(
        score,
        standing.ranking.open,
        None if other is None or other.turn is None else other.turn.key.label,
        0.0 if other is None else (1.0 - other.error) * unit / (unit + other.usage),
        dead,
        len(health.ejected),
        standing.passed_over,
        standing.closed,
    )


def _next(ranking: Ranking[ProjectModel], besides: ProjectModel) -> ProjectModel | None:
    """The best of the others, as far as it stands at the top of the order."""
    best = None
    for entries in (ranking.queue, ranking.heap):
        entry = entries[0] if entries else None
        if entry is not None and entry[2].entry is entry and entry[2] is not besides and (best is None or entry < best):
            best = entry
    return None if best is None else best[2]
