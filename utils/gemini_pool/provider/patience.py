"""How long an attempt under way may take: until its first byte, between two pieces, and as a whole.

``Patience`` is the timeout of one stream, ``Review`` what shortens the limit of an attempt that began when nothing was
known of such answers: a key that hangs then costs what it costs later, not the whole presumed limit. What always holds:
a limit under way is never lengthened by a review, and nothing is reviewed once something was heard. What the limits are
is ``policy/latency.py``'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from utils.gemini_pool.policy.latency import Limits

#: Answers how many seconds after its start the first byte of an attempt may come, by what is known now.
FirstByte = Callable[[], float]


class Review:
    """Looks again and again how long the first byte may take, until something is known; ended by ``stop``."""

    __slots__ = ("_begun_at", "_first_byte_s", "_handle", "_limits", "_loop", "_timeout")

    def __init__(self, timeout: asyncio.Timeout, limits: Limits, first_byte_s: FirstByte) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun_at = self._loop.time()
        self._timeout = timeout
        self._limits = limits
        self._first_byte_s = first_byte_s
        self._handle = self._loop.call_later(limits.review_s, self._look)

    def stop(self) -> None:
        """Leave the limit as it is."""
        self._handle.cancel()

    def _look(self) -> None:
        now_s = self._first_byte_s()
        if now_s < self._limits.first_byte_s:
            self._timeout.reschedule(self._begun_at + now_s)
        else:
            self._handle = self._loop.call_later(self._limits.review_s, self._look)


class Patience:
    """The limits of one stream under way, and the seconds it took; made where the stream is read."""

    __slots__ = ("_begun_at", "_gap_s", "_limits", "_loop", "_review", "_until", "first_s", "timeout")

    def __init__(self, limits: Limits, whole_s: float | None = None) -> None:
        """``whole_s``: seconds for the whole answer; None: only the first byte and the gaps are limited."""
        self._loop = asyncio.get_running_loop()
        self._begun_at = now = self._loop.time()
        self._limits = limits
        self._gap_s = limits.between_chunks_s
        self._until = None if whole_s is None else now + whole_s
        self._review: Review | None = None
        self.first_s: float | None = None
        self.timeout = asyncio.timeout_at(self._soonest(now + limits.first_byte_s))

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return self._loop.time() - self._begun_at

    def review(self, first_byte_s: FirstByte | None) -> None:
        """Shorten the limit until the first byte as soon as more is known, where it was only presumed."""
        if self._limits.review_s and first_byte_s is not None:
            self._review = Review(self.timeout, self._limits, first_byte_s)

    def heard(self) -> None:
        """Something came: the next may take as long as a gap may."""
        now = self._loop.time()
        if self.first_s is None:
            self.first_s = now - self._begun_at
            self.end()
        self.timeout.reschedule(self._soonest(now + self._gap_s))

    def suspend(self) -> None:
        """Count nothing until something is heard: it is the reader who takes long."""
        self.timeout.reschedule(self._until)

    def end(self) -> None:
        """Review nothing any more."""
        if self._review is not None:
            self._review.stop()
            self._review = None

    def _soonest(self, at: float) -> float:
        return at if self._until is None else min(at, self._until)
