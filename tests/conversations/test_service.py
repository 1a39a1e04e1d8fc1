"""Questions and answers over a real database: order, duplicates, failures, cancellation, restarts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.conversations.conftest import MODEL, FakeAnswerer, FakeChunk, FakeUsage, question
from utils.conversations import (
    Attachment,
    Conversation,
    Conversations,
    EmptyAnswerError,
    Question,
    Turn,
    TurnStateError,
)
from utils.gemini_pool import QuotaExhaustedError
from utils.storage import Storage, open_storage


async def opened(conversations: Conversations, **options) -> Conversation:
    return await conversations.open(**{"kind": "thread", "guild_id": 5, "channel_id": 77, "owner_id": 11, **options})


async def asked(conversations: Conversations, conversation: Conversation, source_id: int, text: str = "Hi") -> Turn:
    turn = await conversations.ask(conversation, question(source_id, text))
    assert turn is not None
    return turn


async def read(conversations: Conversations, turn: Turn) -> str:
    return "".join([text async for text in conversations.answer(turn)])


async def stored(storage: Storage, turn: Turn) -> Turn:
    found = await storage.conversations.get_turn(turn.id)
    assert found is not None
    return found


async def test_an_answer_is_streamed_and_stored_once_it_is_whole(conversations, answerer, storage):
    """The turn holds the text, the model that answered, its tokens and its time."""
    usage = FakeUsage(7, 3)
    answerer.scripts = [[FakeChunk("Hel"), FakeChunk(None, FakeUsage(7, 1)), FakeChunk("lo", usage, "gemini-test-002")]]
    turn = await asked(conversations, await opened(conversations), 1)
    await conversations.begun(turn, channel_id=77, message_id=900)
    assert [text async for text in conversations.answer(turn)] == ["Hel", "lo"]
    now = await stored(storage, turn)
    assert (now.state, now.model, now.input_tokens, now.output_tokens) == ("answered", "gemini-test-002", 7, 3)
    assert (now.answer_channel_id, now.answer_message_id) == (77, 900)
    assert now.seconds is not None
    assert now.seconds >= 0
    assert [said.text for said in await storage.conversations.messages_of_turn(turn.id)] == ["Hi", "Hello"]


async def test_the_model_is_shown_all_that_was_said_before(conversations, answerer):
    """The eleventh question comes with ten turns, in order, and the question last."""
    conversation = await opened(conversations, instructions="Be brief.", temperature=0.5, model="gemini-other")
    for number in range(11):
        await read(conversations, await asked(conversations, conversation, number, f"q{number}"))
    request = answerer.requests[-1]
    texts = [content["parts"][0]["text"] for content in request["contents"]]
    assert texts == [text for number in range(10) for text in (f"q{number}", f"You said q{number}")] + ["q10"]
    assert (request["model_name"], request["temperature"], request["user"]) == ("gemini-other", 0.5, "11")
    assert request["system_instruction"].endswith("\n\nBe brief.")
    assert "21 November 2026" in request["system_instruction"]


async def test_the_default_model_answers_where_none_was_chosen(conversations, answerer):
    """A conversation without a model follows the configuration."""
    await read(conversations, await asked(conversations, await opened(conversations), 1))
    assert answerer.requests[0]["model_name"] == MODEL
    assert answerer.requests[0]["temperature"] is None


async def test_context_survives_a_restart(conversations, answerer, storage, tmp_path: Path):
    """A new process finds the chat by its channel, with all that was said."""
    await read(conversations, await asked(conversations, await opened(conversations), 1, "My name is Ann."))
    await storage.aclose()
    async with open_storage(f"sqlite:///{tmp_path / 'bot.db'}") as again:
        later = Conversations(again.conversations, answerer, default_model=MODEL)
        conversation = await later.find(77)
        assert conversation is not None
        await read(later, await asked(later, conversation, 2, "What is my name?"))
    texts = [content["parts"][0]["text"] for content in answerer.requests[-1]["contents"]]
    assert texts == ["My name is Ann.", "You said My name is Ann.", "What is my name?"]


async def test_a_question_delivered_twice_is_taken_once(conversations):
    """The gateway replays events after a lost connection."""
    conversation = await opened(conversations)
    assert await conversations.ask(conversation, question(1)) is not None
    assert await conversations.ask(conversation, question(1)) is None


async def test_files_go_along_under_the_types_they_were_given(conversations, answerer):
    """Which type a file has was found out before it became part of a question."""
    files = (Attachment("a.py", "text/plain", b"print()"), Attachment("b.bin", "application/octet-stream", b"1"))
    turn = await conversations.ask(await opened(conversations), question(1, attachments=files))
    assert turn is not None
    await read(conversations, turn)
    parts = answerer.requests[0]["contents"][0]["parts"]
    assert [part["inline_data"] for part in parts[:2]] == [
        {"mime_type": "text/plain", "data": b"print()"},
        {"mime_type": "application/octet-stream", "data": b"1"},
    ]


async def test_answers_of_one_conversation_wait_for_each_other_and_others_do_not(conversations, answerer):
    """The second question sees the first one's answer; another channel is answered meanwhile."""
    gate = asyncio.Event()
    here, there = await opened(conversations), await opened(conversations, channel_id=78)
    first = await asked(conversations, here, 1, "first")
    answerer.scripts = [["One", gate, "!"]]
    reading = asyncio.ensure_future(read(conversations, first))
    await answerer.started.wait()
    second = await asked(conversations, here, 2, "second")
    elsewhere = await asked(conversations, there, 3, "elsewhere")
    waiting = asyncio.ensure_future(read(conversations, second))
    assert await read(conversations, elsewhere) == "You said elsewhere"
    assert len(answerer.requests) == 2
    gate.set()
    assert await reading == "One!"
    assert await waiting == "You said second"
    assert [content["parts"][0]["text"] for content in answerer.requests[-1]["contents"]] == ["first", "One!", "second"]


async def test_what_is_asked_while_an_answer_is_given_becomes_one_turn(conversations, answerer, storage):
    """Three messages, one of them another person's, are one question with their speakers' names."""
    gate = asyncio.Event()
    here = await opened(conversations)
    answerer.scripts = [["One", gate]]
    reading = asyncio.ensure_future(read(conversations, await asked(conversations, here, 1, "first")))
    await answerer.started.wait()
    turn = await asked(conversations, here, 2, "second")
    bens = Question(3, 12, "Ben", 5, 77, "third")
    for another in (question(4, "fourth"), bens):
        joined = await conversations.ask(here, another)
        assert joined is not None
        assert (joined.id, joined.source_id) == (turn.id, 2)
    assert await conversations.ask(here, bens) is None, "a message delivered twice joins once"
    gate.set()
    await reading
    await read(conversations, turn)
    parts = [part["text"] for part in answerer.requests[-1]["contents"][-1]["parts"]]
    assert parts == ["[Ann] second", "[Ann] fourth", "[Ben] third"]
    assert [said.source_id for said in await storage.conversations.messages_of_turn(turn.id)] == [2, 4, 3, None]


async def test_in_a_channel_every_question_is_a_turn_of_its_own(conversations):
    """Only where every message is a question can several be one."""
    here = await opened(conversations, kind="mention")
    turns = [await asked(conversations, here, number) for number in (1, 2)]
    assert [turn.source_id for turn in turns] == [1, 2]


async def test_a_failure_is_stored_by_its_kind_and_is_no_part_of_the_context(conversations, answerer, storage):
    """The next question is asked as if the failed one had never been."""
    conversation = await opened(conversations)
    turn = await asked(conversations, conversation, 1, "lost")
    answerer.scripts = [["Half", QuotaExhaustedError("The quota is used up.")]]
    with pytest.raises(QuotaExhaustedError):
        await read(conversations, turn)
    now = await stored(storage, turn)
    assert (now.state, now.error_kind, now.error_detail) == ("failed", "quota_exhausted", "The quota is used up.")
    await read(conversations, await asked(conversations, conversation, 2, "next"))
    assert [content["parts"][0]["text"] for content in answerer.requests[-1]["contents"]] == ["next"]
    assert await conversations.unfinished() == []


async def test_an_answer_without_a_word_is_an_error_of_its_own(conversations, answerer, storage):
    """A blank message could not be shown, and would spoil the context."""
    conversation = await opened(conversations)
    for number, script in enumerate([[], [""], [" \n"], [FakeChunk(None)]]):
        answerer.scripts = [script]
        turn = await asked(conversations, conversation, number)
        with pytest.raises(EmptyAnswerError):
            await read(conversations, turn)
        assert (await stored(storage, turn)).error_kind == "empty_answer"


async def test_a_cancelled_answer_is_stored_as_failed_and_closes_its_stream(conversations, answerer, storage):
    """The one who reads goes away; the turn does not stay open."""
    turn = await asked(conversations, await opened(conversations), 1)
    answerer.scripts = [["Half", asyncio.Event()]]
    task = asyncio.ensure_future(read(conversations, turn))
    await answerer.started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await stored(storage, turn)).error_kind == "cancelled"
    assert answerer.open_streams == 0


async def test_an_answer_that_is_closed_early_is_stored_as_failed(conversations, answerer, storage):
    """A reader may also simply stop."""
    turn = await asked(conversations, await opened(conversations), 1)
    answerer.scripts = [["Half", "and half"]]
    answer = conversations.answer(turn)
    assert await anext(answer) == "Half"
    await answer.aclose()
    assert (await stored(storage, turn)).error_kind == "cancelled"
    assert answerer.open_streams == 0


async def test_a_turn_cancelled_while_it_waits_is_stored_as_failed_and_frees_the_way(conversations, answerer, storage):
    """The one behind it is answered all the same."""
    conversation = await opened(conversations, kind="mention")
    gate = asyncio.Event()
    answerer.scripts = [[gate, "One"]]
    turns = [await asked(conversations, conversation, number) for number in range(3)]
    tasks = [asyncio.ensure_future(read(conversations, turn)) for turn in turns]
    await answerer.started.wait()
    tasks[1].cancel()
    await asyncio.wait({tasks[1]})
    gate.set()
    assert await tasks[0] == "One"
    assert await tasks[2] == "You said Hi"
    assert [(await stored(storage, turn)).state for turn in turns] == ["answered", "failed", "answered"]


async def test_a_turn_is_answered_once(conversations, answerer):
    """Asking for the answer of an ended turn is a mistake of the caller, and asks nobody."""
    turn = await asked(conversations, await opened(conversations), 1)
    await read(conversations, turn)
    with pytest.raises(TurnStateError):
        await read(conversations, turn)
    assert len(answerer.requests) == 1


@pytest.mark.parametrize("fails", [True, False])
async def test_a_place_told_after_the_end_does_not_open_the_turn_again(conversations, answerer, storage, fails):
    """Short answers and early failures are shown first when they have ended already."""
    turn = await asked(conversations, await opened(conversations), 1)
    answerer.scripts = [[QuotaExhaustedError("x")]] if fails else []
    if fails:
        with pytest.raises(QuotaExhaustedError):
            await read(conversations, turn)
    else:
        await read(conversations, turn)
    await conversations.begun(turn, channel_id=77, message_id=900)
    assert (await stored(storage, turn)).state == ("failed" if fails else "answered")
    assert await conversations.unfinished() == []


async def test_turns_that_a_stopped_process_left_are_listed(conversations, storage):
    """What was asked and what was being answered waits for whoever starts next."""
    first = await asked(conversations, await opened(conversations), 1)
    second = await asked(conversations, await opened(conversations, channel_id=78), 2)
    await storage.conversations.start(second.id)
    assert [(turn.id, turn.state) for turn in await conversations.unfinished()] == [
        (first.id, "asked"),
        (second.id, "answering"),
    ]


async def test_only_threads_and_direct_messages_are_chats_and_the_answer_is_remembered(conversations, storage):
    """A channel in which somebody once used a command is no chat; a new thread is one at once."""
    await opened(conversations, kind="ask", channel_id=1)
    assert await conversations.find(1) is None
    assert (await conversations.find(1, kind="ask")) is not None
    assert await conversations.find(2) is None
    thread = await opened(conversations, channel_id=2)
    assert await conversations.find(2) == thread
    direct = await opened(conversations, kind="dm", guild_id=None, channel_id=3)
    assert await Conversations(storage.conversations, FakeAnswerer(), default_model=MODEL).find(3) == direct
    await storage.aclose()
    assert await conversations.find(2) == thread, "what is remembered needs no database"
