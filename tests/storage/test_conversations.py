"""What is asked and answered is kept, once, in order, and found again; on both databases."""

from __future__ import annotations

import asyncio

import pytest

from tests.storage.conftest import Asker, WallClock
from utils.storage import MissingRowError, Storage


async def test_conversation_is_given_back_as_it_was_opened(storage: Storage):
    opened = await storage.conversations.open_conversation(
        kind="dm",
        guild_id=None,
        channel_id=2**63 - 1,
        owner_id=1,
        model=None,
        temperature=0.25,
        instructions="答えは短く\0",
        title="😀",
    )
    assert await storage.conversations.get_conversation(opened.id) == opened
    assert await storage.conversations.find_conversation(2**63 - 1) == opened


async def test_newest_conversation_of_a_channel_is_found_even_when_the_clock_stood_still(
    storage: Storage, asker: Asker
):
    await asker.conversation(channel_id=11)
    newest = await asker.conversation(channel_id=11)
    await asker.conversation(channel_id=12)
    assert await storage.conversations.find_conversation(11) == newest
    assert await storage.conversations.find_conversation(11, "thread") == newest
    assert await storage.conversations.find_conversation(11, "dm") is None
    assert await storage.conversations.find_conversation(13) is None


async def test_turn_goes_from_asked_over_answering_to_answered(storage: Storage, asker: Asker, wall: WallClock):
    turn = await asker.ask(await asker.conversation(), "why?")
    assert turn.state == "asked"
    assert await storage.conversations.get_turn(turn.id) == turn
    assert await storage.conversations.begin_answer(turn.id, channel_id=21, message_id=22)
    begun = await storage.conversations.get_turn(turn.id)
    assert begun is not None
    assert (begun.state, begun.answer_channel_id, begun.answer_message_id) == ("answering", 21, 22)
    wall.now += 9
    assert await asker.answer(turn, "because")
    ended = await storage.conversations.get_turn(turn.id)
    assert ended is not None
    assert (ended.state, ended.model, ended.input_tokens, ended.output_tokens) == ("answered", "some-model", 3, 4)
    assert (ended.seconds, ended.ended_at, ended.answer_message_id) == (1.5, wall.now, 22)
    said = await storage.conversations.messages_of_turn(turn.id)
    assert [(message.role, message.text) for message in said] == [("user", "why?"), ("model", "because")]


async def test_failed_turn_says_why_and_may_still_be_answered(storage: Storage, asker: Asker):
    conversation = await asker.conversation()
    turn = await asker.ask(conversation, "why?")
    assert await storage.conversations.fail(turn.id, kind="QuotaExhaustedError", detail="all projects \0 rest")
    failed = await storage.conversations.get_turn(turn.id)
    assert failed is not None
    assert (failed.state, failed.error_kind, failed.error_detail) == (
        "failed",
        "QuotaExhaustedError",
        "all projects \0 rest",
    )
    assert await storage.conversations.history(conversation.id, max_messages=10) == []
    assert await asker.answer(turn, "because")
    answered = await storage.conversations.get_turn(turn.id)
    assert answered is not None
    assert (answered.state, answered.error_kind, answered.error_detail) == ("answered", None, None)


async def test_answered_turn_is_final_and_counted_once(storage: Storage, asker: Asker):
    conversation = await asker.conversation()
    turn = await asker.ask(conversation, "why?")
    assert await asker.answer(turn, "first")
    assert not await asker.answer(turn, "second")
    assert not await storage.conversations.fail(turn.id, kind="x", detail="y")
    assert not await storage.conversations.begin_answer(turn.id, channel_id=1, message_id=1)
    history = await storage.conversations.history(conversation.id, max_messages=10)
    assert [message.text for message in history] == ["why?", "first"]
    assert [day.requests for day in await storage.conversations.usage(7)] == [1]


async def test_steps_of_an_unknown_turn_store_nothing(storage: Storage):
    assert await storage.conversations.get_turn(404) is None
    assert not await storage.conversations.begin_answer(404, channel_id=1, message_id=1)
    assert not await storage.conversations.fail(404, kind="x", detail="y")
    assert not await storage.conversations.finish(404, text="", model="m", input_tokens=0, output_tokens=0, seconds=0)


async def test_question_delivered_twice_is_stored_once(storage: Storage, asker: Asker):
    conversation = await asker.conversation()

    async def deliver() -> bool:
        given = await storage.conversations.ask(
            conversation.id,
            source_id=99,
            user_id=7,
            user_name="Ann",
            guild_id=5,
            channel_id=11,
            text="why?",
            attachments=[("a.txt", "text/plain", b"x")],
            locale="en-US",
        )
        return given is not None

    assert (await asyncio.gather(*[deliver() for _ in range(20)])).count(True) == 1
    assert not await deliver()
    owed = await storage.conversations.unfinished()
    assert [turn.source_id for turn in owed] == [99]
    assert len(await storage.conversations.messages_of_turn(owed[0].id)) == 1


async def test_question_to_a_deleted_conversation_is_refused(storage: Storage, asker: Asker):
    conversation = await asker.conversation(owner_id=7)
    await storage.privacy.forget_user(7)
    with pytest.raises(MissingRowError, match="deleted in the meantime"):
        await asker.ask(conversation, "still there?")


async def test_attachments_come_back_with_their_message_in_order(storage: Storage, asker: Asker):
    conversation = await asker.conversation()
    files = [("b.png", "image/png", bytes(range(256))), ("a.txt", "text/plain", b""), ("名.txt", "text/plain", b"\0")]
    turn = await asker.ask(conversation, "see", attachments=files)
    await asker.answer(turn, "seen")
    question, answer = await storage.conversations.history(conversation.id, max_messages=10)
    assert [(file.name, file.mime_type, file.content) for file in question.attachments] == files
    assert [file.size for file in question.attachments] == [256, 0, 1]
    assert answer.attachments == ()


async def test_history_is_in_order_of_asking_and_holds_answered_turns_only(storage: Storage, asker: Asker):
    conversation = await asker.conversation()
    other = await asker.conversation(channel_id=12)
    one, two, three, lost = [await asker.ask(conversation, text) for text in ("1?", "2?", "3?", "lost?")]
    await asker.answer(await asker.ask(other, "other?"), "other!")
    await asker.answer(two, "2!")
    await asker.answer(one, "1!")
    await storage.conversations.begin_answer(three.id, channel_id=1, message_id=1)
    await storage.conversations.fail(lost.id, kind="x", detail="y")
    history = await storage.conversations.history(conversation.id, max_messages=10)
    assert [message.text for message in history] == ["1?", "1!", "2?", "2!"]
    assert [message.user_name for message in history] == ["Ann", "", "Ann", ""]


@pytest.mark.parametrize(("max_messages", "first"), [(4, "8?"), (3, "9?"), (2, "9?"), (1, None)])
async def test_cut_history_keeps_the_newest_and_never_begins_with_an_answer(
    storage: Storage, asker: Asker, max_messages: int, first: str | None
):
    conversation = await asker.conversation()
    for number in range(10):
        await asker.answer(await asker.ask(conversation, f"{number}?"), f"{number}!")
    history = await storage.conversations.history(conversation.id, max_messages=max_messages)
    assert [message.text for message in history[:1]] == ([first] if first else [])
    assert len(history) == max_messages // 2 * 2


async def test_unfinished_turns_are_given_oldest_first(storage: Storage, asker: Asker):
    conversation = await asker.conversation()
    asked, begun, answered, failed = [await asker.ask(conversation, text) for text in "abcd"]
    await storage.conversations.begin_answer(begun.id, channel_id=1, message_id=1)
    await asker.answer(answered, "c!")
    await storage.conversations.fail(failed.id, kind="x", detail="y")
    assert [turn.id for turn in await storage.conversations.unfinished()] == [asked.id, begun.id]


async def test_usage_adds_up_by_user_guild_and_utc_day(storage: Storage, asker: Asker, wall: WallClock):
    conversation = await asker.conversation(guild_id=5)
    private = await asker.conversation(guild_id=None, channel_id=12)
    day = int(wall.now // 86_400)
    for where in (conversation, conversation, private):
        await asker.answer(await asker.ask(where, "?"), "!")
    wall.now += 86_400
    await asker.answer(await asker.ask(conversation, "?"), "!")
    await asker.answer(await asker.ask(conversation, "?", user_id=8), "!")
    used = await storage.conversations.usage(7)
    assert [(row.guild_id, row.day, row.requests, row.input_tokens, row.output_tokens) for row in used] == [
        (None, day, 1, 3, 4),
        (5, day, 2, 6, 8),
        (5, day + 1, 1, 3, 4),
    ]
    assert await storage.conversations.usage(7, since_day=day + 1) == used[2:]
