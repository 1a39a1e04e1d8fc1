"""Fair use as people meet it: refused kindly and for nothing, told what is left, widened by who may."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cogs.conftest import House, until
from tests.cogs.people import EPHEMERAL, command
from tests.cogs.talk import buttons, open_thread, pressed, settled
from tests.cogs.test_buttons import SLOW
from utils.conversations.fairness import OwnerLimits
from utils.storage import Amounts

SUBCOMMANDS = {
    "limits show": {},
    "limits set": {"whom": "members", "per_day": 3},
    "limits role": {"role": "Member", "times": 2},
    "limits clear": {"what": "roles"},
}


def owner(**user: int) -> OwnerLimits:
    return OwnerLimits(user=Amounts(**user))


def asked(house: House) -> int:
    return len(house.generated())


async def test_who_asks_too_much_is_told_alone_when_to_ask_again(made: House):
    """The refusal is kind, for one pair of eyes, and costs nothing; it holds over a restart and for nobody else."""
    await made.start(owner=owner(per_minute=2))
    for number in (1, 2):
        await made.answer("ask", options={"prompt": f"hello #q-{number}"})
    await made.stop()
    await made.start(owner=owner(per_minute=2))
    for _ in range(2):
        refused = await command(made, "ask", options={"prompt": "again #q-3"})
        assert refused["flags"] & EPHEMERAL
        assert re.fullmatch(
            r"You have reached your limit \(2 questions a minute\); ask again <t:\d+:R>\.", refused["content"]
        )
    assert asked(made) == 2
    used = {rule.amount: rule.used for rule in await made.fair.standing(made.user_id("Mina"), None)}
    assert used == {"per_minute": 2}
    answer = await command(made, "ask", options={"prompt": "me too #q-4"}, user="Dewi")
    assert "#q-4" in answer["content"]


async def test_everything_that_is_answered_counts(made: House):
    """A chat's first question, pictures in words, the menu, Regenerate; opening a chat alone asks nothing."""
    await made.start(owner=owner(per_day=4))
    mina = made.user_id("Mina")

    async def left() -> int:
        return (await made.fair.standing(mina, None))[0].left

    thread = await open_thread(made)
    assert await left() == 4
    answer = await made.reply(thread, "first #q-1")
    await made.answer("ai-art", options={"theme": "the sea #q-2"})
    assert await left() == 2
    menu = made.discord.say(made.channel("general"), content="What is this? #q-3", user="Dewi")
    await command(made, "Ask Gemini", target=menu["id"])
    shown = next(m for m in made.said(thread) if m["id"] == answer["id"])
    assert await pressed(made, shown, "again") == []
    assert (await left(), asked(made)) == (0, 4)
    shown = next(m for m in made.said(thread) if m["id"] == answer["id"])
    [told] = await pressed(made, shown, "again")
    assert told["flags"] & EPHEMERAL
    assert "4 questions a day" in told["content"]
    for name, options in (("ai-art", {"theme": "no"}), ("chat", {"prompt": "no"})):
        refused = await command(made, name, options=options)
        assert refused["flags"] & EPHEMERAL
        assert "reached your limit" in refused["content"]
    assert "again" in buttons(next(m for m in made.said(thread) if m["id"] == answer["id"]))
    assert asked(made) == 4


async def test_of_many_messages_too_many_one_is_refused_and_none_is_answered_later(made: House):
    """The first is answered with the sentence, the others are passed over, also at a restart."""
    await made.start(owner=owner(per_day=1))
    thread = await open_thread(made)
    await made.reply(thread, "first #q-1")
    before = len(made.said(thread))
    for number in range(2, 7):
        made.discord.say(thread, content=f"more #q-{number}", user="Mina")
    await settled(made)
    told = [m["content"] for m in made.said(thread)[before:]]
    assert len(told) == 1
    assert "reached your limit (1 question a day)" in told[0]
    await made.stop()
    await made.start()
    await settled(made)
    assert len(made.said(thread)) == before + 1
    assert not any("#q-2" in str(entry["turns"]) for entry in made.generated())


async def test_a_changed_question_counts_again(made: House):
    """Where nothing is left, the old answer stays and the author is told."""
    await made.start(owner=owner(per_day=2))
    thread = await open_thread(made)
    first = made.discord.say(thread, content="first #q-1", user="Mina")
    await until(lambda: any("#q-1" in m["content"] for m in made.said(thread)))
    await settled(made)
    made.discord.edit_message(first["id"], content="second #q-2", user="Mina")
    await until(lambda: any("#q-2" in m["content"] for m in made.said(thread)))
    await settled(made)
    made.discord.edit_message(first["id"], content="third #q-3", user="Mina")
    await until(lambda: any("reached your limit" in m["content"] for m in made.said(thread)))
    assert any("#q-2" in m["content"] for m in made.said(thread))
    assert not any("#q-3" in str(entry["turns"]) for entry in made.generated())


async def test_a_question_that_nobody_could_answer_is_given_back(made: House):
    """No key had quota: the person lost nothing."""
    await made.start(owner=owner(per_day=1))
    made.gemini.set_faults([{"kind": "429day"}])
    failed = await made.answer("ask", options={"prompt": "hello #q-1"})
    made.gemini.set_faults([])
    assert "quota" in failed["content"].lower() or "limit" in failed["content"].lower()
    [rule] = await made.fair.standing(made.user_id("Mina"), None)
    assert rule.used == 0


async def test_usage_shows_what_is_left_to_each_what_is_theirs(made: House):
    """A member sees their own; who runs the bot also the server's and everybody's."""
    limits = OwnerLimits(
        user=Amounts(per_minute=5, per_day=2, tokens=5000, micros=2_500_000),
        server=Amounts(per_day=30),
        total=Amounts(micros=90_000_000),
    )
    await made.start(owner=limits)
    await made.answer("ask", options={"prompt": "hello #q-1"})
    shown = await command(made, "usage")
    assert shown["flags"] & EPHEMERAL
    [embed] = shown["embeds"]
    lines = embed["description"].splitlines()
    assert lines[:2] == ["**4** left of 5 questions a minute", "**1** left of 2 questions a day"]
    assert re.fullmatch(r"\*\*4,\d\d\d\*\* left of 5,000 tokens a day", lines[2])
    assert re.fullmatch(r"\*\*\$2\.49\d+\*\* left of \$2\.50 a day", lines[3])
    [reset] = embed["fields"]
    assert re.search(r"<t:\d+00:R>", reset["value"])
    await made.answer("ask", options={"prompt": "hello #q-2"})
    [embed] = (await command(made, "usage", locale="ko"))["embeds"]
    assert re.fullmatch(r"\*\*0\*\* 남음 \(하루에 질문 2개\) · <t:\d+:R>", embed["description"].splitlines()[1])
    [embed] = (await command(made, "usage", user="Ada"))["embeds"]
    fields = {field["name"]: field["value"] for field in embed["fields"]}
    assert fields["This server"] == "**28** left of 30 questions a day"
    assert re.fullmatch(r"\*\*\$89\.\d\d\*\* left of \$90\.00 a day", fields["Everybody together"])


async def test_without_limits_usage_says_so(house: House):
    """Also in direct messages, where there is no server."""
    [embed] = (await command(house, "usage", channel_id=house.channel("Mina")))["embeds"]
    assert embed["description"] == "There is no limit: ask as much as you like."


@pytest.mark.parametrize("name", SUBCOMMANDS)
async def test_members_are_refused_even_where_a_server_shows_them_the_command(house: House, name: str):
    """The handler checks; nothing is changed."""
    house.discord.faults.open_command("limits")
    answer = await command(house, name, options=SUBCOMMANDS[name], user="Mina")
    assert answer["flags"] & EPHEMERAL
    assert "may manage this server" in answer["content"]
    limits = await house.fair.of_guild(int(house.discord.guild_id))
    assert (limits.members.per_day, limits.factors) == (None, {})


async def test_who_manages_the_server_sets_shows_and_clears_its_limits(made: House):
    """From the next question on; a role widens its holders' limits; cleared, the bot's own hold again."""
    await made.start(owner=owner(per_day=1))
    answer = await command(made, "limits set", options={"whom": "members"}, user="Ada")
    assert "left everything out" in answer["content"]
    options = {"whom": "members", "per_day": 2, "tokens": 0, "usd": 0.5}
    answer = await command(made, "limits set", options=options, user="Ada")
    assert answer["flags"] & EPHEMERAL
    assert "are stored" in answer["content"]
    await made.answer("ask", options={"prompt": "hello #q-1"})
    await made.answer("ask", options={"prompt": "hello #q-2"})
    refused = await command(made, "ask", options={"prompt": "no #q-0"})
    assert "2 questions a day" in refused["content"]
    answer = await command(made, "limits role", options={"role": "Member", "times": 1.5}, user="Ada")
    assert "1.5 times" in answer["content"]
    await made.answer("ask", options={"prompt": "hello #q-3"})
    refused = await command(made, "ask", options={"prompt": "no #q-0"})
    assert "3 questions a day" in refused["content"]
    [embed] = (await command(made, "limits show", user="Ada"))["embeds"]
    fields = {field["name"]: field["value"] for field in embed["fields"]}
    assert fields["Each member"].splitlines() == ["2 questions a day", "Tokens a day without limit", "$0.50 a day"]
    assert fields["All members together"] == "The bot's own limits hold."
    assert fields["Roles"].endswith("× 1.5")
    answer = await command(made, "limits role", options={"role": "Member", "times": 1}, user="Ada")
    assert "as much as others again" in answer["content"]
    for what in ("members", "server", "roles"):
        await command(made, "limits clear", options={"what": what}, user="Ada")
    refused = await command(made, "ask", options={"prompt": "no #q-0"})
    assert "1 question a day" in refused["content"]
    assert asked(made) == 3


async def test_a_server_that_is_used_up_refuses_all_its_members(made: House):
    """In direct messages they can still ask."""
    await made.start()
    await command(made, "limits set", options={"whom": "server", "per_day": 1}, user="Ada")
    await made.answer("ask", options={"prompt": "hello #q-1"})
    refused = await command(made, "ask", options={"prompt": "no #q-0"}, user="Dewi")
    assert "This server has reached its limit" in refused["content"]
    reply = await made.reply(made.channel("Dewi"), "here? #q-2", user="Dewi")
    assert "#q-2" in reply["content"]


async def test_an_answer_of_ones_own_comes_first_and_the_wait_is_shown(house: House):
    """The second question says what it waits for, and its message becomes the answer."""
    thread = await open_thread(house)
    house.gemini.set_faults(SLOW)
    house.discord.say(thread, content="tell me 300 words #q-1", user="Mina")
    await until(lambda: any("stop" in buttons(m) for m in house.said(thread)))
    direct = house.channel("Mina")
    house.discord.say(direct, content="and this? #q-2", user="Mina")
    waiting: Any = await until(lambda: next((m for m in house.said(direct)), None))
    assert waiting["content"] == "-# ⏳ Your other answer comes first"
    house.gemini.set_faults([])
    running = next(m for m in house.said(thread) if "stop" in buttons(m))
    await pressed(house, running, "stop")
    await until(lambda: "#q-2" in house.said(direct)[0]["content"])
    assert house.said(direct)[0]["id"] == waiting["id"]
