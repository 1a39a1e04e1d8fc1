"""Whoever waits is told what for: in time, not too often, and until the first word comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.rendering.conftest import FakeTarget, VirtualClock
from utils.gemini_pool import QuotaExhaustedError
from utils.rendering.errors import DeliveryError, PlaceGoneError
from utils.rendering.waiting import waiting_sentence
from utils.rendering.writer import AnswerWriter

NOW = 1_790_000_000.0


def said(locale: str = "en-US", *, place: int = 0, estimate_s: float | None = None, obstacle: str | None = None):
    return waiting_sentence(locale, place=place, estimate_s=estimate_s, obstacle=obstacle, now=NOW)


def test_the_place_and_the_time_are_said_in_small_print():
    """The time is one that Discord counts down, in steps, and never an earlier one than was estimated."""
    assert said(place=3, estimate_s=12.0) == "-# ⏳ Number 3 in line, your turn <t:1790000015:R>"
    assert said(place=3, estimate_s=15.0) == said(place=3, estimate_s=11.0)
    assert said(place=1, estimate_s=-3.0, obstacle="quota") == "-# ⏳ Number 1 in line, your turn <t:1790000000:R>"
    assert said("ru", place=2) == "-# ⏳ 2-е место в очереди"


@pytest.mark.parametrize("estimate_s", [None, float("inf"), float("nan")])
def test_a_time_that_nobody_knows_is_not_said(estimate_s):
    """The place is."""
    assert said(place=2, estimate_s=estimate_s) == "-# ⏳ Number 2 in line"


def test_without_a_place_the_obstacle_is_said_if_there_are_words_for_it():
    """One that a later pool invents is passed over."""
    assert said(obstacle="own_answer") == "-# ⏳ Your other answer comes first"
    assert all(said(obstacle=word) for word in ("quota", "overloaded", "faults"))
    assert said(obstacle="gremlins") is None
    assert said() is None


def writer(target: FakeTarget) -> AnswerWriter:
    return AnswerWriter(target, locale="en-US", clock=target.clock, sleep=target.clock.sleep)


async def waiting(
    writing: AnswerWriter, clock: VirtualClock, *told: tuple[float, str | None], text_at: float, text: str = "Hello"
) -> AsyncIterator[str]:
    """Tell what is waited for at these times, then answer."""
    for at, sentence in told:
        await clock.sleep(at - clock.now)
        writing.waits(sentence)
    await clock.sleep(text_at - clock.now)
    if not text:
        raise QuotaExhaustedError("no quota")
    yield text
    await clock.sleep(1.0)
    yield " there"


async def test_a_short_wait_is_not_spoken_of(clock, target):
    """Below two seconds nothing is shown but the announcement."""
    writing = writer(target)
    await clock.run(writing.run(waiting(writing, clock, (0.1, "3rd"), (0.5, "2nd"), text_at=1.9)))
    assert [text for _, text in target.states] == ["Hello▍"]
    assert target.waited == [(0.0, 1.9)]


async def test_a_long_wait_is_shown_at_most_every_four_seconds_and_replaced_by_the_first_text(clock, target):
    """Always the newest place, never an old one; the same one is not shown twice."""
    writing = writer(target)
    told = [(0.5 * number, f"place {40 - number}") for number in range(1, 31)]
    await clock.run(writing.run(waiting(writing, clock, *told, (15.5, "place 10"), text_at=30.0)))
    assert target.states == [
        (2.0, "place 36"),
        (6.0, "place 28"),
        (10.0, "place 20"),
        (14.0, "place 12"),
        (18.0, "place 10"),
        (30.0, "Hello▍"),
    ]
    assert target.finished == [(["Hello there"], None)]


async def test_who_need_not_wait_any_more_reads_what_stood_there_until_the_text_comes(clock, target):
    """Nothing is taken away, and nothing new is said."""
    writing = writer(target)
    await clock.run(writing.run(waiting(writing, clock, (1.0, "1st"), (3.0, None), text_at=20.0)))
    assert target.states == [(2.0, "1st"), (20.0, "Hello▍")]


async def test_a_wait_that_ends_badly_ends_in_the_sentence(clock, target):
    """The place in the line gives way to what went wrong."""
    writing = writer(target)
    answer = await clock.run(writing.run(waiting(writing, clock, (1.0, "1st"), text_at=9.0, text="")))
    assert isinstance(answer.error, QuotaExhaustedError)
    assert target.states == [(2.0, "1st")]
    [(texts, _)] = target.finished
    assert "1st" not in texts[0]


async def test_a_place_in_the_line_that_cannot_be_shown_disturbs_nothing(clock):
    """One refused edit is made good by the next; a message that is gone ends the showing and not the reading."""
    target = FakeTarget(clock, failures=[DeliveryError("busy")])
    writing = writer(target)
    await clock.run(writing.run(waiting(writing, clock, (1.0, "1st"), text_at=20.0)))
    assert target.states == [(6.0, "1st"), (20.0, "Hello▍")]
    gone = FakeTarget(clock, failures=[PlaceGoneError("gone")])
    writing = writer(gone)
    answer = await clock.run(writing.run(waiting(writing, clock, (clock.now + 1, "1st"), text_at=clock.now + 9)))
    assert (gone.states, gone.finished, answer.text, answer.gone) == ([], [], "Hello there", True)


async def test_who_waits_can_be_stopped(clock, target):
    """Cancelling ends the wait with the sentence that says so."""
    writing = writer(target)

    async def stop() -> None:
        running = asyncio.ensure_future(writing.run(waiting(writing, clock, (1.0, "1st"), text_at=90.0)))
        await clock.sleep(5.0)
        running.cancel()
        await asyncio.wait({running})

    await clock.run(stop())
    assert target.states == [(2.0, "1st")]
    assert len(target.finished) == 1
