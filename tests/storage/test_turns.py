"""The steps of turns: joined, claimed, asked anew, changed, removed, delivered; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from tests.storage.conftest import Asker, WallClock
from utils.storage import Lease, Storage, Turn

Opener = Callable[[], AbstractAsyncContextManager[Storage]]


async def stored(storage: Storage, turn: Turn) -> Turn:
    found = await storage.conversations.get_turn(turn.id)
    assert found is not None
    return found


async def texts(storage: Storage, turn: Turn) -> list[str]:
    return [said.text for said in await storage.conversations.messages_of_turn(turn.id)]


async def again(storage: Storage, conversation_id: int, source_id: int, *, joins: bool = False) -> Turn | None:
    return await storage.conversations.ask(
        conversation_id,
        source_id=source_id,
        user_id=7,
        user_name="Ann",
        guild_id=5,
        channel_id=11,
        text="again",
        attachments=(),
        locale="en-US",
        joins=joins,
    )


async def test_a_message_joins_the_turn_that_waits_and_none_that_is_begun(storage: Storage, asker: Asker):
    """Up to ten messages are one question; from the start of the answer on nothing joins."""
    conversation = await asker.conversation()
    turn = await asker.ask(conversation, "1", joins=True)
    joined = [await asker.ask(conversation, str(number), joins=True, user_name="Ben") for number in range(2, 11)]
    assert {one.id for one in joined} == {turn.id}
    assert await texts(storage, turn) == [str(number) for number in range(1, 11)]
    eleventh = await asker.ask(conversation, "11", joins=True)
    assert eleventh.id != turn.id
    assert await storage.conversations.start(eleventh.id)
    assert (await asker.ask(conversation, "12", joins=True)).id not in {turn.id, eleventh.id}
    names = {said.user_name for said in await storage.conversations.messages_of_turn(turn.id)}
    assert names == {"Ann", "Ben"}


async def test_nothing_joins_a_question_that_stands_alone_nor_does_it_join(storage: Storage, asker: Asker):
    """Not even while it waits for its answer; it can be begun and ended like any other."""
    conversation = await asker.conversation()
    waiting = await asker.ask(conversation, "1", joins=True)
    alone = await asker.ask(conversation, "go on", alone=True)
    later = await asker.ask(conversation, "2", joins=True)
    assert len({waiting.id, alone.id, later.id}) == 2
    assert later.id == waiting.id
    assert await texts(storage, alone) == ["go on"]
    assert (await stored(storage, alone)).state == "answering"
    assert await storage.conversations.start(alone.id)


async def test_a_message_that_joined_is_known_again(storage: Storage, asker: Asker):
    """A source id is stored once, whichever turn it is part of."""
    conversation = await asker.conversation()
    turn = await asker.ask(conversation, "1", joins=True)
    await asker.ask(conversation, "2", joins=True, source_id=77)
    for joins in (True, False):
        assert await again(storage, conversation.id, 77, joins=joins) is None
    found = await storage.conversations.turn_of_source(77)
    assert found is not None
    assert found.id == turn.id
    kept = await storage.conversations.get_conversation(conversation.id)
    assert kept is not None
    assert kept.seen_id == turn.source_id, "the newest id that was seen, not the last"


async def test_of_many_who_claim_a_turn_one_gets_it(storage: Storage, asker: Asker, wall: WallClock):
    """And nobody else, until the lease is over; who holds it can renew it."""
    turn = await asker.ask(await asker.conversation(), "why?")
    leases = [Lease(f"process {number}", wall.now + 30) for number in range(8)]
    claimed = await asyncio.gather(*[storage.conversations.claim(turn.id, lease) for lease in leases])
    [winner] = [one for one in claimed if one is not None]
    assert await storage.conversations.owed() == []
    assert await storage.conversations.start(turn.id, owner="somebody else") is False
    assert await storage.conversations.start(turn.id, owner=winner.owner) is True
    wall.now += 29
    renewed = await storage.conversations.renew([turn.id, 404], Lease(str(winner.owner), wall.now + 30))
    assert renewed == {turn.id}
    wall.now += 31
    assert [one.id for one in await storage.conversations.owed()] == [turn.id]
    assert await storage.conversations.claim(turn.id, Lease("another", wall.now + 30)) is not None
    assert await storage.conversations.renew([turn.id], Lease(str(winner.owner), wall.now + 30)) == frozenset()
    late = storage.conversations.finish(
        turn.id, text="late", model="m", input_tokens=1, output_tokens=1, seconds=1.0, owner=winner.owner
    )
    assert await late is False
    assert await storage.conversations.fail(turn.id, kind="x", detail="", owner=winner.owner) is False
    assert await texts(storage, turn) == ["why?"]


async def test_what_a_dead_process_held_is_free_where_no_other_can_be_running(
    open_it: Opener, url: str, wall: WallClock
):
    """An SQLite file has one process; on a server the lease decides."""
    async with open_it() as storage:
        asker = Asker(storage)
        turn = await asker.ask(await asker.conversation(), "why?", lease=Lease("dead", wall.now + 30))
    async with open_it() as storage:
        await storage.conversations.inherit("alive")
        owed = [one.id for one in await storage.conversations.owed()]
        assert owed == ([turn.id] if url.startswith("sqlite") else [])


async def test_a_turn_is_owed_until_its_end_was_shown(storage: Storage, asker: Asker):
    """Also one that was answered, and one that failed; where the answer stands is kept in any state."""
    answered, failed, shown = [await asker.ask(await asker.conversation(), text) for text in "abc"]
    await asker.answer(answered, "a!")
    await storage.conversations.fail(failed.id, kind="x", detail="y")
    assert await storage.conversations.delivered(shown.id) is False, "nothing has ended"
    await asker.answer(shown, "c!")
    assert await storage.conversations.place(answered.id, channel_id=1, message_id=2, more=(3, 4))
    assert await storage.conversations.delivered(shown.id)
    assert [turn.id for turn in await storage.conversations.owed()] == [answered.id, failed.id]
    now = await stored(storage, answered)
    assert (now.answer_channel_id, now.answer_message_id, now.more_message_ids) == (1, 2, (3, 4))
    found = await storage.conversations.turn_of_answer(2)
    assert found is not None
    assert found.id == answered.id


async def test_a_new_answer_takes_the_place_of_the_old_one_which_is_kept(
    storage: Storage, asker: Asker, wall: WallClock
):
    """Until it is there, and if it fails, the old one is the turn's."""
    conversation = await asker.conversation()
    turn = await asker.ask(conversation, "why?")
    await asker.answer(turn, "first")
    await storage.conversations.delivered(turn.id)
    lease = Lease("me", wall.now + 30)
    again = await storage.conversations.reopen(turn.id, lease)
    assert again is not None
    assert (again.state, again.attempt, again.delivered_at) == ("asked", 1, None)
    assert await storage.conversations.reopen(turn.id, lease) is None
    assert await storage.conversations.history(conversation.id, max_messages=9) == []
    await storage.conversations.fail(turn.id, kind="x", detail="y")
    assert (await stored(storage, turn)).state == "answered"
    assert await texts(storage, turn) == ["why?", "first"]
    await storage.conversations.reopen(turn.id, lease)
    await asker.answer(turn, "second")
    assert await texts(storage, turn) == ["why?", "second"]
    assert [said.text for said in await storage.conversations.replaced_answers(turn.id)] == ["first"]
    assert [day.requests for day in await storage.conversations.usage(7)] == [2]


async def test_a_changed_message_takes_the_summary_along(storage: Storage, asker: Asker):
    """A summary that is made meanwhile of what was said before is not stored."""
    conversation = await asker.conversation()
    turn = await asker.ask(conversation, "red")
    await asker.answer(turn, "nice")
    assert await storage.conversations.set_summary(conversation.id, "they like red", turn_id=turn.id, revision=0)
    assert await storage.conversations.change_message(turn.source_id, "red") is None
    assert await storage.conversations.change_message(404, "red") is None
    assert await storage.conversations.change_message(turn.source_id, "blue") is not None
    assert await texts(storage, turn) == ["blue", "nice"]
    kept = await storage.conversations.get_conversation(conversation.id)
    assert kept is not None
    assert (kept.summary, kept.summary_turn_id, kept.revision) == (None, None, 1)
    assert not await storage.conversations.set_summary(conversation.id, "they like red", turn_id=turn.id, revision=0)


async def test_a_removed_message_leaves_its_id_and_no_word(storage: Storage, asker: Asker):
    """With the last message of a turn its answers go, and the turn is over."""
    conversation = await asker.conversation()
    turn = await asker.ask(conversation, "one", joins=True, attachments=[("a", "text/plain", b"x")])
    second = (await asker.ask(conversation, "two", joins=True, source_id=2_000)).id
    assert second == turn.id
    await asker.answer(turn, "both")
    assert await storage.conversations.remove_message(turn.source_id) is not None
    assert await texts(storage, turn) == ["two", "both"]
    assert await storage.conversations.remove_message(2_000) is not None
    assert await texts(storage, turn) == []
    assert await storage.conversations.replaced_answers(turn.id) == []
    now = await stored(storage, turn)
    assert (now.state, now.error_kind, now.user_name) == ("failed", "deleted", "")
    assert await storage.conversations.owed() == []
    assert await storage.conversations.remove_message(404) is None
    assert await again(storage, conversation.id, 2_000) is None


async def test_one_conversation_of_direct_messages_per_channel(storage: Storage):
    """Whoever opens it second gets the one that is there."""

    async def open_one() -> int:
        opened = await storage.conversations.open_conversation(
            kind="dm", guild_id=None, channel_id=9, owner_id=7, model=None
        )
        return opened.id

    assert len(set(await asyncio.gather(*[open_one() for _ in range(10)]))) == 1


async def test_chats_are_given_by_what_was_seen_last(storage: Storage, asker: Asker):
    """Threads and direct messages only, the newest first, and none that was left."""
    first, second = await asker.conversation(channel_id=1), await asker.conversation(channel_id=2)
    await asker.ask(first, "?", source_id=300)
    await asker.ask(second, "?", source_id=200)
    await storage.conversations.note_seen(second.id, 400)
    await storage.conversations.note_seen(second.id, 100)
    chats = await storage.conversations.chats(seen_after=250, limit=9)
    assert [(one.id, one.seen_id) for one in chats] == [(second.id, 400), (first.id, 300)]
    await storage.conversations.forget_seen(second.id)
    assert [one.id for one in await storage.conversations.chats(seen_after=0, limit=9)] == [first.id]


async def test_forgetting_one_of_several_who_asked_together_keeps_the_others_words(storage: Storage, asker: Asker):
    """The answer, which was made of the forgotten one's words too, goes; so does the summary."""
    conversation = await asker.conversation(owner_id=8)
    turn = await asker.ask(conversation, "mine", joins=True, user_id=7)
    await asker.ask(conversation, "hers", joins=True, user_id=8, user_name="Bea")
    await asker.answer(turn, "both")
    await storage.conversations.set_summary(conversation.id, "both", turn_id=turn.id, revision=0)
    await storage.privacy.forget_user(7)
    said = await storage.conversations.messages_of_turn(turn.id)
    assert [(one.text, one.user_id, one.user_name) for one in said] == [("hers", 8, "Bea")]
    assert (await stored(storage, turn)).user_id == 8
    kept = await storage.conversations.get_conversation(conversation.id)
    assert kept is not None
    assert kept.summary is None
