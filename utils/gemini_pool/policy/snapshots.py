"""What a restart must not forget, as JSON-ready documents, and back.

One document for each dead key (``key:FINGERPRINT``), ejected lane (``gate:FINGERPRINT|MODEL``), closed project
(``cooling:PROJECT|MODEL``) and learned limit (``limit:PROJECT|MODEL``). What always holds: times leave as Unix seconds
and come back on the clock of the new process; a document of an unknown key, of another shape or of a past time is
ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from utils.gemini_pool.policy.keys import Death, Key
from utils.gemini_pool.policy.pools import ModelPool
from utils.gemini_pool.policy.quota import Closed

Documents = Mapping[str, Mapping[str, object]]


def take(keys: Sequence[Key], pools: Iterable[ModelPool], now: float, wall: float) -> dict[str, dict[str, object]]:
    """Write down every dead key, ejection and closure."""
    shift = wall - now
    documents: dict[str, dict[str, object]] = {
        f"key:{key.fingerprint}": {"dead": key.dead.reason, "since": key.dead.since}
        for key in keys
        if key.dead is not None
    }
    for pool in pools:
        for lane in pool.lanes:
            if not lane.gate.is_live(now):
                documents[f"gate:{lane.key.fingerprint}|{pool.model}"] = {
                    "ejections": lane.gate.ejections,
                    "until": lane.gate.open_until + shift,
                    "since": (lane.gate.ill_since if lane.gate.ill_since is not None else now) + shift,
                }
        for project in pool.projects:
            cooling = project.cooling
            learned = project.window.learned(now)
            if learned is not None:
                documents[f"limit:{project.name}|{pool.model}"] = {
                    "requests_per_minute": learned,
                    "until": project.window.learned_until + shift,
                }
            if not cooling.is_open(now) and cooling.why is not None:
                documents[f"cooling:{project.name}|{pool.model}"] = {
                    "why": cooling.why.value,
                    "until": cooling.until + shift,
                    "probe_at": cooling.probe_at + shift,
                }
    return documents


def restore_keys(keys: Sequence[Key], documents: Documents) -> None:
    """Mark the keys that were dead."""
    for key in keys:
        document = documents.get(f"key:{key.fingerprint}")
        if document and isinstance(document.get("dead"), str):
            key.dead = Death(str(document["dead"]), _number(document, "since"))


def restore_pool(pool: ModelPool, documents: Documents, now: float, wall: float) -> None:
    """Eject and close again what was ejected or closed for this model."""
    shift = now - wall
    for lane in pool.lanes:
        document = documents.get(f"gate:{lane.key.fingerprint}|{pool.model}")
        if document:
            lane.gate.restore(
                ejections=max(1, int(_number(document, "ejections"))),
                open_until=_number(document, "until") + shift,
                ill_since=_number(document, "since") + shift,
            )
    for project in pool.projects:
        limit = documents.get(f"limit:{project.name}|{pool.model}")
        if limit:
            until = _number(limit, "until") + shift
            project.window.restore(int(_number(limit, "requests_per_minute")), until)
        document = documents.get(f"cooling:{project.name}|{pool.model}")
        why = document.get("why") if document else None
        if document and isinstance(why, str) and why in set(Closed):
            project.cooling.restore(
                Closed(why), _number(document, "until") + shift, _number(document, "probe_at") + shift
            )


def _number(document: Mapping[str, object], name: str) -> float:
    value = document.get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0
