"""Summaries and titles: made in the background, once, and never in the way."""

from __future__ import annotations

import asyncio

import pytest

from tests.conversations.conftest import MODEL, FakeAnswerer, FakeChunk, FakeModel
from tests.conversations.test_service import asked, opened, read
from utils.conversations import ContextLimits, Conversations
from utils.conversations.naming import MAX_TITLE, plain_title
from utils.gemini_pool import DeadlineError, PoolError
from utils.storage import Storage

LIMITS = ContextLimits(max_messages=40, max_tokens=400)


@pytest.fixture
def small(storage: Storage, answerer: FakeAnswerer) -> Conversations:
    return Conversations(storage.conversations, answerer, default_model=MODEL, limits=LIMITS)


async def long_talk(conversations: Conversations, count: int = 10):
    conversation = await opened(conversations)
    turn = None
    for number in range(count):
        turn = await asked(conversations, conversation, number, f"fact {number} " + "x" * 80)
        await read(conversations, turn)
    assert turn is not None
    return conversation, turn


def shown(answerer: FakeAnswerer) -> str:
    return str(answerer.requests[-1]["contents"])


async def test_a_long_conversation_goes_on_with_a_summary_of_its_older_turns(small, answerer, storage):
    """The newest turns stay as they were said; the next summary is made of the one before."""
    conversation, turn = await long_talk(small)
    answerer.whole = ["They told facts 0 to 8."]
    assert await small.condense(turn)
    assert "fact 0" in str(answerer.asked_whole[0]["contents"])
    assert answerer.asked_whole[0]["deadline_s"] < 60
    await read(small, await asked(small, conversation, 50, "and now?"))
    assert "They told facts 0 to 8." in shown(answerer)
    assert "fact 0 " not in shown(answerer)
    assert "fact 9" in shown(answerer)
    assert not await small.condense(turn), "there is room again"
    for number in range(60, 70):
        turn = await asked(small, conversation, number, f"fact {number} " + "x" * 80)
        await read(small, turn)
    answerer.whole = ["More facts."]
    assert await small.condense(turn)
    assert "They told facts 0 to 8." in str(answerer.asked_whole[1]["contents"])
    stored = await storage.conversations.history(conversation.id, max_messages=100)
    assert len(stored) == 42, "nothing that was said is deleted"


@pytest.mark.parametrize("failure", [DeadlineError("late"), PoolError("no"), " "])
async def test_a_summary_that_fails_changes_nothing(small, answerer, failure):
    """The oldest turns are left out of the request, and only there."""
    conversation, turn = await long_talk(small)
    answerer.whole = [failure]
    assert not await small.condense(turn)
    await read(small, await asked(small, conversation, 50, "and now?"))
    assert "fact 0 " not in shown(answerer)
    assert "fact 9" in shown(answerer)
    answerer.whole = ["Now it works."]
    assert await small.condense(turn)


async def test_a_summary_of_what_was_changed_meanwhile_is_not_kept(small, answerer, monkeypatch):
    """Somebody deletes a message while the summary of it is being made."""
    conversation, turn = await long_talk(small)

    async def slowly(_answerer, **_asked):
        await small.remove(0)
        return FakeChunk("fact 0 was told"), True

    monkeypatch.setattr(FakeAnswerer, "generate_content", slowly)
    assert not await small.condense(turn)
    await read(small, await asked(small, conversation, 50, "and now?"))
    assert "fact 0" not in shown(answerer)


async def test_a_question_does_not_wait_for_a_summary(small, answerer, monkeypatch):
    """Two summaries of one conversation are not made at once either."""
    conversation, turn = await long_talk(small)
    gate, begun = asyncio.Event(), asyncio.Event()

    async def hang(_answerer, **_asked):
        begun.set()
        await gate.wait()
        return PoolError("x"), False

    monkeypatch.setattr(FakeAnswerer, "generate_content", hang)
    condensing = asyncio.ensure_future(small.condense(turn))
    await begun.wait()
    assert not await small.condense(turn)
    assert await read(small, await asked(small, conversation, 50, "still there?")) == "You said still there?"
    gate.set()
    assert not await condensing


async def test_no_more_is_shown_than_the_model_takes(storage, answerer):
    """The model's own limit counts where it is smaller, and what the service counted sets the guesses right."""
    answerer.models = (FakeModel(MODEL, 300),)
    conversations = Conversations(storage.conversations, answerer, default_model=MODEL)
    await long_talk(conversations)
    sent = sum(len(part["text"]) for content in answerer.requests[-1]["contents"] for part in content["parts"])
    assert 400 < sent <= 900


async def test_a_conversation_is_named_once_after_its_first_answer(conversations, answerer, storage):
    """The title is one plain line; nobody is asked again."""
    conversation = await opened(conversations)
    turn = await asked(conversations, conversation, 1, "how do bees fly?")
    await read(conversations, turn)
    answerer.whole = ['"**How Bees Fly.**"\nand more']
    assert await conversations.title(conversation, turn) == "How Bees Fly"
    assert await conversations.title(conversation, turn) is None
    assert len(answerer.asked_whole) == 1
    kept = await storage.conversations.get_conversation(conversation.id)
    assert kept is not None
    assert kept.title == "How Bees Fly"


async def test_a_title_that_fails_is_not_asked_for_again(conversations, answerer):
    """The thread keeps the name it has."""
    conversation = await opened(conversations)
    turn = await asked(conversations, conversation, 1)
    await read(conversations, turn)
    answerer.whole = [PoolError("no"), "Too Late"]
    assert await conversations.title(conversation, turn) is None
    assert await conversations.title(conversation, turn) is None
    assert len(answerer.asked_whole) == 1


def test_titles_are_one_line_of_bounded_length():
    """Cut at a space where there is a good one."""
    assert plain_title("") == ""
    assert plain_title("\n\n # 「貓」 \n") == "貓"
    long = plain_title("word " * 40)
    assert len(long) <= MAX_TITLE
    assert long.endswith("word…")
    assert plain_title("x" * 200) == "x" * (MAX_TITLE - 1) + "…"
