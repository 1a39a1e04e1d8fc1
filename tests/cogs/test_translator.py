"""Commands in every language: complete, valid, and with the names people were promised."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cogs import make_bot
from cogs.translator import CatalogueTranslator
from utils.i18n import languages

#: Discord's rule for names of commands and options.
NAME = re.compile(r"[-_\w]{1,32}")


class Nothing:
    """Stands for parts that no command touches while it is being described."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was used")


@pytest.fixture
async def payload():
    """Give every command as Discord would get it, by its default name."""
    nothing: Any = Nothing()
    bot = make_bot(nothing, nothing, nothing, admin_ids=(), default_model="m", reads_content=True)
    await bot.tree.set_translator(CatalogueTranslator())
    # the cogs are made in setup_hook, which would also talk to Discord
    for cog in bot._make_cogs(bot):
        await bot.add_cog(cog)
    translator = bot.tree.translator
    assert translator is not None
    commands = [await command.get_translated_payload(bot.tree, translator) for command in bot.tree.get_commands()]
    yield {command["name"]: command for command in commands}
    await bot.close()


async def test_the_commands_are_exactly_these(payload):
    """Every command of the bot is listed, and nothing else is."""
    assert set(payload) == {
        "ask",
        "chat",
        "ai-art",
        "pool-stats",
        "api-key-stats",
        "reset-pool",
        "reset-api-stats",
        "Ask Gemini",
    }


async def test_traditional_chinese_has_the_promised_names(payload):
    """These names are used by people who read Traditional Chinese."""
    names = {name: command["name_localizations"]["zh-TW"] for name, command in payload.items()}
    assert names["ai-art"] == "ai藝術"
    assert names["pool-stats"] == "連接池統計"
    assert names["api-key-stats"] == "api密鑰統計"
    assert names["reset-pool"] == "重置連接池"
    assert names["reset-api-stats"] == "重置api統計"
    [theme] = payload["ai-art"]["options"]
    assert theme["name_localizations"]["zh-TW"] == "主題"


async def test_every_text_is_there_in_every_language_and_valid(payload):
    """Names obey Discord's rule, descriptions have 1 to 100 characters, and the English ones equal the default."""
    for command in payload.values():
        for part in [command, *command.get("options", [])]:
            localized = part["name_localizations"]
            assert {"en-US", "en-GB", "zh-TW"} <= set(localized)
            assert localized["en-US"] == part["name"]
            is_menu = command["type"] != 1
            assert all(is_menu or (NAME.fullmatch(name) and name == name.lower()) for name in localized.values())
            if is_menu:
                continue
            assert part["description_localizations"]["en-US"] == part["description"]
            assert all(0 < len(text) <= 100 for text in part["description_localizations"].values())
            assert not any(text.startswith("command.") for text in part["description_localizations"].values())
    assert {"en", "zh_TW"} <= languages()


async def test_where_commands_may_be_used(payload):
    """Threads and administration are for servers; admin commands are hidden from those who cannot manage one."""
    manage_guild = str(1 << 5)
    for name in ("pool-stats", "api-key-stats", "reset-pool", "reset-api-stats"):
        assert payload[name]["contexts"] == [0]
        assert str(payload[name]["default_member_permissions"]) == manage_guild
    assert payload["chat"]["contexts"] == [0]
    assert sorted(payload["ask"]["contexts"]) == [0, 1]
    assert all(command["integration_types"] == [0] for command in payload.values())
