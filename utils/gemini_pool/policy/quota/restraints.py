"""What restrains one (project, model) now: its limits, wherever they are known from, as windows over what it has sent.

``Restraints`` is worked out anew when something was learned and when time changes a limit, and answers in between at a
cost that no limit raises. What always holds: a call within every firm limit may begin, unless it would go beyond one
that is only presumed while another call is under way. Closures are not its business.
"""

from __future__ import annotations

from collections.abc import Mapping

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.quota.forecast import DayPlaces, Known, TokenPlaces
from utils.gemini_pool.policy.quota.limits import ModelLimits, OwnLimit
from utils.gemini_pool.policy.quota.sent import Sent
from utils.gemini_pool.policy.quota.texts import Measure
from utils.gemini_pool.policy.quota.windows import RequestWindow, count_since

_INFINITE = float("inf")
_RPM, _TPM, _RPD = Measure.REQUESTS_PER_MINUTE, Measure.TOKENS_PER_MINUTE, Measure.REQUESTS_PER_DAY


class Restraints:
    """The limits of one (project, model) at work; times are the clock's seconds."""

    __slots__ = ("_config", "_day", "_own", "_presumed", "_sent", "_shared", "_tokens", "_windows", "any", "until")

    def __init__(self, config: PoolConfig, shared: ModelLimits, own: Mapping[Measure, OwnLimit], sent: Sent) -> None:
        self._config = config
        self._shared = shared
        self._own = own
        self._sent = sent
        self._windows: list[RequestWindow] = []
        self._presumed: dict[Measure, int] = {}
        self._tokens: int | None = None
        self._day: int | None = None
        #: Whether there is any limit at all; until when nothing changes by time alone.
        self.any: bool
        self.until: float

    @property
    def day(self) -> int | None:
        """Requests a day that the project may send, as far as known."""
        return self._day

    def work_out(self, now: float) -> None:
        """Look at all limits as they are now."""
        until = [self._sent.day_ends]
        firm: dict[Measure, int | None] = {}
        self._presumed = {}
        for measure in Measure:
            firm[measure], holds_until = self.bound(measure, now)
            until.append(holds_until)
            presumed = self._presumption(measure, firm[measure], now)
            if presumed is not None:
                self._presumed[measure] = presumed
                until.append(self._shared.presumed_until(measure))
        self._windows = self._own_windows()
        requests = firm[_RPM]
        if requests is not None:
            self._windows.append(RequestWindow(self._sent.starts, requests, self._sent.minute_s))
        self._tokens, self._day = firm[_TPM], firm[_RPD]
        self.any = bool(self._windows or self._presumed or self._tokens or self._day)
        self.until = min(until)

    def bound(self, measure: Measure, now: float) -> tuple[int | None, float]:
        """Give the limit to keep to, and until when (the clock's seconds)."""
        declared, own = self._shared.declared(measure), self._own.get(measure)
        return (declared, _INFINITE) if own is None else own.bound(now, declared, self._config.share_grow_s)

    def allow(self, now: float, in_flight: int) -> bool:
        """Whether one more call may begin, with so many under way."""
        for window in self._windows:
            if window.free_at() > now:
                return False
        if self._day is not None and self._sent.today >= self._day:
            return False
        if self._tokens is not None:
            self._sent.tokens.forget(now, self._sent.minute_s)
            if not self._sent.tokens.has_room(self._tokens, in_flight):
                return False
        return not in_flight or not self.beyond(now)

    def room_at(self, now: float, in_flight: int) -> float:
        """When one more call may begin; infinite when only the end of a call can bring it."""
        at = max((window.free_at() for window in self._windows), default=now)
        if self._day is not None and self._sent.today >= self._day:
            at = max(at, self._sent.day_ends)
        if self._tokens is not None:
            at = max(at, self._sent.tokens.free_at(self._tokens, self._sent.minute_s, in_flight))
        if in_flight:
            at = max([at, *(self._within_at(measure) for measure in self._presumed if self._is_beyond(measure, now))])
        return max(now, at)

    @property
    def presumes(self) -> bool:
        """Whether anything is only presumed."""
        return bool(self._presumed)

    def beyond(self, now: float) -> bool:
        """Whether a call that begins now would go beyond a limit that is only presumed."""
        # asked for every call of a limited project: a generator would cost more than the rest
        for measure in self._presumed:  # noqa: SIM110  # see above
            if self._is_beyond(measure, now):
                return True
        return False

    def disproved(self, started_at: float) -> dict[Measure, int]:
        """Give the presumed limits that the answer to a call is proof against, whatever the clocks' difference."""
        sent = self._sent
        after = started_at - self._config.minute_s + sent.margin_s
        at_start = {
            _RPM: count_since(sent.starts, after) - count_since(sent.starts, started_at),
            _TPM: sent.tokens.used,
            _RPD: sent.today,
        }
        return {measure: value for measure, value in self._presumed.items() if at_start[measure] > value}

    def explains(self, now: float, in_flight: int) -> bool:
        """Whether a limit for a minute that is known by now is full, so that a refusal needs no other reason."""
        requests, _ = self.bound(_RPM, now)
        tokens, _ = self.bound(_TPM, now)
        return (requests is not None and self._sent.in_minute(now) >= requests) or (
            tokens is not None and self._sent.tokens.after(in_flight) > tokens
        )

    def known(self, *, single: bool) -> Known:
        """Give all that restrains, for a forecast."""
        sent, day, tokens = self._sent, self._day, self._tokens
        requests = self._presumed.get(_RPM)
        return Known(
            firm=self._windows,
            presumed=[RequestWindow(sent.starts, requests, sent.minute_s)] if requests else [],
            pause_s=self._config.usual_p50_s,
            single=single,
            day=DayPlaces(max(0, day - sent.today), day, sent.day_ends) if day else None,
            tokens=TokenPlaces(sent.tokens, tokens, sent.minute_s) if tokens else None,
        )

    def _presumption(self, measure: Measure, firm: int | None, now: float) -> int | None:
        """Give what is presumed beside what is known, if anything."""
        value, own = self._shared.presumed(measure, now), self._own.get(measure)
        if value is None or (firm is not None and firm <= value):
            return None
        return None if own is not None and (own.learned or own.refuted >= value) else value

    def _own_windows(self) -> list[RequestWindow]:
        config, sent = self._config, self._sent
        bounds = (
            (sent.starts, config.own_per_second, config.minute_s / 60.0),
            (sent.starts, config.own_per_minute, config.minute_s),
            (sent.hour, config.own_per_hour, sent.hour_s),
        )
        return [RequestWindow(starts, limit, length_s) for starts, limit, length_s in bounds if limit]

    def _is_beyond(self, measure: Measure, now: float) -> bool:
        sent, value = self._sent, self._presumed[measure]
        if measure is _RPM:
            return self._within_at(_RPM) > now
        if measure is _RPD:
            return sent.today >= value
        sent.tokens.forget(now, sent.minute_s)
        return sent.tokens.used >= value

    def _within_at(self, measure: Measure) -> float:
        """When one more call keeps within a presumed limit."""
        if measure is _RPM:
            return RequestWindow(self._sent.starts, self._presumed[_RPM], self._sent.minute_s).free_at()
        return self._sent.day_ends if measure is _RPD else _INFINITE
