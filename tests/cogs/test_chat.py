"""Threads, mentions and direct messages: every message that is meant for the bot, and none that is not."""

from __future__ import annotations

from tests.cogs.conftest import MODEL, until
from tests.cogs.talk import EPHEMERAL, begun, open_thread, settled, turns

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100


async def test_a_thread_is_opened_and_answered_in_without_a_mention(house):
    """/chat opens a thread that greets; each message there is answered, with all that was said before."""
    thread = await open_thread(house)
    [welcome] = house.said(thread)
    assert MODEL in welcome["content"]
    first = await house.reply(thread, "my cat is called Mimi #q-1")
    assert "#q-1" in first["content"]
    await house.reply(thread, "what is my cat called? #q-2")
    shown = turns(house)
    assert [role for role, _ in shown] == ["user", "model", "user"]
    assert "Mimi" in shown[0][1]
    assert "#q-2" in shown[2][1]


async def test_the_first_question_can_come_with_the_command(house):
    """/chat with a question answers it in the thread, which bears its words as title."""
    thread = await open_thread(house, prompt="how do bees fly? #q-5")
    await until(lambda: any("#q-5" in message["content"] for message in house.said(thread)))
    [shown] = house.discord.state()["threads"]
    assert shown["name"].startswith("how do bees fly?")


async def test_the_context_survives_a_restart_and_archiving(house):
    """After the bot was stopped and the thread archived, the next answer still knows the first turn."""
    thread = await open_thread(house)
    await house.reply(thread, "the word is birch #q-1")
    await house.stop()
    house.discord.archive_thread(thread)
    await house.start()
    answer = await house.reply(thread, "which word? #q-2")
    assert "#q-2" in answer["content"]
    assert "birch" in turns(house)[0][1]


async def test_the_model_chosen_for_a_thread_answers_in_it(house):
    """The thread keeps the model that its command named."""
    thread = await open_thread(house, model="gemini-4-carbon")
    await house.reply(thread, "hello")
    assert house.generated()[-1]["model"] == "gemini-4-carbon"


async def test_only_messages_meant_for_the_bot_are_answered(house):
    """Talk in a channel, and the bot's own messages, are passed over."""
    house.discord.say(house.channel("general"), content="hello everybody", user="Mina")
    await settled(house)
    assert house.said(house.channel("general")) == []
    assert len(house.generated()) == 1, "only the marker was asked"


async def test_a_mention_is_answered_as_a_reply_without_the_mention_in_the_question(house):
    """A mention in a channel is answered under the message; the model is not shown the mention."""
    answer = await house.reply(house.channel("general"), f"{house.mention} what is up? #q-4")
    assert "#q-4" in answer["content"]
    assert answer["message_reference"]["message_id"]
    assert house.mention not in turns(house)[0][1]


async def test_a_reply_to_an_answer_goes_on_with_its_conversation(house):
    """A reply needs no mention, and the model is shown what was said before, turn by turn."""
    answer = await house.reply(house.channel("general"), f"{house.mention} tell me of oaks #q-1")
    again = await house.reply(house.channel("general"), "and of elms? #q-2", reply_to=answer["id"])
    assert "#q-2" in again["content"]
    assert [role for role, _ in turns(house)] == ["user", "model", "user"]
    assert "tell me of oaks" in turns(house)[0][1]


async def test_a_mention_under_somebodys_message_is_told_what_it_replies_to(house):
    """What another person said is quoted, marked as such."""
    said = house.discord.say(house.channel("general"), content="Oaks grow old.", user="小美")
    await house.reply(house.channel("general"), f"{house.mention} is that so?", reply_to=said["id"])
    assert "> Oaks grow old." in turns(house)[-1][1]


async def test_two_first_direct_messages_at_once_open_one_conversation(house):
    """What is said in both is known to the answer that comes after."""
    for number in (1, 2):
        house.discord.say(house.channel("Mina"), content=f"fact {number} #q-{number}", user="Mina")
    await until(lambda: house.said(house.channel("Mina")) and not house.bot.running.count)
    await house.reply(house.channel("Mina"), "which facts? #q-3")
    known = str(turns(house))
    assert "fact 1" in known
    assert "fact 2" in known


async def test_several_people_in_a_thread_are_told_apart(house):
    """Each text bears its speaker's name, as data in brackets."""
    thread = await open_thread(house)
    await house.reply(thread, "I like red", user="Mina")
    await house.reply(thread, "and I blue", user="小美")
    users = [text for role, text in turns(house) if role == "user"]
    assert users == ["[Mina] I like red", "[小美] and I blue"]


async def test_the_model_names_the_thread_after_the_first_answer_once(house):
    """Until then it bears the question's first words; afterwards nobody renames it."""
    thread = await open_thread(house, prompt="how do bees fly? #q-5")
    await until(lambda: house.discord.state()["threads"][0]["name"] == "About how do bees fly?")
    await house.reply(thread, "and wasps? #q-6")
    await settled(house)
    assert len(house.errands("Write a title")) == 1


async def test_direct_messages_are_one_conversation(house):
    """In a direct message nothing has to be mentioned, and what was said is known."""
    await house.reply(house.channel("Mina"), "I like red #q-1")
    await house.reply(house.channel("Mina"), "what do I like? #q-2")
    assert "I like red" in turns(house)[0][1]


async def test_an_attached_file_alone_is_a_question(house):
    """A picture without words is looked at."""
    answer = await house.reply(house.channel("Mina"), "", files=[("a.png", "image/png", PNG)])
    assert "image/png" in answer["content"]


async def test_a_bare_mention_is_told_what_to_do(house):
    """A mention without a question gets one sentence, and the model is not asked."""
    answer = await house.reply(house.channel("general"), house.mention)
    assert "empty" in answer["content"]
    assert house.generated() == []


async def test_a_message_that_cannot_be_asked_is_refused_in_one_sentence(house):
    """A file of a wrong type is refused under the message, and nothing is stored or sent."""
    answer = await house.reply(house.channel("Mina"), "look", files=[("a.exe", "application/x-msdownload", b"MZ")])
    assert "a.exe" in answer["content"]
    assert house.generated() == []


async def test_a_failure_is_one_sentence_under_the_message(house):
    """When no key can serve, the author reads why, and the next question is answered again."""
    thread = await open_thread(house)
    house.gemini.set_faults([{"kind": "promptblock"}])
    answer = await house.reply(thread, "something forbidden")
    assert "safety" in answer["content"]
    house.gemini.set_faults([])
    answer = await house.reply(thread, "something else #q-2")
    assert "#q-2" in answer["content"]
    assert "forbidden" not in str(turns(house))


async def test_messages_sent_while_an_answer_runs_are_taken_together_into_the_next(house):
    """Three messages said during an answer get one answer, which knows the first."""
    thread = await open_thread(house)
    house.gemini.set_faults([{"kind": "slow", "factor": 3}])
    house.discord.say(thread, content="number 0 #q-0", user="Mina")
    await begun(house, thread, after=1)
    for number in (1, 2, 3):
        house.discord.say(thread, content=f"number {number} #q-{number}", user="Mina")
    await until(lambda: len(house.said(thread)) == 3 and not house.bot.running.count)
    shown = turns(house)
    assert [role for role, _ in shown] == ["user", "model", "user"]
    assert [f"number {number}" in shown[-1][1] for number in (1, 2, 3)] == [True] * 3
    assert len(house.generated()) == 2


async def test_a_repeated_delivery_is_answered_once(house):
    """Events that Discord sends again after a lost connection do not make a second answer."""
    thread = await open_thread(house)
    await house.reply(thread, "once #q-1")
    message = next(m for m in house.discord.messages(thread) if m["content"] == "once #q-1")
    house.bot.dispatch("message", await house.bot.get_channel(int(thread)).fetch_message(int(message["id"])))
    await settled(house)
    assert sum("#q-1" in m["content"] for m in house.said(thread)) == 1


async def test_a_lost_connection_loses_no_message(house):
    """A message said while the gateway was gone is answered after the resume."""
    thread = await open_thread(house)
    house.discord.drop_gateway("reconnect")
    answer = await house.reply(thread, "are you there? #q-1")
    assert "#q-1" in answer["content"]


async def test_a_thread_cannot_be_opened_in_a_thread(house):
    """In a thread, /chat answers with an ephemeral sentence."""
    thread = await open_thread(house)
    interaction = house.discord.invoke(thread, name="chat", options={}, user="Mina")
    state = await house.discord.interaction(interaction, 5)
    assert state["responses"][0]["flags"] & EPHEMERAL
    assert "text channel" in state["responses"][0]["content"]


async def test_a_missing_permission_is_named_before_anything_happens(house):
    """Without the right to open threads the sentence names it, to the asker alone, and provokes no refusal."""
    house.discord.take_permission(house.channel("questions"), "CREATE_PUBLIC_THREADS")
    answer = await house.answer("chat", channel="questions", options={})
    assert answer["flags"] & EPHEMERAL
    assert "create public threads" in answer["content"]


async def test_where_the_bot_may_not_write_nothing_is_asked(house):
    """A mention where the bot cannot answer costs no request, and provokes no refusal of Discord's."""
    house.discord.take_permission(house.channel("media"), "SEND_MESSAGES")
    house.discord.say(house.channel("media"), content=f"{house.mention} hello #q-1", user="Mina")
    await settled(house)
    assert ["#q-1" in str(request["turns"]) for request in house.generated()] == [False]


async def test_without_the_intent_a_thread_says_so_once_and_mentions_work(made):
    """With MESSAGE_CONTENT_INTENT=off a thread asks to be mentioned, once, over restarts; mentions are answered."""
    made.discord.faults.refuse_intent("message_content")
    await made.start(reads_content=False)
    thread = await open_thread(made)
    [told] = made.said(thread)
    assert made.mention in told["content"]
    made.discord.say(thread, content="no mention here", user="Mina")
    answer = await made.reply(thread, f"{made.mention} with one #q-1")
    assert "#q-1" in answer["content"]
    assert len(made.said(thread)) == 2
    mention = await made.reply(made.channel("general"), f"{made.mention} hello #q-2")
    assert "#q-2" in mention["content"]
    direct = await made.reply(made.channel("Mina"), "direct #q-3")
    assert "#q-3" in direct["content"]
    message = made.discord.say(made.channel("general"), content="by menu #q-4", user="Ada")
    assert "#q-4" in (await made.answer("Ask Gemini", target=message["id"]))["content"]


async def test_a_thread_from_before_the_intent_was_taken_says_so_once(house):
    """A thread opened while the bot could read says once that it no longer can."""
    thread = await open_thread(house)
    await house.stop()
    house.discord.faults.refuse_intent("message_content")
    await house.start(reads_content=False)
    told = await house.reply(thread, "can you read this?")
    assert house.mention in told["content"]
    house.discord.say(thread, content="and this?", user="Mina")
    await settled(house)
    assert len(house.said(thread)) == 2


async def test_an_author_is_answered_in_the_language_of_their_last_command(house):
    """Messages carry no language; the one an author's commands came with is used."""
    await house.answer("ask", options={"prompt": "你好"}, user="小美", locale="zh-TW")
    answer = await house.reply(house.channel("general"), house.mention, user="小美")
    assert "問題" in answer["content"]


async def test_cancelling_is_stored(house):
    """An answer that is cancelled at a stop leaves no turn behind that looks as if it still ran."""
    thread = await open_thread(house)
    house.gemini.set_faults([{"kind": "hang"}])
    house.discord.say(thread, content="never answered", user="Mina")
    await until(house.generated)
    assert await house.bot.running.drain(0) == 1
    assert await house.storage.conversations.unfinished() == []
    assert "stopped" in house.said(thread)[-1]["content"]
