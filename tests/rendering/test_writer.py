"""The writer of an answer: pacing, the last state, failures, cancellation, long answers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from tests.rendering.conftest import FakeTarget, VirtualClock
from utils.gemini_pool import QuotaExhaustedError
from utils.rendering.errors import DeliveryError, DeliveryRefusedError, PlaceGoneError
from utils.rendering.writer import AnswerWriter, Place, TextFile, with_sentence


async def stream(
    clock: VirtualClock, *deltas: str, every_s: float = 0.1, error: Exception | None = None
) -> AsyncIterator[str]:
    for delta in deltas:
        await clock.sleep(every_s)
        yield delta
    if error is not None:
        raise error


def writer(target: FakeTarget, **options) -> AnswerWriter:
    return AnswerWriter(target, locale="en-US", clock=target.clock, sleep=target.clock.sleep, **options)


async def test_the_newest_text_is_shown_at_most_once_per_interval(clock, target):
    """Fifty deltas in five seconds become a handful of edits, each with the newest text, none closer than 1.1 s."""
    words = [f"w{number} " for number in range(50)]
    answer = await clock.run(writer(target).run(stream(clock, *words)))
    times = [at for at, _ in target.states]
    assert 4 <= len(times) <= 6
    assert all(later - earlier >= 1.1 - 1e-9 for earlier, later in itertools.pairwise(times))
    second_at, second = target.states[1]
    assert f"w{round(second_at / 0.1) - 2}" in second, "the state is older than it needs to be"
    assert target.finished == [(["".join(words).rstrip()], None)]
    assert (answer.text, answer.delivered, answer.error) == ("".join(words), True, None)


async def test_the_first_text_is_shown_at_once_and_ends_the_waiting(clock, target):
    """The announcement of an answer ends before its first text is sent."""
    await clock.run(writer(target).run(stream(clock, "   ", "Hello", " there", every_s=2.0)))
    assert target.waited == [(0.0, 4.0)]
    assert target.states[0] == (4.0, "   Hello▍")


async def test_the_end_is_shown_without_waiting_for_the_interval(clock, target):
    """The last state does not wait, since nothing can follow it."""
    await clock.run(writer(target, interval_s=60).run(stream(clock, "a", "b", "c")))
    assert clock.now < 1
    assert target.finished == [(["abc"], None)]


async def test_no_state_begins_before_the_last_one_was_taken_and_slow_edits_lengthen_the_interval(clock):
    """While the platform holds edits back, fewer are sent; the fake fails the test if two overlap."""
    target = FakeTarget(clock, latency_s=4.0)
    await clock.run(writer(target).run(stream(clock, *["x "] * 400)))
    assert len(target.states) <= 10
    assert target.finished == [(["x " * 399 + "x"], None)]


async def test_an_unchanged_preview_is_not_sent_again(clock, target):
    """Space alone changes nothing that a reader could see."""
    await clock.run(writer(target).run(stream(clock, "Hello", " ", " ", " ", every_s=2.0)))
    assert [text for _, text in target.states] == ["Hello▍"]


async def test_a_refused_state_is_made_good_by_the_next(clock):
    """One lost edit costs nothing but its moment."""
    target = FakeTarget(clock, failures=[DeliveryError("busy")])
    answer = await clock.run(writer(target).run(stream(clock, *["y "] * 60)))
    assert answer.delivered
    assert target.states
    assert target.finished


async def test_an_answer_whose_message_is_gone_is_read_to_its_end_and_not_shown(clock):
    """A deleted message ends the showing; the text still arrives, so that it can be stored."""
    target = FakeTarget(clock, failures=[PlaceGoneError("404")])
    answer = await clock.run(writer(target).run(stream(clock, *["z "] * 60)))
    assert (answer.text, answer.delivered) == ("z " * 60, False)
    assert not target.states
    assert not target.finished


async def test_a_last_state_that_is_refused_is_reported(clock):
    """``delivered`` tells the truth about the last state."""
    target = FakeTarget(clock, failures=[DeliveryError("no"), DeliveryError("no")])
    answer = await clock.run(writer(target).run(stream(clock, "a")))
    assert not answer.delivered


async def test_a_failed_stream_keeps_its_text_with_the_sentence_under_it(clock, target):
    """What was read stays readable, and small print says what happened."""
    error = QuotaExhaustedError("The quota is used up.")
    answer = await clock.run(writer(target).run(stream(clock, "Half an answer", error=error)))
    assert answer.error is error
    assert target.finished == [(["Half an answer\n-# All quota is used up for now: try again later."], None)]


async def test_a_stream_that_fails_at_once_shows_the_sentence_alone(clock, target):
    """Without text the sentence stands in its place, in normal print."""
    await clock.run(writer(target).run(stream(clock, error=QuotaExhaustedError("The quota is used up."))))
    assert target.finished == [(["All quota is used up for now: try again later."], None)]


async def test_a_foreign_error_is_said_without_its_text(clock, target):
    """The text of an unknown error may hold a secret."""
    await clock.run(writer(target).run(stream(clock, "x", error=RuntimeError("AIzaSecret"))))
    assert "AIza" not in target.finished[0][0][0]
    assert "Something went wrong" in target.finished[0][0][0]


async def test_the_sentence_can_be_somebody_elses(clock, target):
    """The error desk may say errors itself, and log them."""
    say = {RuntimeError: "number 7"}
    made = writer(target, sentence=lambda error: say[type(error)])
    await clock.run(made.run(stream(clock, error=RuntimeError())))
    assert target.finished == [(["number 7"], None)]


async def test_a_blank_stream_is_said_to_be_empty(clock, target):
    """Discord takes no blank message."""
    await clock.run(writer(target).run(stream(clock, " ", "\n")))
    assert target.finished == [(["Gemini answered with nothing: word the question differently and ask again."], None)]


async def test_a_cancelled_answer_keeps_its_text_says_so_and_stays_cancelled(clock, target):
    """The maker of the deltas sees the cancellation first; then the message gets its last state."""
    ends: list[str] = []

    async def endless() -> AsyncIterator[str]:
        try:
            yield "Begun"
            await asyncio.Event().wait()
        finally:
            ends.append(f"closed, {len(target.finished)} finished")

    async def cancel_soon() -> None:
        task = asyncio.ensure_future(writer(target).run(endless()))
        await clock.sleep(3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    await clock.run(cancel_soon())
    assert ends == ["closed, 0 finished"]
    assert target.finished == [(["Begun\n-# The answer was stopped: ask again if you still want it."], None)]


async def test_the_place_is_told_once_for_each_place(clock, target):
    """Where the answer stands is told as soon as it stands, and again only when it moves."""
    places: list[tuple[float, Place]] = []

    async def note(place: Place) -> None:
        places.append((clock(), place))

    await clock.run(writer(target, on_place=note).run(stream(clock, *["v "] * 60)))
    assert [place for _, place in places] == [Place(1, 2)]
    assert places[0][0] < 0.2
    target.place = Place(9, 9)
    await clock.run(writer(target, on_place=note).run(stream(clock, "v")))
    assert places[-1][1] == Place(9, 9)


async def test_an_error_of_the_place_callback_ends_the_answer_and_is_raised(clock, target):
    """If the place cannot be stored the caller must know."""

    async def refuse(_place: Place) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await clock.run(writer(target, on_place=refuse).run(stream(clock, *["v "] * 60)))


async def test_after_some_errors_nothing_more_is_shown(clock, target):
    """An answer that is another's by now is not touched any more."""
    made = writer(target, silent=lambda error: isinstance(error, RuntimeError))
    answer = await clock.run(made.run(stream(clock, *["x "] * 30, error=RuntimeError())))
    assert target.finished == []
    assert not answer.delivered
    assert isinstance(answer.error, RuntimeError)


async def test_small_print_stands_under_an_answer_that_came_to_an_end(clock, target):
    """Such as that it was stopped; under a failure stands the failure's sentence instead."""

    async def note() -> str:
        return "Stopped here."

    await clock.run(writer(target, note=note).run(stream(clock, "a")))
    assert target.finished == [(["a\n-# Stopped here."], None)]
    await clock.run(writer(target, note=note).run(stream(clock, "a", error=QuotaExhaustedError("x"))))
    assert "Stopped" not in target.finished[1][0][0]


async def test_what_stood_there_before_comes_back_when_the_new_answer_fails(clock, target):
    """With the sentence under it."""
    made = writer(target, instead="The old answer.")
    await clock.run(made.run(stream(clock, "Half", error=QuotaExhaustedError("x"))))
    assert target.finished == [(["The old answer.\n-# All quota is used up for now: try again later."], None)]


async def test_five_messages_are_messages_and_more_become_a_file(clock, target):
    """A very long answer is its first message and the whole text as a file."""
    text = "A sentence of some length. " * 600
    await clock.run(writer(target).run(stream(clock, text)))
    texts, file = target.finished[0]
    assert len(texts) == 1 or (len(texts) == 2 and texts[1].startswith("-# "))
    assert texts[-1].endswith("-# The whole answer is in the attached file `answer.md`.")
    assert file == TextFile("answer.md", text.encode())
    await clock.run(writer(target).run(stream(clock, text[:9000])))
    texts, file = target.finished[1]
    assert len(texts) == 5
    assert file is None


async def test_where_files_are_refused_a_long_answer_is_all_messages(clock):
    """Nothing of an answer is lost for want of a permission."""
    target = FakeTarget(clock, refuses_files=DeliveryRefusedError("403"))
    text = "A sentence of some length. " * 600
    await clock.run(writer(target).run(stream(clock, text)))
    assert "".join("".join(target.finished[0][0]).split()) == "".join(text.split())


async def test_what_was_made_goes_with_the_last_state_or_is_left_out_where_files_are_refused(clock):
    """The words are shown in either case."""
    picture = TextFile("picture-1.png", b"png")
    for refused, made in ((None, [picture]), (DeliveryRefusedError("403"), [])):
        target = FakeTarget(clock, refuses_files=refused)
        await clock.run(writer(target, made=lambda: [picture]).run(stream(clock, "Look")))
        assert target.finished == [(["Look"], None)]
        assert target.made == made


def test_a_sentence_that_does_not_fit_gets_a_message_of_its_own():
    """No message grows over the limit because of the small print."""
    assert with_sentence(["x" * 1890], "Twenty characters ab.") == ["x" * 1890, "-# Twenty characters ab."]
    assert with_sentence(["x"], None) == ["x"]
