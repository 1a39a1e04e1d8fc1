"""Answers and fair use: one at a time for each person, and counted for what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from tests.conversations.conftest import MODEL, FakeAnswerer, FakeChunk, FakeUsage, question
from utils.conversations import OWN_ANSWER, Conversations, Turn, Waiting
from utils.conversations.fairness import FairUse, OwnerLimits, cost_micros
from utils.gemini_pool import PoolError, QuotaExhaustedError
from utils.storage import Amounts, Storage

ASKER = 11


@dataclass(frozen=True, slots=True)
class ThinkingUsage(FakeUsage):
    thoughts_token_count: int | None = None


@pytest.fixture
async def fair(storage: Storage) -> AsyncIterator[FairUse]:
    made = FairUse(storage.limits, OwnerLimits(user=Amounts(tokens=10**6, micros=10**9)))
    yield made
    await made.aclose()


@pytest.fixture
def conversations(storage: Storage, answerer: FakeAnswerer, fair: FairUse) -> Conversations:
    return Conversations(storage.conversations, answerer, default_model=MODEL, fair=fair)


async def asked(conversations: Conversations, source_id: int, *, channel_id: int = 77) -> Turn:
    conversation = await conversations.open(kind="thread", guild_id=5, channel_id=channel_id, owner_id=ASKER)
    turn = await conversations.ask(conversation, question(source_id, "Hi"))
    assert turn is not None
    return turn


async def spent(fair: FairUse, user_id: int) -> dict[str, int]:
    return {rule.amount: rule.used for rule in await fair.standing(user_id, 5)}


async def test_an_answer_counts_for_who_asked_with_its_thinking(conversations, answerer, fair):
    """Tokens in and out, and money by the model that answered."""
    answerer.scripts = [[FakeChunk("Hello", ThinkingUsage(7, 3, 90), "gemini-4-hydrogen")]]
    turn = await asked(conversations, 1)
    assert [text async for text in conversations.answer(turn)] == ["Hello"]
    micros = cost_micros("gemini-4-hydrogen", input_tokens=7, output_tokens=93)
    assert await spent(fair, turn.user_id) == {"tokens": 100, "micros": micros}


async def test_an_answer_that_is_given_up_counts_for_what_was_said(conversations, answerer, fair):
    """Also where the service had not told the tokens yet: they are guessed."""
    answerer.scripts = [[FakeChunk("eight characters"), asyncio.Event()]]
    turn = await asked(conversations, 1)
    async with aclosing(conversations.answer(turn)) as texts:
        await anext(texts)
    assert (await spent(fair, turn.user_id))["tokens"] > 4


async def test_an_answer_that_never_came_costs_nothing(conversations, answerer, fair):
    """A refusal of the service has no tokens."""
    answerer.scripts = [[QuotaExhaustedError("none")]]
    turn = await asked(conversations, 1)
    with pytest.raises(QuotaExhaustedError):
        [text async for text in conversations.answer(turn)]
    assert await spent(fair, turn.user_id) == {"tokens": 0, "micros": 0}


async def test_a_title_counts_for_whose_question_brought_it_about(conversations, answerer, fair):
    """So does a summary: both are asked of the model because of an answer."""
    turn = await asked(conversations, 1)
    assert [text async for text in conversations.answer(turn)]
    before = (await spent(fair, turn.user_id))["tokens"]
    answerer.whole = [FakeChunk("How Bees Fly", ThinkingUsage(40, 5, 15), MODEL), PoolError("no")]
    conversation = await conversations.get(turn.conversation_id)
    assert conversation is not None
    assert await conversations.title(conversation, turn) == "How Bees Fly"
    assert (await spent(fair, turn.user_id))["tokens"] == before + 60


async def test_a_second_answer_to_the_same_person_waits_and_says_so(conversations, answerer):
    """In another conversation too; it is asked of the model only when the first has ended."""
    may_end = asyncio.Event()
    answerer.scripts = [["first", may_end]]
    told: list[Waiting] = []
    first, second = await asked(conversations, 1), await asked(conversations, 2, channel_id=78)

    async def read(turn: Turn) -> list[str]:
        return [text async for text in conversations.answer(turn, on_wait=told.append)]

    running = [asyncio.create_task(read(first))]
    await answerer.started.wait()
    running.append(asyncio.create_task(read(second)))
    async with asyncio.timeout(5):
        while not told:  # noqa: ASYNC110 - the wait is told by a callback
            await asyncio.sleep(0)
    assert told == [Waiting(obstacle=OWN_ANSWER)]
    assert len(answerer.requests) == 1
    may_end.set()
    assert await asyncio.gather(*running) == [["first"], ["You said Hi"]]
    assert len(answerer.requests) == 2
    assert [request["user"] for request in answerer.requests] == [str(first.user_id)] * 2
