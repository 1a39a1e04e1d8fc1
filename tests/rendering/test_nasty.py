"""Three hundred nasty answers: every message whole, within the limit, nothing lost, at the end and on the way."""

from __future__ import annotations

import pytest

from tests.rendering.conftest import FakeTarget, VirtualClock
from tests.rendering.nasty import NASTY, open_fence
from utils.rendering.graphemes import units
from utils.rendering.splitting import MESSAGE_LIMIT, pieces, preview, split
from utils.rendering.writer import MAX_MESSAGES, AnswerWriter


def test_there_are_three_hundred_of_them():
    """No fewer by an oversight."""
    assert len(NASTY) >= 300


@pytest.mark.parametrize("name", NASTY)
def test_every_message_is_whole_and_nothing_is_lost(name):
    """The bodies join to the text, each message fits and leaves no fence open."""
    text = NASTY[name]
    cut = list(pieces(text, MESSAGE_LIMIT))
    assert "".join(piece.body for piece in cut) == text
    for piece in cut:
        assert units(piece.text) <= MESSAGE_LIMIT
        assert piece.body.strip() in piece.text
    messages = split(text)
    assert [open_fence(message) for message in messages] == [None] * len(messages)
    assert all(message.strip() for message in messages)


@pytest.mark.parametrize("name", NASTY)
def test_every_state_on_the_way_is_whole(name):
    """Wherever the stream stands, also in the middle of a fence line."""
    text = NASTY[name]
    ends = {*range(1, min(len(text), 60)), *range(1, len(text), max(1, len(text) // 25)), len(text)}
    for end in ends:
        shown = preview(text[:end])
        assert units(shown) <= MESSAGE_LIMIT
        assert open_fence(shown) is None, f"after {end} characters: {shown[-80:]!r}"


async def test_written_out_they_are_messages_or_a_file_with_all_of_it(clock: VirtualClock):
    """What is more than five messages is a file that holds every character."""
    for name, text in NASTY.items():
        target = FakeTarget(clock)

        async def deltas(text: str = text):
            for begin in range(0, len(text), 997):
                yield text[begin : begin + 997]

        written = AnswerWriter(target, locale="en-US", clock=clock, sleep=clock.sleep)
        await clock.run(written.run(deltas()))
        [(texts, file)] = target.finished
        assert len(texts) <= MAX_MESSAGES, name
        assert all(units(message) <= MESSAGE_LIMIT and open_fence(message) is None for message in texts), name
        if file is not None:
            assert file.content.decode() == text, name
        elif text.strip():
            assert texts == split(text), name
