"""The figures people read, computed from the state of the rules without touching it.

``model_stats`` and ``key_stats`` answer plain dictionaries in the shape their users know. What always holds:
active + error instances = pool size; the usage of all instances of a model adds up to its total usage.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.keys import Key
from utils.gemini_pool.policy.policy import Policy
from utils.gemini_pool.policy.pools import ModelPool
from utils.gemini_pool.policy.records import Counts


def model_stats(policy: Policy) -> dict[str, dict[str, Any]]:
    """Answer ``{model: {pool_size, active_instances, error_instances, total_usage, ...}}``."""
    now = policy.clock()
    return {model: _of_model(pool, now) for model, pool in policy.pools.items()}


def _of_model(pool: ModelPool, now: float) -> dict[str, Any]:
    lanes = {lane.key.position: lane for lane in pool.lanes}
    slots = pool.instances.slots
    active = sum(lanes[slot.key].key.dead is None and lanes[slot.key].gate.is_live(now) for slot in slots)
    usage = [slot.usage for slot in slots]
    return {
        "pool_size": len(slots),
        "active_instances": active,
        "error_instances": len(slots) - active,
        "total_usage": sum(usage),
        "usage_distribution": usage,
        "key_distribution": {lane.key.label: len(lane.slots) for lane in pool.lanes if lane.slots},
    }


def key_stats(policy: Policy) -> dict[str, Any]:
    """Answer the totals and, under ``key_usage``, one entry for every key by label."""
    now = policy.clock()
    entries: dict[str, dict[str, Any]] = {}
    total = Counts()
    for key in policy.keys:
        counts = Counts()
        for pool in policy.pools.values():
            counts.add(pool.lanes[key.position].counts)
        total.add(counts)
        entries[key.label] = _of_key(policy, key, counts, now)
    states = Counter(entry["state"] for entry in entries.values())
    return {
        "total_keys": len(policy.keys),
        "live_keys": len(policy.keys) - states["dead"],
        "total_requests": total.requests,
        "failed_requests": total.errors,
        "error_rate": total.error_rate,
        "avg_time": total.mean_seconds,
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "kinds": dict(total.kinds),
        "key_usage": entries,
    }


def key_states(policy: Policy) -> dict[str, str]:
    """Answer the state of every key by its fingerprint."""
    now = policy.clock()
    return {key.fingerprint: _state(policy, key, now)[0] for key in policy.keys}


def quota_stats(policy: Policy) -> dict[str, dict[str, dict[str, int]]]:
    """Answer ``{project: {model: {"limit": requests a day, "left": of them}}}`` where the daily limit is known."""
    now = policy.clock()
    found: dict[str, dict[str, dict[str, int]]] = {}
    for model, pool in policy.pools.items():
        for project in pool.projects:
            limit = project.quota.day_limit(now)
            if limit is not None:
                left = 0 if project.quota.is_closed(now) else max(0, limit - project.quota.sent_today)
                name = project.lanes[0].key.project_name
                found.setdefault(name, {})[model] = {"limit": limit, "left": left}
    return found


def _of_key(policy: Policy, key: Key, counts: Counts, now: float) -> dict[str, Any]:
    state, until = _state(policy, key, now)
    return {
        "usage": counts.requests,
        "errors": counts.errors,
        "avg_time": counts.mean_seconds,
        "error_rate": counts.error_rate,
        "name": key.name,
        "project": key.project_name,
        "state": state,
        "reason": key.dead.reason if key.dead else "",
        "retry_after": max(0.0, until - now) if until is not None else None,
        "in_flight": sum(pool.lanes[key.position].in_flight for pool in policy.pools.values()),
        "input_tokens": counts.input_tokens,
        "output_tokens": counts.output_tokens,
        "kinds": dict(counts.kinds),
    }


def _state(policy: Policy, key: Key, now: float) -> tuple[str, float | None]:
    """The worst state of a key over all models, and when it ends (the clock's seconds)."""
    if key.dead is not None:
        return "dead", None
    found: tuple[str, float | None] = ("live", None)
    for pool in policy.pools.values():
        lane = pool.lanes[key.position]
        gate = lane.gate.state(now)
        if gate is GateState.OPEN:
            return "ejected", lane.gate.open_until
        if gate is GateState.HALF_OPEN:
            found = ("probing", None)
        quota = lane.project.quota
        if found[0] == "live" and quota.until > now:
            found = ("cooling", quota.until)
    return found
