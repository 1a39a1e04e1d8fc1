"""A service as the quota rules see it: sliding minutes of requests and tokens, and a Pacific day, by project.

It refuses in the words of the real one, read by the pool's own ``classify``, so that the tests cover what is learned
from them. A call is counted when it arrives, which is a little after its start; a refused call takes no place.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from utils.gemini_pool.policy.outcome import Failure, Kind, Outcome, classify

_PACIFIC = ZoneInfo("America/Los_Angeles")
_RPM = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
_TPM = "GenerateContentInputTokensPerModelPerMinute-FreeTier"
_RPD = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"


def refusal(*broken: tuple[str, int | None], wait: float | None = None, message: str = "") -> Outcome:
    """Give a classified 429; ``broken`` lists (quotaId, limit), ``wait`` is told to the nanosecond, as in reality."""
    details: list[dict[str, object]] = [
        {"violations": [{"quotaId": quota_id, "quotaValue": str(limit)} for quota_id, limit in broken]}
    ]
    if wait is not None:
        details.append({"retryDelay": f"{round(wait)}s"})
        message += f"\nPlease retry in {wait:.9f}s."
    return classify(Failure(429, "RESOURCE_EXHAUSTED", message, details))


def minute_refusal(limit: int, wait: float = 30.0) -> Outcome:
    """Give a refusal for a full minute of requests."""
    return refusal((_RPM, limit), wait=wait)


def token_refusal(limit: int, wait: float = 30.0) -> Outcome:
    """Give a refusal for a full minute of tokens."""
    return refusal((_TPM, limit), wait=wait)


def day_refusal(limit: int, wait: float = 5.0) -> Outcome:
    """Give a refusal for a spent day, with the short wait that the real ones carry."""
    return refusal((_RPD, limit), wait=wait)


def answer(tokens: int = 100) -> Outcome:
    """Give an answered call."""
    return Outcome(Kind.OK, input_tokens=tokens)


@dataclass
class ProjectService:
    """One project at the service; limits of 0 are none. ``delay_s``: from a call's start to its arrival."""

    rpm: int = 0
    tpm: int = 0
    rpd: int = 0
    delay_s: float = 0.0
    admitted: list[tuple[float, int]] = field(default_factory=list)
    day: dt.date | None = None
    today: int = 0

    def call(self, now: float, wall: float, tokens: int = 100) -> Outcome:
        """Say what comes of a call that starts now."""
        at, today = now + self.delay_s, dt.datetime.fromtimestamp(wall + self.delay_s, _PACIFIC).date()
        if today != self.day:
            self.day, self.today = today, 0
        self.admitted = [entry for entry in self.admitted if entry[0] > at - 60.0]
        broken = []
        if self.rpm and len(self.admitted) >= self.rpm:
            broken.append((_RPM, self.rpm))
        if self.tpm and sum(used for _, used in self.admitted) + tokens > self.tpm:
            broken.append((_TPM, self.tpm))
        if self.rpd and self.today >= self.rpd:
            broken.append((_RPD, self.rpd))
        if broken:
            wait = self.admitted[0][0] + 60.0 - at if self.admitted else 60.0
            return refusal(*broken, wait=wait)
        self.admitted.append((at, tokens))
        self.today += 1
        return answer(tokens)
