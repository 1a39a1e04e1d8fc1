"""What a question is asked with: a conversation's own choices, its persona, and its server's settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from utils.conversations.preferences import Preferences, persona_options, safety_options
from utils.storage import Conversation, Persona, Storage, open_storage

GUILD, OWNER, OTHER = 5, 7, 8


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    async with open_storage(str(tmp_path / "bot.db")) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def preferences(storage: Storage, clock: Clock) -> Preferences:
    return Preferences(storage.settings, storage.personas, clock=clock, fresh_s=60)


def conversation(guild_id: int | None = GUILD, **fields: Any) -> Conversation:
    """Give a conversation whose details do not matter."""
    given = {"model": None, "temperature": None, "instructions": None, "title": None, "created_at": 0.0, **fields}
    return Conversation(id=1, kind="thread", guild_id=guild_id, channel_id=11, owner_id=OWNER, **given)


async def pirate(storage: Storage, *, user_id: int = OWNER, guild_id: int | None = None) -> Persona:
    made = await storage.personas.create(user_id, name="Pirate", instructions="Say arr.", most=9)
    assert made is not None
    shared = await storage.personas.share(made, guild_id)
    assert shared is not None
    return shared


async def test_without_any_choice_nothing_is_added(preferences: Preferences):
    """The bot's defaults stay in force."""
    found = await preferences.guidance(conversation())
    assert (found.model, found.instructions, found.temperature, found.options) == (None, None, None, {})


async def test_a_conversations_own_choices_come_first(preferences: Preferences, storage: Storage):
    """The server's model and persona are for conversations that chose none."""
    servers, own = await pirate(storage, guild_id=GUILD), await pirate(storage)
    await preferences.change(GUILD, {"model": "servers", "persona_id": servers.id, "safety": "high"})
    found = await preferences.guidance(conversation())
    assert found.model == "servers"
    assert found.instructions is not None
    assert "Say arr." in found.instructions
    assert len(found.options["safety_settings"]) == 4
    chosen = conversation(
        model="own",
        instructions="Be brief.",
        temperature=0.5,
        options={"search": True, **persona_options(own, OWNER)},
    )
    found = await preferences.guidance(chosen)
    assert (found.model, found.temperature) == ("own", 0.5)
    assert found.instructions is not None
    assert found.instructions.startswith("Be brief.")
    assert '"Pirate"' in found.instructions
    assert set(found.options) == {"safety_settings", "tools"}
    none = conversation(options=persona_options(None, OWNER))
    assert (await preferences.guidance(none)).instructions is None


async def test_a_persona_follows_its_maker_only_where_the_maker_chose_it(preferences: Preferences, storage: Storage):
    """Somebody else's persona is used while it is shared with the server, and no longer."""
    hers = await pirate(storage, user_id=OTHER, guild_id=GUILD)
    chosen = conversation(options=persona_options(hers, OWNER))
    assert (await preferences.guidance(chosen)).instructions is not None
    await storage.personas.share(hers, None)
    preferences.persona_changed(hers.id)
    assert (await preferences.guidance(chosen)).instructions is None
    her_own = conversation(options=persona_options(hers, OTHER))
    assert (await preferences.guidance(her_own)).instructions is not None
    await storage.personas.delete(hers.id)
    preferences.persona_changed(hers.id)
    assert (await preferences.guidance(her_own)).instructions is None


async def test_direct_messages_have_no_server(preferences: Preferences, storage: Storage):
    """A personal persona works there; nothing of any server does."""
    own = await pirate(storage)
    found = await preferences.guidance(conversation(guild_id=None, options=persona_options(own, OWNER)))
    assert found.instructions is not None
    assert found.options == {}


async def test_changes_count_at_once_and_foreign_ones_after_a_while(
    preferences: Preferences, storage: Storage, clock: Clock
):
    """What another process stores is seen when what is remembered is no longer fresh."""
    assert (await preferences.guild(GUILD)).model is None
    await storage.settings.change(GUILD, {"model": "elsewhere"})
    assert (await preferences.guild(GUILD)).model is None
    clock.now = 60.0
    assert (await preferences.guild(GUILD)).model == "elsewhere"
    await preferences.change(GUILD, {"model": "here"})
    assert (await preferences.guild(GUILD)).model == "here"
    await preferences.restrict(GUILD, "command", "ask", 1)
    assert not (await preferences.guild(GUILD)).admits("command", "ask", ())
    assert await preferences.open_to_all(GUILD, "command", "ask")
    assert (await preferences.guild(GUILD)).admits("command", "ask", ())


async def test_what_changes_while_it_is_read_is_not_remembered(preferences: Preferences):
    """The reader gets what was there; the next one what is there now."""
    for number in range(20):
        await asyncio.gather(preferences.guild(GUILD), preferences.change(GUILD, {"model": f"m{number}"}))
        assert (await preferences.guild(GUILD)).model == f"m{number}"


async def test_the_language_is_known_without_waiting_once_it_was_read(preferences: Preferences):
    """Before that there is none."""
    await preferences.change(GUILD, {"language": "ko"})
    assert preferences.language(GUILD) is None
    await preferences.guild(GUILD)
    assert preferences.language(GUILD) == "ko"
    preferences.forget()
    assert preferences.language(GUILD) is None


@pytest.mark.parametrize(
    ("level", "threshold"),
    [("off", "OFF"), ("low", "BLOCK_ONLY_HIGH"), ("medium", "BLOCK_MEDIUM_AND_ABOVE"), ("high", "BLOCK_LOW_AND_ABOVE")],
)
def test_a_safety_level_sets_every_category(level, threshold):
    """A category that is left out would keep the service's own threshold."""
    settings = safety_options(level)["safety_settings"]
    assert {each["category"] for each in settings} == {
        "HARM_CATEGORY_HARASSMENT",
        "HARM_CATEGORY_HATE_SPEECH",
        "HARM_CATEGORY_SEXUALLY_EXPLICIT",
        "HARM_CATEGORY_DANGEROUS_CONTENT",
    }
    assert {each["threshold"] for each in settings} == {threshold}
    assert safety_options(None) == {}
