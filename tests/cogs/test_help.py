"""``/help`` as people meet it: what they may use here, in their language, for their eyes alone."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from tests.cogs.conftest import House
from tests.cogs.people import EPHEMERAL, command


def text_of(message: dict[str, Any]) -> str:
    [embed] = message["embeds"]
    return "\n".join([embed["description"], *(f"{field['name']}\n{field['value']}" for field in embed["fields"])])


async def test_a_member_sees_what_members_may_use(house: House):
    """No command of administrators is named, and the answer asks Gemini nothing."""
    shown = await command(house, "help")
    assert shown["flags"] & EPHEMERAL
    text = text_of(shown)
    assert "`/ask` Ask Gemini a question" in text
    assert "Mention me" in text
    assert "/pool-stats" not in text
    assert "For who manages this server" not in text
    assert house.generated() == []


async def test_who_manages_the_server_sees_everything(house: House):
    """Every slash command of the tree is in it, once."""
    text = text_of(await command(house, "help", user="Ada"))
    for one in house.bot.tree.get_commands(type=discord.AppCommandType.chat_input):
        assert text.count(f"\n`/{one.name}` ") == 1, one.name
    assert "For who manages this server" in text


async def test_in_a_direct_message_only_what_works_there_is_named(house: House):
    """A chat thread cannot be opened in a direct message, a question can be asked."""
    text = text_of(await command(house, "help", user="Ada", channel_id=house.channel("Ada")))
    assert "`/ask` " in text
    assert "/settings" not in text


@pytest.mark.parametrize(("locale", "name"), [("zh-TW", "提問"), ("ko", "질문"), ("id", "tanya"), ("ru", "спросить")])
async def test_commands_are_named_as_their_reader_sees_them(house: House, locale, name):
    """Names and descriptions are those of the reader's catalogue."""
    text = text_of(await command(house, "help", locale=locale))
    assert f"`/{name}` " in text
    assert "`/ask`" not in text
