"""`/why` and "Why this answer?": who reads what, of which answers, and what is said when nothing is kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cogs.conftest import House
from tests.cogs.people import EPHEMERAL, command
from tests.cogs.pool_watch import ToldWatch, ToldWay, Tried
from tests.cogs.talk import open_thread

WAY = "Attempt 1 went to Key #7 of alpha.\nIt answered after 0.5 s: 3 tokens in, 5 out."


async def turn_id(house: House) -> int:
    """Give the newest turn's id."""
    answered = house.said(house.channel("general"))[-1]
    turn = await house.conversations.turn_of_answer(int(answered["id"]))
    assert turn is not None
    return turn.id


async def watched(house: House) -> ToldWatch:
    """Start the house with a pool that keeps what it is told, ask a question, and tell its way."""
    watch = ToldWatch()
    await house.start(watch=watch)
    await house.answer("ask", options={"prompt": "one #q-1"})
    name = f"turn-{await turn_id(house)}"
    watch.ways += [ToldWay("turn-1"), ToldWay(name, waited_s=2.25, attempts=(Tried(), Tried(), Tried()))]
    watch.explanations[name] = WAY
    return watch


def text(answer: dict[str, Any]) -> str:
    return str(answer["embeds"][0]["description"])


async def test_members_read_a_plain_sentence_without_keys(made):
    """Which model, how long, what stood in the way; for the asker alone."""
    await watched(made)
    answer = await command(made, "why", user="Mina")
    assert answer["flags"] & EPHEMERAL
    assert text(answer).startswith("`gemini-4-hydrogen` answered within ")
    assert "waited 2.2 s" in text(answer)
    assert "2 attempts failed before" in text(answer)
    assert "Key #" not in str(answer)


async def test_administrators_read_the_way_with_the_labels_of_keys(made):
    """The pool's own sentences stand under the plain one, with when it was asked and the tokens."""
    await watched(made)
    answer = await command(made, "why", user="Ada")
    assert text(answer).endswith("".join(f"\n- {step}" for step in WAY.splitlines()))
    assert [field["name"] for field in answer["embeds"][0]["fields"]] == ["Asked", "Tokens, in → out"]


async def test_the_pool_itself_tells_the_way_of_an_answer(house):
    """Asked of the real pool: which key answered, and how it was chosen."""
    await house.answer("ask", options={"prompt": "one #q-1"})
    name = f"turn-{await turn_id(house)}"
    answer = await command(house, "why", user="Ada")
    assert "Key #1" in text(answer)
    assert name in {record.id for record in house.pool.records()}


async def test_the_menu_explains_the_answer_it_is_used_on_and_the_question_it_answers(made):
    """Also for people in another language."""
    await watched(made)
    target = made.said(made.channel("general"))[-1]["id"]
    answer = await command(made, "Why this answer?", user="Ada", target=target, locale="zh-TW")
    assert "秒內回答" in text(answer)
    assert answer["embeds"][0]["title"] == "為什麼這樣回答？"
    thread = await open_thread(made)
    made.discord.say(thread, content="two #q-2", user="Mina")
    await made.reply(thread, "three #q-3")
    question = next(m for m in made.discord.messages(thread) if "#q-3" in m["content"])
    answer = await command(made, "Why this answer?", user="Mina", target=question["id"], channel_id=thread)
    assert "answered within" in text(answer)


async def test_older_answers_are_counted_from_the_newest(house):
    """Each answer counts once, those of other channels not at all."""
    for number in (1, 2):
        await house.answer("ask", options={"prompt": f"question #q-{number}"})
    second = await command(house, "why", options={"last": 2}, user="Ada")
    first = await command(house, "why", options={"last": 1}, user="Ada")
    assert "answered within" in text(first)
    assert "answered within" in text(second)
    third = await command(house, "why", options={"last": 3}, user="Ada")
    assert "no answer of mine here" in third["content"]
    elsewhere = await command(house, "why", user="Ada", channel_id=house.channel("questions"))
    assert "no answer of mine here" in elsewhere["content"]


async def test_what_the_pool_no_longer_keeps_is_told_by_what_is_stored(house):
    """After a restart the stored turn still says model and time."""
    await house.answer("ask", options={"prompt": "one #q-1"})
    await house.stop()
    await house.start()
    answer = await command(house, "why", user="Ada")
    assert "`gemini-4-hydrogen` answered within" in text(answer)
    assert "is not kept" in text(answer)


async def test_a_question_without_an_answer_says_why(house):
    """The reason is in words a member understands."""
    house.gemini.set_faults([{"kind": "leaked", "keys": [state["label"] for state in house.gemini.state()]}])
    await house.answer("ask", options={"prompt": "one #q-1"})
    answer = await command(house, "why", user="Mina")
    assert text(answer) == "There is no answer, because no key was accepted."


@pytest.mark.parametrize("said_by", ["Mina", "bot"])
async def test_a_message_that_is_no_answer_is_said_to_be_none(house, said_by):
    """The menu stands on every message."""
    if said_by == "bot":
        await open_thread(house)
        [thread] = house.discord.state()["threads"]
        where, target = str(thread["id"]), house.said(thread["id"])[0]["id"]
    else:
        where = house.channel("general")
        target = house.discord.say(where, content="hello", user="Mina")["id"]
    answer = await command(house, "Why this answer?", user="Mina", target=target, channel_id=where)
    assert "no answer of mine" in answer["content"]


async def test_a_channel_that_cannot_be_searched_leads_to_the_menu(house):
    """Without the right to read the history there is a sentence, and no refused request is repeated."""
    await house.answer("ask", options={"prompt": "one #q-1"})
    house.discord.take_permission(house.channel("general"), "READ_MESSAGE_HISTORY")
    answer = await command(house, "why", user="Mina")
    assert "open the menu on one" in answer["content"]
