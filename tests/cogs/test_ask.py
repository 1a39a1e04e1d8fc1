"""`/ask` and "Ask Gemini": the whole way from a command to a stored, streamed answer."""

from __future__ import annotations

import pytest

from tests.cogs.conftest import until
from tests.cogs.talk import buttons, message, pressed

EPHEMERAL = 1 << 6
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100


async def test_a_question_is_answered_and_stored(house):
    """The answer carries the question's id, is public, and stands in the store with the place of its message."""
    answer = await house.answer("ask", options={"prompt": "what is this? #q-1"})
    assert "#q-1" in answer["content"]
    assert not answer["flags"] & EPHEMERAL
    [request] = house.generated()
    assert [turn["role"] for turn in request["turns"]] == ["user"]
    assert await house.storage.conversations.unfinished() == []


async def test_the_chosen_model_answers_and_is_offered_while_typing(house):
    """Autocompletion offers the listed models without asking the service; the chosen one is asked."""
    before = len(house.gemini.diary())
    choices = await house.discord.autocomplete(
        house.channel("general"), name="ask", options={"prompt": "x", "model": "carb"}, focused="model", user="Mina"
    )
    assert "gemini-4-carbon" in [choice["value"] for choice in choices]
    assert len(choices) <= 25
    assert len(house.gemini.diary()) == before
    await house.answer("ask", options={"prompt": "hello", "model": "gemini-4-carbon"})
    assert house.generated()[0]["model"] == "gemini-4-carbon"


async def test_a_file_goes_with_the_question(house):
    """An attached picture reaches the model with its type."""
    answer = await house.answer(
        "ask", options={"prompt": "what is in it?", "file": "files[0]"}, files=[("a.png", "image/png", PNG)]
    )
    assert "image/png" in answer["content"]


@pytest.mark.parametrize(
    ("options", "files", "words"),
    [
        ({"prompt": "   "}, [], "empty"),
        ({"prompt": "x", "model": "no-such-model"}, [], "no-such-model"),
        ({"prompt": "x", "file": "files[0]"}, [("a.exe", "application/x-msdownload", b"MZ")], "a.exe"),
        ({"prompt": "x", "file": "files[0]"}, [("a.gif", "image/gif", b"GIF89a")], "GIF"),
        ({"prompt": "x", "file": "files[0]"}, [("a.png", "image/png", b"")], "empty"),
    ],
)
async def test_what_cannot_be_asked_is_refused_to_the_asker_alone(house, options, files, words):
    """One ephemeral sentence, at once; nothing is sent to the model and nothing counted against a key."""
    answer = await house.answer("ask", options=options, files=files)
    assert answer["flags"] & EPHEMERAL
    assert words in answer["content"]
    assert house.generated() == []
    assert house.pool.get_api_key_stats()["total_requests"] == 0


async def test_a_refusal_speaks_the_readers_language(house):
    """A reader of Traditional Chinese is refused in it."""
    answer = await house.answer("ask", options={"prompt": " "}, user="小美", locale="zh-TW")
    assert "問題" in answer["content"]


async def test_the_menu_asks_what_a_message_says(house):
    """The menu "Ask Gemini" answers the text of the message it was used on."""
    message = house.discord.say(house.channel("general"), content="from a message #q-7", user="Ada")
    answer = await house.answer("Ask Gemini", target=message["id"])
    assert "#q-7" in answer["content"]


async def test_the_menu_takes_a_picture_without_words(house):
    """A message that is only a picture is asked about as it is."""
    message = house.discord.say(house.channel("media"), content="", user="Ada", files=[("a.png", "image/png", PNG)])
    answer = await house.answer("Ask Gemini", channel="media", target=message["id"])
    assert "image/png" in answer["content"]


async def test_a_long_answer_is_split_into_whole_messages(house):
    """An answer over Discord's limit goes on in further messages of the same interaction."""
    answer = await house.answer("ask", options={"prompt": "write 600 words #q-2"})
    messages = house.said(house.channel("general"))
    assert len(messages) > 1
    assert "#q-2" in answer["content"]
    assert all(len(message["content"]) <= 2000 for message in messages)


async def test_nobody_is_mentioned_by_an_answer(house):
    """What the model writes pings nobody, whatever it writes."""
    answer = await house.answer("ask", options={"prompt": "mentions please"})
    assert "@everyone" in answer["content"]
    assert answer["mention_everyone"] is False
    assert answer["mentions"] == []
    assert answer["mention_roles"] == []


async def test_a_failure_is_one_sentence_in_place_of_the_answer(house):
    """When no key can serve, the asker reads a sentence and the turn is stored as failed."""
    house.gemini.set_faults([{"kind": "leaked"}])
    answer = await house.answer("ask", options={"prompt": "hello"})
    assert "/api-key-stats" in answer["content"]
    assert await house.storage.conversations.unfinished() == []


async def test_a_direct_message_knows_the_command_too(house):
    """`/ask` works in a direct message with the bot."""
    answer = await house.answer("ask", channel="Mina", options={"prompt": "privately #q-9"})
    assert "#q-9" in answer["content"]


async def test_a_stopping_bot_takes_no_new_questions(house):
    """Once the stop has begun, a command is answered with one ephemeral sentence."""
    await house.bot.running.drain(0)
    interaction = house.discord.invoke(house.channel("general"), name="ask", options={"prompt": "x"}, user="Mina")
    state = await house.discord.interaction(interaction, 5)
    assert state["responses"][0]["flags"] & EPHEMERAL
    assert house.generated() == []


async def test_a_drained_answer_is_whole(house):
    """An answer that runs when the stop begins is given in full before the bot leaves."""
    house.gemini.set_faults([{"kind": "slow", "factor": 2}])
    interaction = house.discord.invoke(
        house.channel("general"), name="ask", options={"prompt": "last one #q-3"}, user="Mina"
    )
    await until(lambda: house.bot.running.count)
    await house.stop()
    [answer] = (await house.discord.interaction(interaction))["responses"]
    assert "#q-3" in answer["content"]


async def test_who_installed_the_bot_for_themselves_can_ask_among_friends(house):
    """Where the bot is no member everything is said through the interaction, and only what works there is offered."""
    private = house.discord.open_private("Mina", "Dewi")
    interaction = house.discord.invoke(private, name="ask", options={"prompt": "between us #q-1"}, user="Mina")
    await until(lambda: house.generated() and not house.bot.running.count)
    [answer] = (await house.discord.interaction(interaction, 5))["responses"]
    assert "#q-1" in answer["content"]
    assert list(buttons(answer)) == ["again"]
    await pressed(house, answer, "again")
    assert len(house.generated()) == 2
    assert list(buttons(message(house, private, answer["id"]))) == ["again"]
    [told] = await pressed(house, answer, "again", user="Dewi")
    assert told["flags"] & EPHEMERAL
    said = house.discord.say(private, content="hello #q-2", user="Dewi")
    menu = house.discord.invoke(private, name="Ask Gemini", user="Mina", target=said["id"])
    await until(lambda: len(house.generated()) == 3 and not house.bot.running.count)
    [answer] = (await house.discord.interaction(menu, 5))["responses"]
    assert "#q-2" in answer["content"]


async def test_a_long_answer_among_friends_is_whole_and_cannot_be_made_anew(house):
    """Further messages follow through the interaction's token, which no later press can change."""
    private = house.discord.open_private("Mina", "Dewi")
    house.discord.invoke(private, name="ask", options={"prompt": "write 600 words #q-2"}, user="Mina")
    await until(lambda: len(house.said(private)) > 1 and not house.bot.running.count)
    [told] = await pressed(house, house.said(private)[-1], "again")
    assert told["flags"] & EPHEMERAL
    assert "with a command" in told["content"]
    assert len(house.generated()) == 1
