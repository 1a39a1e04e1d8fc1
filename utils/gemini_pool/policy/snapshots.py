"""What a restart must not forget, as JSON-ready documents, and back.

One document for each dead key (``key:FINGERPRINT``), ejected lane (``gate:FINGERPRINT|MODEL``), key found to share a
project (``project:FINGERPRINT``), project that has sent, learned or was refused something (``quota:PROJECT|MODEL``),
and model whose usual times are known (``latency:MODEL``).
What always holds: times leave as Unix seconds and come back on the clock of the new process; a document of an unknown
key, of another shape or of a past time is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from utils.gemini_pool.policy.keys import Death, Key
from utils.gemini_pool.policy.pools import ModelPool

Documents = Mapping[str, Mapping[str, object]]


def take(keys: Sequence[Key], pools: Iterable[ModelPool], now: float, wall: float) -> dict[str, dict[str, object]]:
    """Write down every dead key, ejection and closure."""
    shift = wall - now
    documents: dict[str, dict[str, object]] = {
        f"key:{key.fingerprint}": {"dead": key.dead.reason, "since": key.dead.since}
        for key in keys
        if key.dead is not None
    }
    for key in keys:
        if key.found_project is not None:
            documents[f"project:{key.fingerprint}"] = {"project": key.found_project}
    for pool in pools:
        for lane in pool.lanes:
            if not lane.gate.is_live(now):
                documents[f"gate:{lane.key.fingerprint}|{pool.model}"] = {
                    "ejections": lane.gate.ejections,
                    "until": lane.gate.open_until + shift,
                    "since": (lane.gate.ill_since if lane.gate.ill_since is not None else now) + shift,
                }
        for project in pool.projects:
            document = project.quota.snapshot(shift, now)
            if document is not None:
                documents[f"quota:{project.name}|{pool.model}"] = document
        if learned := pool.latency.save():
            documents[f"latency:{pool.model}"] = dict(learned)
    return documents


def restore_keys(keys: Sequence[Key], documents: Documents) -> None:
    """Mark the keys that were dead, and put those together that were found to share a project."""
    for key in keys:
        document = documents.get(f"key:{key.fingerprint}")
        if document and isinstance(document.get("dead"), str):
            key.dead = Death(str(document["dead"]), _number(document, "since"))
        found = documents.get(f"project:{key.fingerprint}")
        if found and isinstance(found.get("project"), str):
            key.join(str(found["project"]))


def restore_pool(pool: ModelPool, documents: Documents, now: float, wall: float) -> None:
    """Eject and close again what was ejected or closed for this model."""
    if not documents:
        return
    shift = now - wall
    for lane in pool.lanes:
        document = documents.get(f"gate:{lane.key.fingerprint}|{pool.model}")
        if document:
            lane.gate.restore(
                ejections=max(1, int(_number(document, "ejections"))),
                open_until=_number(document, "until") + shift,
                ill_since=_number(document, "since") + shift,
            )
            pool.health.ejected.add(lane)
    for project in pool.projects:
        document = documents.get(f"quota:{project.name}|{pool.model}")
        if document:
            project.quota.restore(document, wall - now, now)
    pool.latency.restore(documents.get(f"latency:{pool.model}") or {})
    pool.standing.take_over(pool.projects, now)


def _number(document: Mapping[str, object], name: str) -> float:
    value = document.get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0
