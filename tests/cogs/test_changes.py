"""Questions that are changed or deleted after they were asked."""

from __future__ import annotations

from tests.cogs.conftest import House, until
from tests.cogs.talk import begun, buttons, message, open_thread, settled, turns

SLOW = [{"kind": "slow", "factor": 4}]


def source(house: House, channel_id: str, content: str) -> str:
    """Give the id of what a person said."""
    return next(str(m["id"]) for m in house.discord.messages(channel_id) if m["content"] == content)


async def test_an_edited_question_is_answered_again_in_the_same_message(house):
    """The new answer takes the old one's place, and the context holds the new words only."""
    thread = await open_thread(house)
    answer = await house.reply(thread, "red #q-1")
    count = len(house.said(thread))
    house.discord.edit_message(source(house, thread, "red #q-1"), content="blue #q-2", user="Mina")
    await until(lambda: "#q-2" in message(house, thread, answer["id"])["content"] and not house.bot.running.count)
    assert len(house.said(thread)) == count
    await house.reply(thread, "which colour? #q-3")
    assert "red" not in str(turns(house))
    assert [role for role, _ in turns(house)] == ["user", "model", "user"]


async def test_a_question_edited_while_it_is_answered_is_answered_once_as_it_is_now(house):
    """The answer to the old words ends, and the one to the new words stands in its message."""
    thread = await open_thread(house)
    house.gemini.set_faults(SLOW)
    house.discord.say(thread, content="300 words of red #q-1", user="Mina")
    shown = await begun(house, thread, after=1)
    house.gemini.set_faults([])
    house.discord.edit_message(source(house, thread, "300 words of red #q-1"), content="blue #q-2", user="Mina")
    await until(lambda: "#q-2" in message(house, thread, shown["id"])["content"] and not house.bot.running.count)
    assert len(house.said(thread)) == 2
    assert "again" in buttons(message(house, thread, shown["id"]))


async def test_an_earlier_question_is_answered_again_by_what_was_known_then(house):
    """What was said after it is not shown to the model."""
    thread = await open_thread(house)
    first = await house.reply(thread, "one #q-1")
    await house.reply(thread, "two #q-2")
    house.discord.edit_message(source(house, thread, "one #q-1"), content="three #q-3", user="Mina")
    await until(lambda: "#q-3" in message(house, thread, first["id"])["content"] and not house.bot.running.count)
    assert turns(house) == [("user", "three #q-3")]
    await house.reply(thread, "four #q-4")
    assert [text.split()[0] for role, text in turns(house) if role == "user"] == ["three", "two", "four"]


async def test_an_update_that_changes_no_word_asks_nothing(house):
    """A link preview comes as an edit of the message too."""
    thread = await open_thread(house)
    await house.reply(thread, "red #q-1")
    house.discord.edit_message(source(house, thread, "red #q-1"), content="red #q-1", user="Mina")
    await settled(house)
    assert sum("red" in str(request["turns"]) for request in house.generated()) == 1


async def test_an_edit_that_cannot_be_asked_is_refused_and_the_old_question_stays(house):
    """One sentence under the message; the answer stays."""
    thread = await open_thread(house)
    answer = await house.reply(thread, "red #q-1")
    told = len(house.said(thread))
    house.discord.edit_message(source(house, thread, "red #q-1"), content=house.mention, user="Mina")
    await until(lambda: len(house.said(thread)) > told)
    assert "empty" in house.said(thread)[-1]["content"]
    assert "#q-1" in message(house, thread, answer["id"])["content"]


async def test_a_deleted_question_and_its_answer_leave_the_context(house):
    """Neither is shown to the model any more, nor kept; the answer loses its buttons."""
    thread = await open_thread(house)
    answer = await house.reply(thread, "my secret is plum #q-1")
    turn = await house.storage.conversations.turn_of_answer(int(answer["id"]))
    house.discord.delete_message(source(house, thread, "my secret is plum #q-1"), user="Mina")
    await until(lambda: not buttons(message(house, thread, answer["id"])) and not house.bot.running.count)
    await house.reply(thread, "what is my secret? #q-2")
    assert "plum" not in str(turns(house))
    assert turn is not None
    assert await house.storage.conversations.messages_of_turn(turn.id) == []
    assert await house.storage.conversations.replaced_answers(turn.id) == []


async def test_a_question_deleted_while_it_is_answered_takes_its_answer_along(house):
    """The message that was begun is deleted, and nothing more is written."""
    thread = await open_thread(house)
    house.gemini.set_faults(SLOW)
    house.discord.say(thread, content="300 words #q-1", user="Mina")
    shown = await begun(house, thread, after=1)
    house.discord.delete_message(source(house, thread, "300 words #q-1"), user="Mina")
    await until(lambda: shown["id"] not in [m["id"] for m in house.said(thread)] and not house.bot.running.count)
    assert await house.storage.conversations.unfinished() == []
    assert await house.storage.conversations.owed() == []


async def test_of_several_messages_asked_together_one_can_be_deleted(house):
    """The others, and the answer, stay."""
    thread = await open_thread(house)
    house.gemini.set_faults(SLOW)
    house.discord.say(thread, content="first #q-1", user="Mina")
    await begun(house, thread, after=1)
    house.discord.say(thread, content="second #q-2", user="Mina")
    house.discord.say(thread, content="third", user="Mina")
    await until(lambda: len(house.said(thread)) == 3 and not house.bot.running.count)
    house.gemini.set_faults([])
    house.discord.delete_message(source(house, thread, "third"), user="Mina")
    await settled(house)
    await house.reply(thread, "fourth #q-4")
    assert "third" not in turns(house)[-3][1]
    assert "second" in turns(house)[-3][1]


async def test_messages_that_are_no_questions_may_be_edited_and_deleted(house):
    """Talk in a channel is nothing to the bot, whatever becomes of it."""
    said = house.discord.say(house.channel("general"), content="hello", user="Mina")
    house.discord.edit_message(said["id"], content="hello there", user="Mina")
    house.discord.delete_message(said["id"], user="Mina")
    await settled(house)
    assert house.said(house.channel("general")) == []
