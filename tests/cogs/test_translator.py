"""Commands in every language: complete, valid, and with the names people were promised."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from babel.messages.pofile import read_po

from cogs import make_bot
from cogs.insight import Insight
from cogs.translator import CatalogueTranslator, message_id_of
from utils.conversations.fairness import FairUse
from utils.i18n import catalogue_files

#: Discord's rule for names of commands and options.
NAME = re.compile(r"[-_'\w]{1,32}")
LOCALES = {"en-US", "en-GB", "zh-TW", "zh-CN", "ko", "id", "ru"}


class Nothing:
    """Stands for parts that no command touches while it is being described."""

    async def inherit(self) -> None:
        """Take over nothing: the one thing that is done when the cogs are loaded."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was used")


class Recorder(CatalogueTranslator):
    """The translator, which notes the ids that it is asked for."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    async def translate(self, string, locale, context):
        """Note the id and translate."""
        message_id = message_id_of(string, context)
        if message_id is not None:
            self.ids.add(message_id)
        return await super().translate(string, locale, context)


@pytest.fixture(scope="module")
def command_ids() -> set[str]:
    """Give the ids of the commands' texts in the catalogue."""
    return {
        str(message.id)
        for path in catalogue_files("en")
        for message in read_po(io.BytesIO(path.read_bytes()), locale="en")
        if str(message.id).startswith("command.")
    }


@pytest.fixture
def recorder() -> Recorder:
    """Give the translator of the commands."""
    return Recorder()


@pytest.fixture
async def payload(recorder):
    """Give every command as Discord would get it, by its default name."""
    nothing: Any = Nothing()
    bot = make_bot(
        nothing,
        nothing,
        nothing,
        preferences=nothing,
        personas=nothing,
        custody=nothing,
        insight=Insight(nothing, nothing, nothing),
        fair=FairUse(nothing),
        admin_ids=(),
        default_model="m",
        reads_content=True,
    )
    # the cogs are made in setup_hook, which would also talk to Discord
    for cog in bot._make_cogs(bot):
        await bot.add_cog(cog)
    commands = [await command.get_translated_payload(bot.tree, recorder) for command in bot.tree.get_commands()]
    yield {command["name"]: command for command in commands}
    await bot.close()


def parts(command: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give a command and everything in it that has a name: groups, subcommands, options, choices."""
    yield command
    # a choice that is called alike in every language, such as the name of one, is not translated
    translated = [choice for choice in command.get("choices", []) if "name_localizations" in choice]
    for inner in [*command.get("options", []), *translated]:
        yield from parts(inner)


async def test_the_commands_are_exactly_these(payload):
    """Every command of the bot is listed, and nothing else is."""
    assert set(payload) == {
        "ask",
        "chat",
        "ai-art",
        "image",
        "speak",
        "Transcribe",
        "pool-stats",
        "api-key-stats",
        "reset-pool",
        "reset-api-stats",
        "persona",
        "model",
        "keys",
        "my-data",
        "settings",
        "usage",
        "help",
        "limits",
        "why",
        "doctor",
        "Why this answer?",
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
        for part in parts(command):
            localized = part["name_localizations"]
            assert set(localized) >= LOCALES, part["name"]
            assert localized["en-US"] == part["name"]
            is_prose = command["type"] != 1 or "value" in part
            if is_prose:
                assert all(1 <= len(name) <= (100 if "value" in part else 32) for name in localized.values())
                continue
            assert all(NAME.fullmatch(name) and name == name.lower() for name in localized.values()), localized
            assert part["description_localizations"]["en-US"] == part["description"]
            assert set(part["description_localizations"]) >= LOCALES
            assert all(0 < len(text) <= 100 for text in part["description_localizations"].values())
            assert not any(text.startswith("command.") for text in part["description_localizations"].values())


async def test_no_two_names_are_alike_in_any_language(payload):
    """Siblings of one name cannot be told apart, and Discord refuses them."""
    for level in [list(payload.values()), *(p.get("options", []) for c in payload.values() for p in parts(c))]:
        for locale in LOCALES:
            names = [
                (part.get("type") if level and "contexts" in part else None, part["name_localizations"][locale])
                for part in level
            ]
            assert len(names) == len(set(names)), names


async def test_a_command_with_its_longest_texts_fits_discords_limit(payload):
    """Discord counts, of each name, description and value, the longest language; 8,000 characters a command."""
    for command in payload.values():
        total = 0
        for part in parts(command):
            total += max(len(text) for text in part["name_localizations"].values())
            total += max((len(text) for text in part.get("description_localizations", {}).values()), default=0)
            total += len(str(part.get("value", "")))
        assert total <= 8000, command["name"]


async def test_no_text_of_a_command_is_left_over(payload, recorder, command_ids):
    """Texts of commands that no longer exist are not carried along."""
    assert payload
    assert command_ids == {message_id for message_id in recorder.ids if message_id.startswith("command.")}


async def test_where_commands_may_be_used(payload):
    """Threads and administration are for servers; admin commands are hidden from those who cannot manage one."""
    manage_guild = str(1 << 5)
    for name in ("pool-stats", "api-key-stats", "reset-pool", "reset-api-stats", "settings", "limits", "doctor"):
        assert payload[name]["contexts"] == [0]
        assert str(payload[name]["default_member_permissions"]) == manage_guild
    assert payload["chat"]["contexts"] == [0]
    for name in ("ask", "Ask Gemini"):
        assert sorted(payload[name]["contexts"]) == [0, 1, 2]
    of_users = {name for name, command in payload.items() if sorted(command["integration_types"]) == [0, 1]}
    assert of_users == {"ask", "Ask Gemini", "Why this answer?", "my-data", "usage", "help"}
    assert all(payload[name]["integration_types"] == [0] for name in payload.keys() - of_users)
