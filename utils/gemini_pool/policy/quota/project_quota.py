"""Quota of one (project, model): what it may send now, and what refusals and answers teach about that.

``ProjectQuota`` joins what was ``sent``, the ``restraints`` of its limits and the ``closures`` of refusals.
What always holds: of the calls begun after a refusal that named a limit, none is sent that this limit would refuse, as
long as nobody else uses the project. A place is free a margin later than the service says, since clocks differ; the
margin widens when a refusal proves it too small. Beyond a limit that was only named to another project, and while a
refusal is unexplained, calls go one at a time. A refused call, or one never sent, gives its place back.
Whether two projects are one is found out by ``discovery``; who takes the places is the caller's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.outcome import Kind, LimitNamed, Measure, Outcome, Window
from utils.gemini_pool.policy.quota import documents
from utils.gemini_pool.policy.quota.closures import Closed, Closure
from utils.gemini_pool.policy.quota.forecast import free_times
from utils.gemini_pool.policy.quota.limits import ModelLimits, OwnLimit
from utils.gemini_pool.policy.quota.restraints import Restraints
from utils.gemini_pool.policy.quota.sent import Sent
from utils.gemini_pool.policy.quota.windows import NEVER, count_since

__all__ = ["Closed", "ModelLimits", "ProjectQuota", "Wall"]

_INFINITE = float("inf")
# members of an enumeration are slow to look up, and these are asked for at the end of every call
_OK, _QUOTA, _NO_QUOTA = Kind.OK, Kind.QUOTA, Kind.NO_QUOTA_HERE
_RPM, _TPM, _RPD = Measure.REQUESTS_PER_MINUTE, Measure.TOKENS_PER_MINUTE, Measure.REQUESTS_PER_DAY


@dataclass(frozen=True, slots=True)
class Wall:
    """A refusal for a full minute that our own count does not explain.

    Asked at ``asked_at``, refused ``at``, open again at ``until``. ``oldest_at``: when the oldest call of the project
    began, if that took as long to arrive as this one; None when the wait was told in whole seconds only.
    """

    asked_at: float
    at: float
    until: float
    limit: int
    oldest_at: float | None


class ProjectQuota:
    """One (project, model); times are the clock's seconds, ``wall`` as an argument is Unix time.

    ``limited``: False while nothing at all restrains the project; then ``may_send`` need not be asked. ``wall``: the
    latest refusal, if our own count does not explain it; ``discovery`` compares those of all projects.
    """

    __slots__ = (
        "__weakref__",
        "_closure",
        "_config",
        "_explorer",
        "_own",
        "_probe_started",
        "_restraints",
        "_review_at",
        "_sent",
        "_shared",
        "_starts",
        "_tend_at",
        "_tokens",
        "_unexplained_at",
        "_widened_at",
        "limited",
        "wall",
    )

    def __init__(self, config: PoolConfig, known: ModelLimits, now: float, wall: float) -> None:
        self._config = config
        self._shared = known
        self._own: dict[Measure, OwnLimit] = {}
        self._sent = Sent(config, now, wall)
        #: The record's own line and tokens, kept at hand because every call is entered there.
        self._starts, self._tokens = self._sent.starts, self._sent.tokens
        self._closure = Closure(config)
        self._restraints = Restraints(config, known, self._own, self._sent)
        self._unexplained_at: float | None = None
        self._widened_at = self._probe_started = self._explorer = NEVER
        self._review_at = self._tend_at = NEVER
        self.wall: Wall | None = None
        known.follow(self)
        self._work_out(now)

    # What may be sent

    @property
    def until(self) -> float:
        """Until when the last closure lasts, at the least; a project without quota stays closed after it."""
        return self._closure.until

    @property
    def why(self) -> Closed | None:
        """Why it was last closed."""
        return self._closure.why

    @property
    def probing(self) -> bool:
        """Whether a call that asks in spite of a closure is under way."""
        return self._closure.probing

    @property
    def sent_today(self) -> int:
        """Requests begun on this Pacific day."""
        return self._sent.today

    def day_limit(self, now: float) -> int | None:
        """Requests a Pacific day that the project may send, as far as known."""
        self._keep_up(now)
        return self._restraints.day

    def sent_since(self, after: float) -> int:
        """Requests begun after a time within the last minute, but for those that were refused."""
        return count_since(self._starts, after)

    def starts_between(self, after: float, until: float) -> list[float]:
        """Give the starts of requests later than one time and no later than another, in their order."""
        return [at for at in self._starts if after < at <= until]

    def is_closed(self, now: float) -> bool:
        """Whether a refusal keeps everything but a probe away."""
        return self._closure.is_closed(now)

    def may_send(self, now: float, in_flight: int) -> bool:
        """Whether one more call may begin, with so many under way."""
        # what ``_keep_up`` does, written out: it is asked for every call
        if now >= self._review_at:
            self._work_out(now)
        closure = self._closure
        if closure.why is not None and closure.is_closed(now):
            return False
        return not (in_flight and self._unexplained_at is not None) and self._restraints.allow(now, in_flight)

    def wants_probe(self, now: float) -> bool:
        """Whether one request may be sent in spite of a closure that lasts a day."""
        return self._closure.wants_probe(now)

    def next_open_at(self, now: float, in_flight: int) -> float:
        """When ``may_send`` or ``wants_probe`` may next hold; infinite when only the end of a call can bring it."""
        self._keep_up(now)
        closure = self._closure
        if closure.is_closed(now) and closure.why is not Closed.MINUTE:
            if not closure.probing:
                return min(max(now, closure.probe_at), closure.opens_at(now))
            if closure.why is Closed.NO_QUOTA:
                return _INFINITE
        if in_flight and self._unexplained_at is not None:
            return _INFINITE
        return max(self._restraints.room_at(now, in_flight), closure.opens_at(now))

    def free_times(self, now: float) -> Iterator[float]:
        """Give the times at which one more call may begin, soonest first, without end.

        They hold until something else happens; the iterator is not to be kept beyond the next call of ``start``.
        """
        self._keep_up(now)
        known = self._restraints.known(single=self._unexplained_at is not None)
        return free_times(self._closure.opens_at(now), known)

    # What was sent

    def start(self, now: float) -> None:
        """Count a call that begins."""
        self._starts.append(now)
        if now >= self._tend_at:
            self._tend(now)

    def end(self, started_at: float, outcome: Outcome, now: float, wall: float, in_flight: int) -> None:
        """Take in how a call came out; ``in_flight``: those still under way."""
        kind = outcome.kind
        refused = kind is _QUOTA or kind is _NO_QUOTA
        accepted = outcome.requests - refused
        if accepted != 1:
            self._sent.correct(started_at, accepted, now)
        if accepted > 0:
            if outcome.input_tokens > 0:
                self.count_tokens(started_at, outcome.input_tokens)
            elif kind is not _OK:
                self._sent.tokens.add_expected(started_at)
        if refused:
            self._refused(started_at, outcome, now, wall, in_flight)
        elif kind is _OK:
            self._answered(started_at)
        if started_at == self._probe_started:
            self._closure.probing = False
            self._probe_started = NEVER
        if self._sent.day_unsure:
            self._sent.find_midnight(now, wall)
            self._review_at = self._tend_at = NEVER

    def count_tokens(self, started_at: float, tokens: int) -> None:
        """Count the input tokens of an answered call; all that ``end`` would do for one while nothing is limited."""
        self._tokens.add(started_at, tokens, self._sent.minute_s)

    def absorb(self, other: ProjectQuota, now: float) -> None:
        """Become the quota of both: it was found that they are one project. ``other`` is not to be used any more."""
        self._sent.absorb(other._sent)
        for measure, theirs in other._own.items():
            mine = self._own.setdefault(measure, OwnLimit())
            if theirs.learned_until > mine.learned_until:
                mine.learn(theirs.learned, theirs.learned_until)
        requests = self._own.get(_RPM)
        if requests is not None:
            # what was left to both; all of it, unless a third one is still missing
            sent = count_since(self._starts, now - self._config.minute_s)
            requests.share, requests.share_at = sent, now
        self._closure.absorb(other._closure)
        self._probe_started = max(self._probe_started, other._probe_started)
        self._unexplained_at = None
        if self.wall is None or (other.wall is not None and other.wall.at < self.wall.at):
            # closed since the first of the two was
            self.wall = other.wall
        self._work_out(now)

    # What is kept over a restart

    def snapshot(self, shift: float, now: float) -> dict[str, object] | None:
        """Write down what a restart must not forget, JSON-ready; ``shift``: Unix time minus the clock's seconds."""
        self._sent.tend(now)
        self._sent.tokens.forget(now, self._sent.minute_s)
        return documents.write(
            documents.Facts(
                closure=self._closure,
                limits=self._own,
                margin_s=self._sent.margin_s,
                unexplained=self._unexplained_at is not None,
                starts=list(self._starts),
                hour=list(self._sent.hour),
                tokens=list(self._sent.tokens.entries),
                today=self._sent.today,
                day_ends=self._sent.day_ends,
            ),
            shift,
            now,
        )

    def restore(self, document: Mapping[str, object], shift: float, now: float) -> None:
        """Take up what was written before a restart; what is over, or of another shape, is ignored."""
        facts = documents.read(document, shift, now, self._config)
        sent = self._sent
        self._closure.absorb(facts.closure)
        self._own.update(facts.limits)
        self._unexplained_at = now if facts.unexplained else None
        sent.widen(min(max(sent.margin_s, facts.margin_s), max(sent.margin_s, self._config.margin_cap_s)))
        today = sent.today + (facts.today if now < facts.day_ends else 0)
        sent.starts.extendleft(reversed(facts.starts))
        sent.hour.extendleft(reversed(facts.hour))
        sent.today = today
        for at, tokens in facts.tokens:
            sent.tokens.add(at, tokens, sent.minute_s)
        for measure, own in facts.limits.items():
            self._shared.name(measure, own.learned, now, own.learned_until)
        self._work_out(now)

    # Limits

    def review(self) -> None:
        """Look at the limits again before the next call."""
        self.limited = True
        self._review_at = self._tend_at = NEVER

    def _keep_up(self, now: float) -> None:
        """Work the restraints out anew when what was worked out holds no longer."""
        if now >= self._review_at:
            self._work_out(now)

    def _work_out(self, now: float) -> None:
        """Work out what restrains the project now, and until when that holds."""
        self._sent.tend(now)
        self._restraints.work_out(now)
        self.limited = self._closure.is_closed(now) or self._restraints.any or self._unexplained_at is not None
        self._review_at = self._restraints.until
        self._tend_at = self._next_tend_at(now)

    def _next_tend_at(self, now: float) -> float:
        """When a start must next be looked at, just after what is old was forgotten; at once where each one counts."""
        if self._config.own_per_hour or self._restraints.presumes or self._closure.is_closed(now):
            return NEVER
        return min(now + self._config.minute_s, self._sent.day_ends)

    def _tend(self, now: float) -> None:
        """Do with a start what need not be done with every one: forget old ones, turn the day, mark those that ask."""
        self._sent.tend(now)
        if self._config.own_per_hour:
            self._sent.hour.append(now)
        if self._closure.is_closed(now):
            self._closure.probing = True
            self._probe_started = now
        elif self._restraints.presumes:
            # whether it went beyond what is presumed is decided by its answer
            self._explorer = now
        self._tend_at = self._next_tend_at(now)

    # Learning

    def _answered(self, started_at: float) -> None:
        """Let an answer to a call that asked say what it found out."""
        if started_at == self._probe_started:
            self._opened()
        if self._unexplained_at is not None and started_at > self._unexplained_at:
            self._unexplained_at = None
            self._review_at = NEVER
        if started_at == self._explorer:
            for measure, value in self._restraints.disproved(started_at).items():
                self._own.setdefault(measure, OwnLimit()).refuted = value
                self._review_at = NEVER

    def _opened(self) -> None:
        """A probe was answered: whatever closed the project is over, and a day's limit that we are beyond was none."""
        own = self._own.get(_RPD)
        # with fewer sent today the answer says nothing: the refusal may have been about the day before
        if self._closure.why is Closed.DAY and own is not None and self._sent.today > own.learned:
            own.forget()
        self._closure.open()
        self._review_at = NEVER

    def _refused(self, started_at: float, outcome: Outcome, now: float, wall: float, in_flight: int) -> None:
        closure = self._closure
        self._sent.tend(now)
        self._sent.find_midnight(now, wall)
        self.wall = None
        if outcome.kind is Kind.NO_QUOTA_HERE:
            closure.close_for_good(now)
        elif outcome.window is Window.DAY:
            closure.close_day(now, self._sent.day_ends)
            self._take_in(outcome.limits, now)
        else:
            closure.close_minute(now, outcome.retry_after)
            self._take_in_minute(started_at, outcome, now, in_flight)
        self._work_out(now)

    def _take_in_minute(self, started_at: float, outcome: Outcome, now: float, in_flight: int) -> None:
        """Explain a refusal for a full minute: by the margin, by a limit, or by others who use the project too."""
        self._take_in(outcome.limits, now)
        explained = self._restraints.explains(now, in_flight)
        own = self._own.get(_RPM)
        limit = own.learned if own is not None else self._shared.declared(_RPM)
        count = self._sent.in_minute(now)
        if limit is None or count >= limit:
            if not explained:
                self._unexplained_at = now
        elif self._is_early(outcome.retry_after, limit, now):
            self._widen(started_at, now)
        elif any(named.measure is _RPM and named.value for named in outcome.limits):
            self._share(limit, outcome.retry_after, started_at, now)
        elif not explained:
            self._unexplained_at = now

    def _is_early(self, wait: float | None, limit: int, now: float) -> bool:
        """Whether only the margin was too small: with the widest one our count would have said full."""
        if wait is None or wait >= self._config.margin_early_s:
            return False
        return count_since(self._starts, now - self._sent.kept_s) >= limit

    def _widen(self, started_at: float, now: float) -> None:
        # calls begun before the margin was widened say nothing new
        if started_at > self._widened_at:
            self._sent.widen(min(self._sent.margin_s * self._config.margin_widen, self._config.margin_cap_s))
            self._widened_at = now

    def _take_in(self, limits: tuple[LimitNamed, ...], now: float) -> None:
        """Learn the limits that a refusal names."""
        until = now + self._config.believe_limit_s
        for named in limits:
            if named.value:
                self._own.setdefault(named.measure, OwnLimit()).learn(named.value, until)
                self._shared.name(named.measure, named.value, now, until)

    def _share(self, limit: int, wait: float | None, started_at: float, now: float) -> None:
        """Keep to what was left to us: somebody else, maybe another of our keys, has used the rest."""
        own = self._own[_RPM]
        own.share, own.share_at = max(1, count_since(self._starts, now - self._config.minute_s)), now
        if wait is not None:
            # the service counts from a call's arrival, and told the wait when this call had arrived
            oldest_at = None if wait.is_integer() else started_at + wait - self._config.minute_s
            self.wall = Wall(started_at, now, now + wait, limit, oldest_at)
