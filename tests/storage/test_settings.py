"""What servers choose: set one by one, taken back, restricted, opened and forgotten; on both databases."""

from __future__ import annotations

import asyncio

from utils.storage import GuildSettings, SettingsChange, Storage


async def test_a_server_that_chose_nothing_has_no_choices(storage: Storage):
    """Everything is None and everybody may use everything."""
    found = await storage.settings.get(5)
    assert found == GuildSettings(5)
    assert found.admits("command", "ask", ())


async def test_a_change_leaves_what_it_does_not_name(storage: Storage):
    """Several changes add up, None takes one back, and another server has its own."""
    await storage.settings.change(5, {"model": "gemini-4-hydrogen", "safety": "high"})
    await storage.settings.change(5, {"language": "ko"})
    await storage.settings.change(5, {"safety": None})
    await storage.settings.change(5, {})
    await storage.settings.change(6, {"persona_id": 1})
    assert await storage.settings.get(5) == GuildSettings(5, model="gemini-4-hydrogen", language="ko")
    assert await storage.settings.get(6) == GuildSettings(6, persona_id=1)


async def test_changes_at_once_all_stay(storage: Storage):
    """No change is made of what was read before."""
    changes: tuple[SettingsChange, ...] = (
        {"model": "m"},
        {"safety": "low"},
        {"language": "ru"},
        {"alerts_channel_id": 3},
        {"persona_id": 4},
    )
    await asyncio.gather(*(storage.settings.change(5, change) for change in changes))
    found = await storage.settings.get(5)
    assert found == GuildSettings(5, "m", "low", persona_id=4, alerts_channel_id=3, language="ru")


async def test_roles_alone_may_use_what_is_restricted_until_it_is_opened(storage: Storage):
    """A second role adds to the first; a command and a model of one name are two things."""
    for role_id in (1, 2, 2):
        await storage.settings.restrict(5, "command", "ask", role_id)
    found = await storage.settings.get(5)
    assert found.access == {("command", "ask"): {1, 2}}
    assert [found.admits("command", "ask", roles) for roles in ((1,), (2, 9), (9,), ())] == [True, True, False, False]
    assert found.admits("model", "ask", ())
    assert await storage.settings.open_to_all(5, "command", "ask")
    assert not await storage.settings.open_to_all(5, "command", "ask")
    assert (await storage.settings.get(5)).admits("command", "ask", ())


async def test_channels_for_alerts_are_listed_by_server(storage: Storage):
    """Servers without one are left out."""
    await storage.settings.change(5, {"alerts_channel_id": 11})
    await storage.settings.change(6, {"model": "m"})
    assert await storage.settings.alert_channels() == {5: 11}


async def test_a_forgotten_server_has_chosen_nothing(storage: Storage):
    """Choices and restrictions go with the server, and with no other."""
    for guild_id in (5, 6):
        await storage.settings.change(guild_id, {"model": "m"})
        await storage.settings.restrict(guild_id, "model", "m", 1)
    await storage.privacy.forget_guild(5)
    assert await storage.settings.get(5) == GuildSettings(5)
    assert (await storage.settings.get(6)).model == "m"
