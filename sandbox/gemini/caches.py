"""Explicit context caches: contents kept under a name, for one model and one project.

``CacheStore`` keeps their size in tokens and their times. What always holds: a cache is seen and used only with keys
of its project and with its own model; it is gone when its time is over; one smaller than the model's minimum is
refused. Times are sandbox Unix seconds, given by the caller.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from sandbox.gemini.files import timestamp
from sandbox.gemini.models import Model
from sandbox.gemini.prompts import content_text, content_tokens, read_contents
from sandbox.gemini.wire import Json, Refusal, invalid, text_tokens

_DEFAULT_TTL_S = 3600.0


@dataclass(frozen=True, slots=True)
class Cache:
    """One cache."""

    id: str
    project: str
    model: str
    display_name: str
    tokens: int
    created_at: float
    updated_at: float
    expires_at: float

    def document(self) -> Json:
        """The cache as the API answers it (its contents are never given back)."""
        return {
            "name": f"cachedContents/{self.id}",
            "model": f"models/{self.model}",
            "displayName": self.display_name,
            "createTime": timestamp(self.created_at),
            "updateTime": timestamp(self.updated_at),
            "expireTime": timestamp(self.expires_at),
            "usageMetadata": {"totalTokenCount": self.tokens},
        }


class CacheStore:
    """The caches of all projects."""

    def __init__(self) -> None:
        self._caches: dict[str, Cache] = {}
        self._last = 0

    def create(self, body: Json, project: str, model: Model, now: float) -> Cache:
        """Keep contents; raises Refusal (400) if they are too small or the time is none."""
        contents = read_contents(body["contents"]) if body.get("contents") else ()
        system = body.get("systemInstruction")
        tokens = sum(content_tokens(content) for content in contents)
        tokens += text_tokens(content_text(system)) if isinstance(system, dict) else 0
        if tokens < model.smallest_cache:
            least = model.smallest_cache
            raise invalid(f"Cached content is too small. total_token_count={tokens}, min_total_token_count={least}")
        self._last += 1
        cache = Cache(
            id=hashlib.sha256(b"cache %d" % self._last).hexdigest()[:24],
            project=project,
            model=model.name,
            display_name=str(body.get("displayName") or ""),
            tokens=tokens,
            created_at=now,
            updated_at=now,
            expires_at=_expiry(body, now, default=now + _DEFAULT_TTL_S),
        )
        self._caches[cache.id] = cache
        return cache

    def get(self, cache_id: str, project: str, now: float) -> Cache:
        """A cache of that project. Raises Refusal (403)."""
        for old in [one for one in self._caches.values() if now >= one.expires_at]:
            del self._caches[old.id]
        cache = self._caches.get(cache_id)
        if cache is None or cache.project != project:
            raise Refusal(403, "PERMISSION_DENIED", "CachedContent not found (or permission denied)")
        return cache

    def use(self, name: object, project: str, model: Model, now: float) -> int:
        """How many tokens a request takes from the cache it names (0 without one). Raises Refusal."""
        if not name:
            return 0
        cache = self.get(str(name).removeprefix("cachedContents/"), project, now)
        if cache.model != model.name:
            raise invalid(
                f"Model used by GenerateContent request (models/{model.name}) and CachedContent "
                f"(models/{cache.model}) has to be the same."
            )
        return cache.tokens

    def update(self, cache_id: str, project: str, body: Json, now: float) -> Cache:
        """Give a cache another end. Raises Refusal."""
        cache = self.get(cache_id, project, now)
        changed = replace(cache, updated_at=now, expires_at=_expiry(body, now, default=cache.expires_at))
        self._caches[cache_id] = changed
        return changed

    def delete(self, cache_id: str, project: str, now: float) -> None:
        """Delete a cache. Raises Refusal (403)."""
        del self._caches[self.get(cache_id, project, now).id]

    def listing(self, project: str, now: float) -> list[Cache]:
        """The project's caches, oldest first."""
        return [one for one in self._caches.values() if one.project == project and now < one.expires_at]

    def clear(self) -> None:
        """Forget every cache."""
        self._caches.clear()


def _expiry(body: Json, now: float, *, default: float) -> float:
    try:
        if ttl := body.get("ttl"):
            return now + float(str(ttl).removesuffix("s"))
        if expire := body.get("expireTime"):
            return datetime.fromisoformat(str(expire)).timestamp()
    except ValueError as error:
        raise invalid("Invalid value at 'cached_content.ttl' or 'cached_content.expire_time'.") from error
    return default
