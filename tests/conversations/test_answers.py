"""Answers that are stopped, taken away, asked for anew, left behind, or held by another process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from tests.conversations.conftest import MODEL, FakeAnswerer, FakeChunk, question
from tests.conversations.test_service import asked, opened, read, stored
from utils.conversations import AnswerTakenError, Conversations, StoppedAnswerError
from utils.storage import Storage


@dataclass(frozen=True)
class Candidate:
    finish_reason: str | None = None


@dataclass(frozen=True)
class RichChunk(FakeChunk):
    candidates: tuple[Candidate, ...] = ()


async def until_running(conversations: Conversations, answerer: FakeAnswerer, turn) -> asyncio.Task[str]:
    task = asyncio.ensure_future(read(conversations, turn))
    await answerer.started.wait()
    answerer.started.clear()
    await asyncio.sleep(0)
    return task


async def test_a_stopped_answer_is_stored_as_far_as_it_came(conversations, answerer, storage):
    """Its reader sees a normal end, and why it ended is known."""
    turn = await asked(conversations, await opened(conversations), 1)
    answerer.scripts = [["Half", asyncio.Event()]]
    task = await until_running(conversations, answerer, turn)
    assert conversations.runs(turn.id)
    assert conversations.stop(turn.id)
    assert await task == "Half"
    now = await stored(storage, turn)
    assert (now.state, now.finish_reason) == ("answered", "STOPPED")
    assert [said.text for said in await storage.conversations.messages_of_turn(turn.id)] == ["Hi", "Half"]
    assert answerer.open_streams == 0
    assert not conversations.stop(turn.id)
    assert not conversations.runs(turn.id)


async def test_an_answer_stopped_before_its_first_word_or_while_it_waits_has_failed(conversations, answerer, storage):
    """There is nothing to be kept."""
    here = await opened(conversations, kind="mention")
    first, second = await asked(conversations, here, 1), await asked(conversations, here, 2)
    answerer.scripts = [[asyncio.Event()]]
    task = await until_running(conversations, answerer, first)
    waiting = asyncio.ensure_future(read(conversations, second))
    await asyncio.sleep(0)
    assert conversations.stop(second.id)
    assert conversations.stop(first.id)
    for one, turn in ((task, first), (waiting, second)):
        with pytest.raises(StoppedAnswerError):
            await one
        assert (await stored(storage, turn)).error_kind == "stopped_answer"
    assert len(answerer.requests) == 1


async def test_why_an_answer_ended_is_stored(conversations, answerer, storage):
    """An answer that reached its greatest length can be told from a whole one."""
    answerer.scripts = [[FakeChunk("Answer"), RichChunk(None, candidates=(Candidate("MAX_TOKENS"),))]]
    turn = await asked(conversations, await opened(conversations), 1)
    assert await read(conversations, turn) == "Answer"
    assert (await stored(storage, turn)).finish_reason == "MAX_TOKENS"


async def test_a_changed_question_ends_its_answer_and_is_asked_anew(conversations, answerer, storage):
    """Whoever gave the old answer is told to say nothing; the new one is asked with the new words."""
    turn = await asked(conversations, await opened(conversations), 1, "red")
    answerer.scripts = [["Half", asyncio.Event()]]
    task = await until_running(conversations, answerer, turn)
    again = await conversations.change(1, "blue")
    with pytest.raises(AnswerTakenError):
        await task
    assert again is not None
    assert again.attempt == 1
    assert await read(conversations, again) == "You said blue"
    assert (await stored(storage, turn)).state == "answered"


async def test_a_change_to_a_question_that_waits_is_simply_seen(conversations, answerer):
    """Nothing has to be asked anew."""
    turn = await asked(conversations, await opened(conversations), 1, "red")
    assert await conversations.change(1, "blue") is None
    assert await conversations.change(99, "blue") is None
    assert await read(conversations, turn) == "You said blue"


async def test_a_removed_question_ends_its_answer_for_good(conversations, answerer, storage):
    """Nothing of it is stored, and it is not owed to anybody."""
    turn = await asked(conversations, await opened(conversations), 1)
    answerer.scripts = [["Half", asyncio.Event()]]
    task = await until_running(conversations, answerer, turn)
    assert await conversations.remove(1) is not None
    with pytest.raises(AnswerTakenError):
        await task
    assert await conversations.owed() == []
    assert (await stored(storage, turn)).error_kind == "deleted"
    with pytest.raises(AnswerTakenError):
        await read(conversations, turn)


async def test_what_a_process_left_is_claimed_by_one_and_answered(storage, answerer):
    """The next process frees what was held, and claims it turn by turn."""
    first, second = [
        Conversations(storage.conversations, answerer, default_model=MODEL, owner=owner) for owner in ("one", "two")
    ]
    turn = await asked(first, await opened(first), 1)
    assert await second.owed() == []
    await second.inherit()
    [owed] = await second.owed()
    assert owed.id == turn.id
    with pytest.raises(AnswerTakenError):
        await read(first, turn)
    assert await read(second, owed) == "You said Hi"
    await second.delivered(owed)
    assert await second.owed() == []


async def test_who_loses_a_turn_stops_and_stores_nothing(storage: Storage, answerer):
    """A process that was held up for longer than its lease finds that another has the turn."""
    now = 1_000.0
    slow = Conversations(
        storage.conversations, answerer, default_model=MODEL, owner="slow", lease_s=0.03, wall=lambda: now
    )
    turn = await asked(slow, await opened(slow), 1)
    answerer.scripts = [["Half", asyncio.Event()]]
    task = await until_running(slow, answerer, turn)
    await storage.conversations.inherit("fast")
    fast = Conversations(storage.conversations, answerer, default_model=MODEL, owner="fast")
    [owed] = await fast.owed()
    with pytest.raises(AnswerTakenError):
        await asyncio.wait_for(task, 10)
    assert await read(fast, owed) == "You said Hi"
    assert [said.text for said in await storage.conversations.messages_of_turn(turn.id)] == ["Hi", "You said Hi"]


async def test_a_branch_knows_what_was_said_up_to_its_turn(conversations, answerer):
    """And what is said in it is not known where it came from."""
    here = await opened(conversations)
    turns = []
    for number in range(3):
        turns.append(await asked(conversations, here, number, f"q{number}"))
        await read(conversations, turns[-1])
    there = await opened(conversations, channel_id=78, after=turns[1])
    await read(conversations, await asked(conversations, there, 10, "q10"))
    shown = [content["parts"][0]["text"] for content in answerer.requests[-1]["contents"]]
    assert shown == ["q0", "You said q0", "q1", "You said q1", "q10"]
    await read(conversations, await asked(conversations, here, 11, "q11"))
    assert "q10" not in str(answerer.requests[-1]["contents"])
    assert await conversations.ask(there, question(10)) is None
