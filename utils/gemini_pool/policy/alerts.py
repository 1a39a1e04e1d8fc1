"""Which alert is due: a key died or is back, few keys can serve a model or enough again, none is left.

``Watch.look`` is shown the pool's state from time to time and answers what an operator should be told now. What always
holds: an alert names keys by label only; a death is told once, and one that an earlier process saw is not told again;
what went wrong is told again only after ``alert_again_s``, what is well again only if that it was not had been told.
Who carries an alert to people is ``gemini_pool/alerts``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.keys import Death, Key
from utils.gemini_pool.policy.quota.closures import Closed

if TYPE_CHECKING:
    from utils.gemini_pool.policy.pools import ModelPool
    from utils.gemini_pool.policy.projects import Lane


class AlertKind(StrEnum):
    """What happened."""

    KEY_DEAD = "key_dead"
    KEY_BACK = "key_back"
    FEW_KEYS = "few_keys"
    ENOUGH_KEYS = "enough_keys"
    NO_KEY_LEFT = "no_key_left"


_ENGLISH: Mapping[AlertKind, str] = {
    AlertKind.KEY_DEAD: "{key} ({name}) is dead: {reason}. Replace it, then reset the pool.",
    AlertKind.KEY_BACK: "{key} ({name}) is accepted again and serves as before.",
    AlertKind.FEW_KEYS: "Only {able} of {keys} keys could serve {model} for {seconds:.0f} s. See the key statistics.",
    AlertKind.ENOUGH_KEYS: "{able} of {keys} keys can serve {model} again.",
    AlertKind.NO_KEY_LEFT: "All {keys} keys are dead, so nothing can be answered. Replace them, then reset the pool.",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing an operator should know; ``values`` fill the sentence of its kind, in any language."""

    kind: AlertKind
    values: Mapping[str, object]

    @property
    def text(self) -> str:
        """The alert as one English sentence or two."""
        return _ENGLISH[self.kind].format(**self.values)


def able(pools: Mapping[str, ModelPool], now: float) -> dict[str, int]:
    """Count by model the keys that could serve it now.

    Not able is a key that is dead or ejected, or whose project is out of quota for the day or for good; one that has
    sent what a minute allows is busy, not missing.
    """
    return {model: sum(_is_able(lane, now) for lane in pool.lanes) for model, pool in pools.items()}


def _is_able(lane: Lane, now: float) -> bool:
    quota = lane.project.quota
    out = quota.why is Closed.NO_QUOTA or (quota.why is Closed.DAY and quota.until > now)
    return lane.is_live(now) and not out


class _Shortage:
    """A lasting want: since when, whether it was told, and when one was last told (by the clock; None: never)."""

    __slots__ = ("since", "told", "told_at")

    def __init__(self) -> None:
        self.since: float | None = None
        self.told = False
        self.told_at: float | None = None

    def is_due(self, now: float, *, after_s: float, again_s: float) -> bool:
        """Take in that the want goes on; answers whether it is to be told now."""
        if self.since is None:
            self.since = now
        if self.told or now - self.since < after_s:
            return False
        if self.told_at is not None and now - self.told_at < again_s:
            return False
        self.told, self.told_at = True, now
        return True

    def is_over(self) -> bool:
        """Take in that there is no want; answers whether one had been told."""
        was_told, self.told, self.since = self.told, False, None
        return was_told


class Watch:
    """Remembers what was told.

    ``born_at``: Unix seconds at the start of the process; deaths before that were told by an earlier one.
    """

    def __init__(self, config: PoolConfig, born_at: float) -> None:
        self._config = config
        self._born_at = born_at
        self._deaths: dict[str, Death] = {}
        self._deaths_told_at: dict[str, float] = {}
        self._none_left = _Shortage()
        self._few: dict[str, _Shortage] = {}

    def look(self, keys: Sequence[Key], able: Mapping[str, int], now: float) -> list[Alert]:
        """Say what is due; ``able``: by model in use, how many keys could serve it now."""
        alerts = self._of_keys(keys, now)
        if keys and len(self._deaths) == len(keys):
            return alerts + self._of_none_left(len(keys), now)
        self._none_left.is_over()
        for model, count in able.items():
            alerts += self._of_model(model, count, len(keys), now)
        for model in self._few.keys() - able.keys():
            del self._few[model]
        return alerts

    def back(self, key: Key) -> Alert:
        """Say that a dead key was found to be alive."""
        return Alert(AlertKind.KEY_BACK, {"key": key.label, "name": key.name})

    def _of_keys(self, keys: Sequence[Key], now: float) -> list[Alert]:
        deaths = {key.fingerprint: (key, key.dead) for key in keys if key.dead is not None}
        alerts = [
            Alert(AlertKind.KEY_DEAD, {"key": key.label, "name": key.name, "reason": dead.reason or "refused for good"})
            for fingerprint, (key, dead) in deaths.items()
            if self._deaths.get(fingerprint) != dead and self._is_news(dead) and self._may_tell(fingerprint, now)
        ]
        self._deaths = {fingerprint: dead for fingerprint, (_, dead) in deaths.items()}
        return alerts

    def _of_none_left(self, keys: int, now: float) -> list[Alert]:
        due = self._none_left.is_due(now, after_s=0.0, again_s=self._config.alert_again_s)
        if not due or not any(self._is_news(dead) for dead in self._deaths.values()):
            return []
        return [Alert(AlertKind.NO_KEY_LEFT, {"keys": keys})]

    def _is_news(self, dead: Death) -> bool:
        return dead.since >= self._born_at

    def _of_model(self, model: str, able: int, keys: int, now: float) -> list[Alert]:
        config = self._config
        few = self._few.setdefault(model, _Shortage())
        values: dict[str, object] = {"model": model, "able": able, "keys": keys}
        if able >= keys * config.alert_few_share:
            return [Alert(AlertKind.ENOUGH_KEYS, values)] if few.is_over() else []
        if not few.is_due(now, after_s=config.alert_few_for_s, again_s=config.alert_again_s):
            return []
        return [Alert(AlertKind.FEW_KEYS, {**values, "seconds": now - (now if few.since is None else few.since)})]

    def _may_tell(self, fingerprint: str, now: float) -> bool:
        told_at = self._deaths_told_at.get(fingerprint)
        if told_at is not None and now - told_at < self._config.alert_again_s:
            return False
        self._deaths_told_at[fingerprint] = now
        return True
