"""Stop, Regenerate, Continue and Branch, and who may press them, through restarts too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cogs.conftest import House, until
from tests.cogs.talk import EPHEMERAL, begun, buttons, labels, message, open_thread, press, pressed, turns

SLOW = [{"kind": "slow", "factor": 4}]


async def answered(house: House, thread: str, text: str) -> dict[str, Any]:
    """Ask something and give the answer with its buttons."""
    return await house.reply(thread, text)


async def test_stop_keeps_what_was_said_and_says_so(house):
    """A stopped answer ends where it is, is stored as it stands, and can be continued."""
    thread = await open_thread(house)
    house.gemini.set_faults(SLOW)
    house.discord.say(thread, content="tell me 300 words #q-1", user="Mina")
    shown = await begun(house, thread, after=1)
    assert labels(shown) == ["Stop"]
    assert await pressed(house, shown, "stop") == []
    house.gemini.set_faults([])
    after = message(house, thread, shown["id"])
    assert "-# Stopped here" in after["content"]
    assert list(buttons(after)) == ["more", "again", "branch"]
    await house.reply(thread, "and now? #q-2")
    said = turns(house)
    assert [role for role, _ in said] == ["user", "model", "user"]
    assert said[1][1]
    assert said[1][1].split()[0] in after["content"]


async def test_continue_goes_on_with_a_stopped_answer(house):
    """The rest comes in a message of its own, and the button is gone from the first."""
    thread = await open_thread(house)
    house.gemini.set_faults(SLOW)
    house.discord.say(thread, content="tell me 300 words #q-1", user="Mina")
    shown = await begun(house, thread, after=1)
    await pressed(house, shown, "stop")
    house.gemini.set_faults([])
    before = len(house.said(thread))
    await pressed(house, message(house, thread, shown["id"]), "more")
    assert len(house.said(thread)) > before
    assert "more" not in buttons(message(house, thread, shown["id"]))
    assert "where you stopped" in turns(house)[-1][1]
    whole = "".join(m["content"] for m in house.said(thread)[1:])
    assert "Key " in whole, "the end of the answer is there"


async def test_a_message_sent_while_continue_waits_has_an_answer_of_its_own(house):
    """It does not become part of the order to go on, which waits until another answer has ended."""
    thread = await open_thread(house)
    house.gemini.set_faults(SLOW)
    house.discord.say(thread, content="tell me 300 words #q-1", user="Mina")
    shown = await begun(house, thread, after=1)
    await pressed(house, shown, "stop")
    house.discord.say(thread, content="and 100 words #q-2", user="Mina")
    running = await begun(house, thread, after=2)
    await press(house, message(house, thread, shown["id"]), "more")
    await until(lambda: "more" not in buttons(message(house, thread, shown["id"])))
    house.discord.say(thread, content="what of whales #q-3", user="Mina")
    assert labels(message(house, thread, running["id"])) == ["Stop"], "the answer that both wait for still runs"
    house.gemini.set_faults([])
    await until(
        lambda: any("Answer to #q-3" in m["content"] for m in house.said(thread)) and not house.bot.running.count
    )
    asked = [text for role, text in turns(house) if role == "user"]
    # whichever of the two was stored first
    order, question = sorted(asked[-2:], key=lambda text: "where you stopped" not in text)
    assert "where you stopped" in order
    assert "ended with: “…" in order, "it says which answer is meant"
    assert "#q-3" not in order
    assert "whales #q-3" in question
    assert "where you stopped" not in question


async def test_regenerate_replaces_the_answer_in_its_message_and_in_the_context(house):
    """The message stays one; the model is shown the new answer only; the old one is kept as an alternative."""
    thread = await open_thread(house)
    first = await answered(house, thread, "a word please #q-1")
    count = len(house.said(thread))
    await pressed(house, first, "again")
    assert len(house.said(thread)) == count
    assert "#q-1" in message(house, thread, first["id"])["content"]
    assert len(house.generated()) == 2
    assert [role for role, _ in turns(house)] == ["user"], "an answer is not shown to itself"
    turn = await house.storage.conversations.turn_of_answer(int(first["id"]))
    assert turn is not None
    assert turn.attempt == 1
    assert len(await house.storage.conversations.replaced_answers(turn.id)) == 1
    await house.reply(thread, "next #q-2")
    assert [role for role, _ in turns(house)] == ["user", "model", "user"]


async def test_a_long_answer_that_becomes_short_leaves_no_message_behind(house):
    """Messages that the new answer does not need are deleted."""
    thread = await open_thread(house)
    first = await answered(house, thread, "600 words #q-1")
    last = house.said(thread)[-1]
    assert last["id"] != first["id"]
    assert list(buttons(last)) == ["again", "branch"], "the buttons stand under the last message"
    source = next(m for m in house.discord.messages(thread) if m["content"] == "600 words #q-1")
    house.discord.edit_message(source["id"], content="short now #q-2", user="Mina")
    await until(lambda: "#q-2" in message(house, thread, first["id"])["content"] and not house.bot.running.count)
    assert house.said(thread)[-1]["id"] == first["id"]


async def test_a_failed_regeneration_brings_the_old_answer_back(house):
    """The text that was there stands again, with the sentence under it, and stays part of the context."""
    thread = await open_thread(house)
    first = await answered(house, thread, "a word please #q-1")
    house.gemini.set_faults([{"kind": "400"}])
    await pressed(house, first, "again")
    house.gemini.set_faults([])
    after = message(house, thread, first["id"])["content"]
    assert "#q-1" in after
    assert "-# " in after
    await house.reply(thread, "next #q-2")
    assert [role for role, _ in turns(house)] == ["user", "model", "user"]


async def test_a_failed_answer_can_be_asked_for_again(house):
    """Under a failure stands the button that tries once more, in the same message."""
    thread = await open_thread(house)
    house.gemini.set_faults([{"kind": "400"}])
    failed = await answered(house, thread, "a word please #q-1")
    house.gemini.set_faults([])
    assert list(buttons(failed)) == ["again"]
    await pressed(house, failed, "again")
    assert "#q-1" in message(house, thread, failed["id"])["content"]


async def test_branch_opens_a_thread_that_knows_all_up_to_there(house):
    """What was said later is not known there, and the old thread goes on by itself."""
    thread = await open_thread(house)
    await answered(house, thread, "my cat is Mimi #q-1")
    second = await answered(house, thread, "my dog is Rex #q-2")
    await answered(house, thread, "my cow is Bess #q-3")
    [told] = await pressed(house, second, "branch")
    assert told["flags"] & EPHEMERAL
    branch = next(t["id"] for t in house.discord.state()["threads"] if t["id"] != thread)
    assert f"<#{branch}>" in told["content"]
    await house.reply(branch, "which animals? #q-4")
    known = str(turns(house))
    assert "Mimi" in known
    assert "Rex" in known
    assert "Bess" not in known
    assert [role for role, _ in turns(house)] == ["user", "model", "user", "model", "user"]


async def test_an_answer_in_a_channel_branches_into_its_own_thread(house):
    """The thread hangs on the answer's message, and every message there is answered."""
    answer = await house.answer("ask", options={"prompt": "name a tree #q-1"})
    [told] = await pressed(house, answer, "branch")
    [thread] = house.discord.state()["threads"]
    assert thread["id"] == answer["id"]
    assert f"<#{thread['id']}>" in told["content"]
    await house.reply(thread["id"], "another #q-2")
    assert "name a tree" in turns(house)[0][1]


async def test_others_may_not_press_and_are_told_so_alone(house):
    """Ada neither asked nor opened the thread; the answer stays as it is."""
    thread = await open_thread(house)
    answer = await answered(house, thread, "a word please #q-1")
    for action in ("again", "branch"):
        [told] = await pressed(house, answer, action, user="小美")
        assert told["flags"] & EPHEMERAL
        assert "提問者" in told["content"]
    assert len(house.generated()) == 1


async def test_who_opened_the_thread_may_press_under_others_answers(house):
    """Mina opened the thread; 小美 asked in it."""
    thread = await open_thread(house)
    answer = await house.reply(thread, "a word please #q-1", user="小美")
    await pressed(house, answer, "again", user="Mina")
    assert len(house.generated()) == 2


async def test_buttons_work_after_a_restart(house):
    """All that a button knows is in its id."""
    thread = await open_thread(house)
    answer = await answered(house, thread, "a word please #q-1")
    await house.stop()
    await house.start()
    await pressed(house, answer, "again")
    assert len(house.generated()) == 2
    assert house.said(thread)[-1]["id"] == answer["id"]


async def test_a_button_of_a_forgotten_question_says_so(house):
    """What was deleted cannot be asked again."""
    thread = await open_thread(house)
    answer = await answered(house, thread, "a word please #q-1")
    await house.storage.privacy.forget_user(house.user_id("Mina"))
    [told] = await pressed(house, answer, "again")
    assert "not stored any more" in told["content"]


async def test_two_presses_make_one_new_answer(house):
    """The second press finds the answer being written, and is told so alone."""
    thread = await open_thread(house)
    answer = await answered(house, thread, "a word please #q-1")
    presses = [await press(house, answer, "again") for _ in range(2)]
    await until(lambda: len(house.generated()) == 2 and not house.bot.running.count)
    told = [r for one in presses for r in (await house.discord.interaction(one))["responses"]]
    assert ["still being written" in one["content"] for one in told] == [True]
    assert "stop" not in buttons(message(house, thread, answer["id"]))


@pytest.mark.parametrize(("locale", "label"), [("zh-TW", "重新產生"), ("ru", "Заново"), ("ko", "다시 생성")])
async def test_buttons_speak_the_askers_language(house, locale, label):
    """Whoever asked reads the labels in their own language."""
    answer = await house.answer("ask", options={"prompt": "x #q-1"}, locale=locale)
    assert label in labels(answer)


async def test_an_answer_that_another_process_writes_cannot_be_stopped_from_here(house):
    """Whoever presses Stop is told so, instead of hearing that nothing is being written."""
    house.gemini.set_faults([{"kind": "hang"}])
    place = house.channel("general")
    house.discord.invoke(place, name="ask", options={"prompt": "slow #q-1"}, user="Mina")
    await until(house.generated)
    [turn] = await house.storage.conversations.unfinished()
    answering = house.conversations._running.pop(turn.id)
    try:
        conversation = await house.conversations.get(turn.conversation_id)
        told = await house.bot.get_cog("ButtonsCog")._act(None, "stop", turn, conversation)
        assert told == "chat.runs_elsewhere"
    finally:
        house.conversations._running[turn.id] = answering
        answering.stop()
    await until(lambda: not house.bot.running.count)
