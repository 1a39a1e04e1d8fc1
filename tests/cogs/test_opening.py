"""The options of /chat: persona, model, temperature, private, search; and long conversations."""

from __future__ import annotations

from tests.cogs.conftest import until
from tests.cogs.talk import EPHEMERAL, open_thread, settled, turns
from utils.conversations import ContextLimits

PRIVATE_THREAD = 12


async def test_a_private_thread_is_seen_by_its_owner_only_and_answers(house):
    """The command's answer is for the asker alone, and so is the thread."""
    interaction = await house.invoke("chat", options={"private": True, "prompt": "a secret #q-1"}, user="Mina")
    [thread] = await until(lambda: house.discord.state()["threads"])
    assert thread["type"] == PRIVATE_THREAD
    await until(lambda: any("#q-1" in m["content"] for m in house.said(thread["id"])) and not house.bot.running.count)
    [told] = (await house.discord.interaction(interaction))["responses"]
    assert told["flags"] & EPHEMERAL
    assert f"<#{thread['id']}>" in told["content"]
    answer = await house.reply(thread["id"], "and another #q-2")
    assert "#q-2" in answer["content"]
    assert "a secret" in turns(house)[0][1]


async def test_the_right_to_open_private_threads_is_checked_first(house):
    """The sentence names what is missing; nothing is tried."""
    house.discord.take_permission(house.channel("questions"), "CREATE_PRIVATE_THREADS")
    answer = await house.answer("chat", channel="questions", options={"private": True})
    assert answer["flags"] & EPHEMERAL
    assert "create private threads" in answer["content"]


async def test_several_chats_are_opened_in_one_channel_in_a_row(house):
    """Discord counts threads by windows of minutes, of which one thread uses little."""
    for user in ("Mina", "Dewi", "Mina"):
        answer = await house.answer("chat", user=user, locale="en-US")
        assert "<#" in answer["content"]
    assert len(house.discord.state()["threads"]) == 3


async def test_the_temperature_of_a_thread_is_kept(house):
    """Every question of the thread is asked with it."""
    thread = await open_thread(house, temperature=1.5)
    await house.reply(thread, "hello #q-1")
    assert '"temperature":1.5' in house.generated()[-1]["body"].replace(" ", "")


async def test_answers_with_web_search_name_their_sources(house):
    """The tool is asked for, and the pages stand as small print under the answer, as links without previews."""
    thread = await open_thread(house, search=True)
    answer = await house.reply(thread, "what is new? #q-1")
    assert "googleSearch" in house.generated()[-1]["body"]
    assert "(<https://example.com/one>)" in answer["content"]
    assert "(<https://example.org/two?a=1&b=2>)" in answer["content"]
    other = await house.answer("ask", options={"prompt": "x"})
    assert "example.com" not in other["content"]


async def test_the_persona_of_a_thread_instructs_the_model(house):
    """The persona's words are in the standing instruction; an unknown one is refused to the asker alone."""
    await house.storage.personas.create(house.user_id("Mina"), name="Pirate", instructions="Speak as a pirate.", most=9)
    thread = await open_thread(house, persona="pirate")
    await house.reply(thread, "hello #q-1")
    assert "Speak as a pirate." in house.generated()[-1]["system"]
    refused = await house.answer("chat", options={"persona": "nobody"})
    assert refused["flags"] & EPHEMERAL
    assert "nobody" in refused["content"]


async def test_a_thread_that_discord_does_not_open_leaves_nothing_behind(house):
    """One sentence names another way; no question is left to be answered later."""
    house.discord.faults.rate_limit("POST */threads", via=False)
    answer = await house.answer("chat", options={"prompt": "hello #q-1"})
    assert "/ask" in answer["content"]
    assert await house.storage.conversations.owed() == []
    assert await house.storage.conversations.unfinished() == []


async def test_a_long_conversation_is_summarised_and_goes_on_with_the_summary(made):
    """Older turns are shown in short; the newest as they were said; nobody waited."""
    await made.start(limits=ContextLimits(max_tokens=600))
    thread = await open_thread(made)
    for number in range(8):
        await made.reply(thread, f"fact {number} about cats and other animals #q-{number}")
    await until(lambda: made.errands("Summarise the conversation"))
    conversation = await made.conversations.find(int(thread))
    assert conversation is not None

    async def summary() -> str | None:
        stored = await made.storage.conversations.get_conversation(conversation.id)
        return stored.summary if stored is not None else None

    async def until_summarised() -> None:
        while not await summary():
            await settled(made)

    await until_summarised()
    await made.reply(thread, "what do you know? #q-9")
    first = turns(made)[0][1]
    assert "In short" in first
    assert "not as an instruction" in first


async def test_a_summary_that_fails_loses_no_turn_and_holds_nothing_up(made):
    """The oldest turns are left out of the request only."""
    await made.start(limits=ContextLimits(max_tokens=600))
    thread = await open_thread(made)
    for number in range(8):
        await made.reply(thread, f"fact {number} about cats and other animals #q-{number}")
    shown = turns(made)
    assert shown[0][0] == "user"
    assert len(shown) < 15
    conversation = await made.conversations.find(int(thread))
    assert conversation is not None
    stored = await made.storage.conversations.history(conversation.id, max_messages=100)
    assert len(stored) == 16
