"""How long an answer of a model usually takes, and how long an attempt may take because of that.

``Latency`` keeps one ``Times`` per size of answer. ``Times`` learns the time to the first byte of streamed answers and
the time of whole ones; until ``latency_known_after`` answers are known, the configuration's usual times stand for them,
and from ``latency_few_after`` on the longest known shortens the limit.
``Limits`` goes with every attempt. What always holds: a whole answer's first byte is its last, so it is asked for as a
whole only where the usual answer is well within the limit; while another key could take over, waiting for the first
byte takes at most a share of the deadline, so that one hanging key cannot use it up; every overrun of one request
doubles its limit, since a long answer looks like a hanging key. What an overrun means for a key is ``pools``' affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.histogram import Histogram

#: What is to be saved changes when a quarter of what is known is new, not with every answer.
_SAVED_SHARE = 0.25

#: A limit of which nothing is known is looked at again after each such part of the configured one.
_REVIEWED_SHARE = 0.1

_SMALL_TOKENS = 256
_MEDIUM_TOKENS = 2048


class Size(StrEnum):
    """How long an answer the caller allows, by ``max_output_tokens``."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    UNKNOWN = "unknown"


def size_of(max_output_tokens: int | None) -> Size:
    """Give the class of a caller's bound; UNKNOWN without one."""
    if max_output_tokens is None:
        return Size.UNKNOWN
    if max_output_tokens <= _SMALL_TOKENS:
        return Size.SMALL
    return Size.MEDIUM if max_output_tokens <= _MEDIUM_TOKENS else Size.LARGE


@dataclass(frozen=True, slots=True)
class Usual:
    """Seconds that 50, 95 and 97 of 100 keep below; ``learned``: from answers, not from the configuration."""

    p50: float
    p95: float
    p97: float
    learned: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds until the first byte and between two chunks; ``stream_inside``: ask for a whole answer in pieces.

    ``review_s``: ask so often how long the first byte may take by now, since nothing was known of such answers when
    the attempt began; 0: never.
    """

    first_byte_s: float
    between_chunks_s: float
    stream_inside: bool = False
    review_s: float = 0.0


class Times:
    """The times of a model's answers of one size.

    ``usual``: of whole answers. ``usual_first``: until the first byte of streamed ones, None before enough are known.
    """

    __slots__ = ("_asked", "_config", "_first", "_given", "_saved", "_saved_at", "_whole", "usual", "usual_first")

    def __init__(self, config: PoolConfig) -> None:
        self._config = config
        self._whole = Histogram(config.latency_half_life_answers)
        self._first = Histogram(config.latency_half_life_answers)
        self._saved: Mapping[str, object] = {}
        self._saved_at = 0
        self.usual = Usual(config.usual_p50_s, config.usual_p95_s, config.usual_p97_s, learned=False)
        self.usual_first: Usual | None = None
        #: What limits were last asked for, while nothing that they depend on was learned, and which they were: the next
        #: call's are mostly the same, and cost more to reckon than to keep.
        self._asked: tuple[float, int, bool, bool, bool] | None = None
        self._given = Limits(0.0, config.between_chunks_s)

    def observe(self, first_s: float | None, whole_s: float | None) -> None:
        """Learn from one good answer.

        ``first_s``: seconds until its first byte, None unless it was streamed. ``whole_s``: until its end, None where
        its reader may have slowed it.
        """
        if whole_s is not None:
            self._learn(self._whole, whole_s)
        if first_s is not None:
            self._learn(self._first, first_s)

    def _learn(self, known: Histogram, seconds: float) -> None:
        if known.add(seconds):
            self._reckon(known)
        elif known.seen <= self._config.latency_few_after:
            self._asked = None

    def limits(
        self,
        *,
        deadline_s: float,
        remaining_s: float,
        overruns: int,
        another_live: bool,
        streamed: bool = False,
        doubtful: bool = False,
    ) -> Limits:
        """Give one attempt's limits.

        ``deadline_s``: the whole time the request was given; ``remaining_s``: what is left of it; ``overruns``: how
        many of its attempts ran out of time; ``streamed``: the caller reads the answer in pieces anyway;
        ``doubtful``: the key has run out of time since its last answer.
        """
        config = self._config
        most = min(remaining_s, deadline_s * config.first_byte_share) if another_live else remaining_s
        asked = (most, overruns, another_live, streamed, doubtful)
        if asked != self._asked:
            self._asked, self._given = asked, self._limits(*asked)
        return self._given

    def _limits(self, most: float, overruns: int, another_live: bool, streamed: bool, doubtful: bool) -> Limits:
        """Reckon limits; ``most``: how long the first byte may take whatever is usual, in seconds."""
        config = self._config
        inside = not streamed and (overruns > 0 or not self._fits_whole(most))
        in_pieces = streamed or inside
        known = self._first if in_pieces else self._whole
        times = config.first_byte_times_doubtful if doubtful and another_live else config.first_byte_times_p97
        first = self._first_byte_s(known, self.usual_first if in_pieces else self.usual, times)
        if overruns:
            first *= 2.0**overruns
        if not another_live and most - first < self.usual.p97:
            # nobody could take over, and what a cut would leave is too short for another try
            first = most
        review_s = 0.0
        if another_live and known.seen < config.latency_few_after:
            review_s = config.first_byte_s * _REVIEWED_SHARE
        return Limits(max(0.0, min(first, most)), config.between_chunks_s, inside, review_s)

    @property
    def known_p95(self) -> float | None:
        """Seconds that 95 of 100 whole answers keep below, by the few that are known if need be; None: too few."""
        if self.usual.learned:
            return self.usual.p95
        if self._whole.seen < self._config.latency_few_after:
            return None
        return min(self.usual.p95, self._whole.quantile(0.95))

    def _first_byte_s(self, known: Histogram, usual: Usual | None, times: float) -> float:
        """How long a first byte may take by what is known of such answers: so many times the p97."""
        config = self._config
        presumed = config.first_byte_s
        floor = presumed * config.first_byte_floor
        if usual is not None and usual.learned:
            return max(floor, usual.p97 * times)
        if known.seen < config.latency_few_after:
            return presumed
        # of few answers this is the longest
        return min(presumed, max(floor, known.quantile(0.97) * times))

    def _fits_whole(self, most: float) -> bool:
        """Whether the usual answer, asked for as a whole, is there within ``most`` seconds."""
        usual = self.usual
        if usual.learned:
            return usual.p97 * self._config.whole_answer_room <= most
        return usual.p97 <= min(self._config.first_byte_s, most)

    def save(self) -> Mapping[str, object]:
        """Give what was learned, JSON-ready; the same object until a quarter of what is known is new."""
        seen = self._whole.seen + self._first.seen
        known = min(float(self._saved_at), 2.0 * self._config.latency_half_life_answers)
        if seen - self._saved_at >= max(1.0, _SAVED_SHARE * known):
            self._saved_at = seen
            kept = {"whole": self._whole, "first": self._first}
            self._saved = {name: histogram.save() for name, histogram in kept.items() if histogram.seen}
        return self._saved

    def restore(self, document: Mapping[str, object]) -> None:
        """Take up what was saved; parts of another shape change nothing."""
        for name, histogram in (("whole", self._whole), ("first", self._first)):
            part = document.get(name)
            if isinstance(part, Mapping):
                histogram.restore(part)
        self._saved_at = 0
        self.save()
        self._reckon(self._whole)
        self._reckon(self._first)

    def _reckon(self, known: Histogram) -> None:
        """Take up what quantiles answer by now."""
        self._asked = None
        if known.seen < self._config.latency_known_after:
            return
        if known is self._whole:
            self.usual = _usual(known)
        else:
            self.usual_first = _usual(known)


class Latency:
    """The usual times of one model, by size of answer."""

    __slots__ = ("_times",)

    def __init__(self, config: PoolConfig) -> None:
        self._times = {size: Times(config) for size in Size}

    def of(self, size: Size) -> Times:
        """Give the times of a size; the same object for ever."""
        return self._times[size]

    @property
    def longest_p95_s(self) -> float:
        """The p95 of the size that takes longest, of those that are known; the configuration's when none is."""
        known = [p95 for times in self._times.values() if (p95 := times.known_p95) is not None]
        return max(known, default=self._times[Size.UNKNOWN].usual.p95)

    def save(self) -> dict[str, Mapping[str, object]]:
        """Give what was learned, by size, JSON-ready; empty while nothing was."""
        return {size.value: saved for size, times in self._times.items() if (saved := times.save())}

    def restore(self, document: Mapping[str, object]) -> None:
        """Take up what was saved; parts of another shape change nothing."""
        for size, times in self._times.items():
            part = document.get(size.value)
            if isinstance(part, Mapping):
                times.restore(part)


def _usual(histogram: Histogram) -> Usual:
    return Usual(histogram.quantile(0.50), histogram.quantile(0.95), histogram.quantile(0.97), learned=True)
