"""What a process leaves behind, and what the gateway lost, is answered once."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.cogs.conftest import House, until
from tests.cogs.talk import buttons, message, open_thread, settled, turns


async def left(house: House, thread: str, words: str) -> int:
    """Store a question as a process does that is killed right after; gives the turn's id."""
    said = house.discord.say(thread, content=words, user="Mina")
    conversation = await house.conversations.find(int(thread))
    assert conversation is not None
    turn = await house.storage.conversations.ask(
        conversation.id,
        source_id=int(said["id"]),
        user_id=house.user_id("Mina"),
        user_name="Mina",
        guild_id=int(house.discord.guild_id),
        channel_id=int(thread),
        text=words,
        attachments=[],
        locale="en-US",
    )
    assert turn is not None
    return turn.id


async def offline(house: House) -> None:
    """Take the bot from the gateway, so that it hears of nothing, and keep its database open."""
    await house.bot.running.drain(5)
    await house.bot.close()


async def test_a_question_that_was_stored_only_is_answered_after_the_restart(house):
    """The answer is a reply to the question, once."""
    thread = await open_thread(house)
    await offline(house)
    await left(house, thread, "hello #q-1")
    await house.stop()
    await house.start()
    await until(lambda: any("#q-1" in m["content"] for m in house.said(thread)) and not house.bot.running.count)
    [answer] = [m for m in house.said(thread) if "#q-1" in m["content"]]
    assert answer["message_reference"]["message_id"]
    await house.stop()
    await house.start()
    await settled(house)
    assert sum("#q-1" in m["content"] for m in house.said(thread)) == 1


async def test_an_answer_that_was_begun_is_finished_in_its_message(house):
    """The half of an answer becomes the whole one; no second message appears."""
    thread = await open_thread(house)
    channel = house.bot.get_channel(int(thread))
    half = await channel.send("Half of an ans▍")
    await offline(house)
    turn_id = await left(house, thread, "hello #q-1")
    await house.storage.conversations.start(turn_id)
    await house.storage.conversations.place(turn_id, channel_id=int(thread), message_id=half.id)
    await house.stop()
    await house.start()
    await until(lambda: "#q-1" in message(house, thread, str(half.id))["content"] and not house.bot.running.count)
    assert len(house.said(thread)) == 2
    assert "again" in buttons(message(house, thread, str(half.id)))


async def test_a_message_that_was_sent_but_not_stored_is_found_by_its_buttons(house):
    """Between sending a message and storing its id a process may end as well."""
    thread = await open_thread(house)
    await offline(house)
    turn_id = await left(house, thread, "hello #q-1")
    await house.stop()
    await house.start()
    await until(lambda: any("#q-1" in m["content"] for m in house.said(thread)) and not house.bot.running.count)
    [first] = [m for m in house.said(thread) if "#q-1" in m["content"]]
    turn = await house.storage.conversations.reopen(turn_id, house.conversations._leases.new())
    assert turn is not None
    await house.storage._backend.write(
        lambda c: c.execute(text("UPDATE turns SET answer_message_id = NULL, owner = NULL"))
    )
    await house.stop()
    await house.start()
    await until(lambda: len(house.generated()) == 2 and not house.bot.running.count)
    assert [m["id"] for m in house.said(thread) if "#q-1" in m["content"]] == [first["id"]]


async def test_an_answer_that_was_stored_but_not_shown_is_shown_without_asking_again(house):
    """What the model said is not thrown away."""
    thread = await open_thread(house)
    await offline(house)
    turn_id = await left(house, thread, "hello #q-1")
    await house.storage.conversations.finish(
        turn_id, text="a stored answer", model="m", input_tokens=1, output_tokens=1, seconds=1.0
    )
    await house.stop()
    await house.start()
    await until(lambda: any(m["content"] == "a stored answer" for m in house.said(thread)))
    await settled(house)
    assert not any("hello" in str(request["turns"]) for request in house.generated())


async def test_a_begun_message_that_was_deleted_meanwhile_is_made_anew(made):
    """The answer gets a new message; the one request that finds it out is all that is lost."""
    await made.start()
    thread = await open_thread(made)
    half = await made.bot.get_channel(int(thread)).send("Half▍")
    await offline(made)
    turn_id = await left(made, thread, "hello #q-1")
    await made.storage.conversations.place(turn_id, channel_id=int(thread), message_id=half.id)
    made.discord.delete_message(str(half.id))
    await made.stop()
    await made.start()
    await until(lambda: any("#q-1" in m["content"] for m in made.said(thread)) and not made.bot.running.count)
    assert sum("#q-1" in m["content"] for m in made.said(thread)) == 1


async def test_messages_said_while_the_bot_was_away_are_answered_as_one_question(house):
    """They are found in the chat's history; what was answered before is left alone."""
    thread = await open_thread(house)
    await house.reply(thread, "before #q-0")
    await house.stop()
    for number in (1, 2, 3):
        house.discord.say(thread, content=f"missed {number} #q-{number}", user="Mina")
    await house.start()
    await until(lambda: len(house.generated()) == 2 and not house.bot.running.count)
    assert [text for role, text in turns(house) if role == "user"][-1].count("missed") == 3
    await settled(house)
    assert len([m for m in house.said(thread) if "#q-" in m["content"]]) == 2


async def test_a_session_that_cannot_be_resumed_loses_no_message(house):
    """After READY in place of RESUMED the chats are looked through."""
    thread = await open_thread(house)
    await house.reply(thread, "before #q-0")
    house.discord.drop_gateway("invalid")
    house.discord.say(thread, content="lost #q-1", user="Mina")
    await until(lambda: any("#q-1" in m["content"] for m in house.said(thread)))
    await settled(house)
    assert sum("#q-1" in m["content"] for m in house.said(thread)) == 1


async def test_a_refused_message_is_not_refused_again(house):
    """What the bot has replied to is left alone, also when it was not stored."""
    thread = await open_thread(house)
    await house.reply(thread, "look", files=[("a.exe", "application/x-msdownload", b"MZ")])
    told = len(house.said(thread))
    await house.stop()
    await house.start()
    await settled(house)
    assert len(house.said(thread)) == told


async def test_direct_messages_are_caught_up_too(house):
    """A chat need not be in a server."""
    direct = house.channel("Mina")
    await house.reply(direct, "before #q-0")
    await house.stop()
    house.discord.say(direct, content="missed #q-1", user="Mina")
    await house.start()
    await until(lambda: any("#q-1" in m["content"] for m in house.said(direct)) and not house.bot.running.count)


async def test_a_command_that_was_left_is_finished_in_its_own_answer(house):
    """The interaction's token still works after the restart: the thinking message becomes the answer."""
    house.gemini.set_faults([{"kind": "hang"}])
    interaction = house.discord.invoke(
        house.channel("general"), name="ask", options={"prompt": "still there? #q-1"}, user="Mina"
    )
    await until(house.generated)
    # a stop gives the answer up; a kill does not: the turn is put back as it was
    await house.bot.running.drain(0)
    [turn] = [t for t in await turns_of(house) if t["state"] == "failed"]
    await put_back(house, turn["id"])
    house.gemini.set_faults([])
    await house.stop()
    await house.start()
    await until(lambda: any("#q-1" in m["content"] for m in house.said(house.channel("general"))))
    await until(lambda: not house.bot.running.count)
    [response] = (await house.discord.interaction(interaction))["responses"]
    assert "#q-1" in response["content"]
    assert len(house.said(house.channel("general"))) == 1


async def turns_of(house: House) -> list[dict[str, object]]:
    async def job(connection):
        return [dict(row) for row in (await connection.execute(text("SELECT id, state FROM turns"))).mappings()]

    return await house.storage._backend.read(job)


async def put_back(house: House, turn_id: object) -> None:
    await house.storage._backend.write(
        lambda c: c.execute(
            text("UPDATE turns SET state = 'answering', delivered_at = NULL, owner = 'gone' WHERE id = :id"),
            {"id": turn_id},
        )
    )


@pytest.mark.parametrize("opened", [True, False])
async def test_a_chat_whose_thread_was_not_opened_yet_gets_it_after_the_restart(house, opened):
    """The conversation and its first question are stored before the thread is there."""
    channel = house.bot.get_channel(int(house.channel("general")))
    answer = await channel.send("…")
    if opened:
        await answer.create_thread(name="there")
    await offline(house)
    conversation = await house.storage.conversations.open_conversation(
        kind="thread",
        guild_id=int(house.discord.guild_id),
        channel_id=answer.id,
        owner_id=house.user_id("Mina"),
        model=None,
        options={"opened_in": int(house.channel("general"))},
        seen_id=answer.id - 1,
    )
    await house.storage.conversations.ask(
        conversation.id,
        source_id=answer.id - 1,
        user_id=house.user_id("Mina"),
        user_name="Mina",
        guild_id=int(house.discord.guild_id),
        channel_id=int(house.channel("general")),
        text="how do bees fly? #q-1",
        attachments=[],
        locale="en-US",
    )
    await house.stop()
    await house.start()
    thread = str(answer.id)
    await until(lambda: house.discord.state()["threads"])
    await until(lambda: any("#q-1" in m["content"] for m in house.said(thread)) and not house.bot.running.count)
    await house.reply(thread, "and wasps? #q-2")
    assert "bees" in turns(house)[0][1]
