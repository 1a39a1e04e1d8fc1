"""Nasty answers, end to end: streamed by the emulated Gemini, shown in the emulated Discord, and nobody pinged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.discord.limits import DiscordLimits
from tests.cogs.conftest import House
from tests.rendering.nasty import NASTY, open_fence
from utils.rendering.graphemes import units
from utils.rendering.splitting import MESSAGE_LIMIT, split
from utils.rendering.writer import MAX_MESSAGES

#: All mentions, all odd ones, and one of each kind of fence and border.
BATCH = [name for name in NASTY if name.startswith(("mention", "odd")) or name.endswith((", long", "within nul"))]
PARTS = 3


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Give a running house in which nobody waits for Discord's rate limits."""
    house = House(tmp_path, discord_limits=DiscordLimits(bucket_scale=0))
    await house.open()
    try:
        await house.start()
        yield house
        await house.stop()
        assert house.discord.violations() == []
    finally:
        await house.close()


def filled(house: House, text: str) -> str:
    """Put people and roles that exist into the mentions of a text."""
    role = next(role["id"] for role in house.discord.state()["roles"] if role["name"] == "Member")
    return text.replace("{user}", str(house.user_id("Dewi"))).replace("{role}", role)


def watched(house: House, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect every state of every message of the bot's from now on."""
    states: list[dict[str, Any]] = []
    publish = house.discord._bus.publish

    def note(kind: str, data: dict[str, Any]) -> None:
        if kind in {"message_create", "message_update"} and data["author"]["bot"]:
            states.append(data)
        publish(kind, data)

    monkeypatch.setattr(house.discord._bus, "publish", note)
    return states


async def said(house: House, number: int, text: str) -> list[dict[str, Any]]:
    """Have a text said, by a command or to a mention by turns; gives the bot's messages."""
    question = f"say it #q-nasty{number}"
    house.gemini.say(f"#q-nasty{number}", text)
    place = house.channel("general")
    before = len(house.said(place))
    if number % 2:
        await house.invoke("ask", options={"prompt": question})
    else:
        await house.reply(place, f"{house.mention} {question}")
    return house.said(place)[before:]


@pytest.mark.parametrize("part", range(PARTS))
async def test_nobody_is_pinged_and_every_message_is_whole(house, monkeypatch, part):
    """Also in the states between; what is shown is the text, or a file that holds it.

    The emulator counts it as a violation when a request does not forbid the mentions that stand in its text.
    """
    states = watched(house, monkeypatch)
    for number, name in enumerate(BATCH[part::PARTS]):
        text = filled(house, NASTY[name])
        messages = await said(house, number, text)
        texts = [message["content"] for message in messages]
        if not text.strip():
            assert "answered with nothing" in texts[0], name
        elif len(split(text)) <= MAX_MESSAGES:
            assert texts == [one.strip() for one in split(text)], name
        else:
            [file] = messages[0]["attachments"]
            stored = house.discord._parts.hub.world.files[file["id"]]
            assert stored.content.decode() == text, name
    assert states
    for state in states:
        assert open_fence(state["content"]) is None
        assert units(state["content"]) <= MESSAGE_LIMIT
        assert (state["mentions"], state["mention_roles"], state["mention_everyone"]) == ([], [], False)
