"""`/doctor`: who may use it, that a healthy bot is well, and that each fault has its line."""

from __future__ import annotations

import asyncio
import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from cogs.checkups import CheckUps, Finding, Level, Patient
from cogs.doctor import DoctorCog
from tests.cogs.conftest import House
from tests.cogs.people import EPHEMERAL, command
from utils.storage import DatabaseHealth, StorageBusyError


async def lines(house: House, *, user: str = "Ada", **more: Any) -> dict[str, str]:
    """Give the lines of the check-up by the names of the checks."""
    answer = await command(house, "doctor", user=user, **more)
    found: dict[str, str] = {}
    for line in answer["embeds"][0]["description"].splitlines():
        mark, _, rest = line.partition(" **")
        name, _, sentence = rest.partition("**: ")
        found[name] = f"{found.get(name, '')}{mark} {sentence}\n"
    return found


def doctor(house: House) -> Patient:
    """Give what the running bot's doctor looks at."""
    cog = house.bot.get_cog("DoctorCog")
    assert isinstance(cog, DoctorCog)
    return cog._patient


def change(house: House, **values: Any) -> None:
    """Change what the doctor looks at."""
    cog = house.bot.get_cog("DoctorCog")
    assert isinstance(cog, DoctorCog)
    cog._patient = dataclasses.replace(cog._patient, **values)


async def test_members_are_refused_even_where_a_server_shows_them_the_command(house):
    """The handler checks."""
    house.discord.faults.open_command("doctor")
    answer = await command(house, "doctor", user="Mina")
    assert answer["flags"] & EPHEMERAL
    assert "administrators" in answer["content"]
    assert answer["embeds"] == []


async def test_a_healthy_bot_is_well_in_every_point(house):
    """All checks are there, and only the missing channel for alerts is a remark."""
    answer = await command(house, "doctor", user="Ada")
    assert answer["flags"] & EPHEMERAL
    found = await lines(house)
    assert list(found) == [
        "Intents",
        "Permissions",
        "Commands",
        "Connection",
        "Keys",
        "Models",
        "Database",
        "Disk",
        "Encryption",
        "Clock",
        "Alerts",
        "Versions",
    ]
    assert "❌" not in str(found)
    # a machine under load may be slow, which is a remark
    assert {name for name, text in found.items() if "⚠️" in text} <= {"Alerts", "Connection", "Database"}
    assert "Google accepts 8 keys" in found["Keys"]
    assert "discord.py 2.7.1" in found["Versions"]


async def test_what_asking_about_keys_costs_is_nothing(house):
    """The keys are asked for their models, never for an answer; no count of the pool changes."""
    before = house.pool.get_api_key_stats()["total_requests"]
    await lines(house)
    assert house.pool.get_api_key_stats()["total_requests"] == before
    assert house.generated() == []


async def test_keys_that_google_refuses_are_named(house):
    """By label, with what to do."""
    label = house.gemini.state()[2]["label"]
    house.gemini.set_faults([{"kind": "leaked", "keys": [label]}])
    found = await lines(house)
    assert "✅ Google accepts 7 keys" in found["Keys"]
    assert f"❌ Google refuses 1 key (`{label}`); replace it" in found["Keys"]
    assert not any(secret.rpartition(":")[2] in str(found) for secret in house.gemini.key_specs())


async def test_missing_permissions_are_named_for_the_channel(house):
    """With where to grant them."""
    house.discord.take_permission(house.channel("general"), "ATTACH_FILES", "EMBED_LINKS")
    found = await lines(house)
    assert "❌ missing in this channel: embed links, attach files" in found["Permissions"]


async def test_commands_that_discord_does_not_know_are_named(house):
    """A bot whose commands were taken away says to start it again."""
    house.bot.tree.remove_command("ai-art")
    found = await lines(house)
    assert "❌ Discord knows others (`ai-art`)" in found["Commands"]


async def test_reading_messages_may_be_off_on_purpose(made):
    """That is a remark with what to do, not a fault."""
    await made.start(reads_content=False)
    assert "⚠️ the bot reads only messages that mention it" in (await lines(made))["Intents"]


async def test_the_channel_for_alerts_is_checked(house):
    """None chosen, chosen, forbidden, gone."""
    assert "⚠️" in (await lines(house))["Alerts"]
    await command(house, "settings set", options={"alerts": house.channel("questions")}, user="Ada")
    assert (await lines(house))["Alerts"] == f"✅ posted in <#{house.channel('questions')}>\n"
    house.discord.take_permission(house.channel("questions"), "SEND_MESSAGES")
    assert "❌ the bot lacks in" in (await lines(house))["Alerts"]
    house.discord.delete_channel(house.channel("questions"))
    assert "❌ the chosen channel is gone" in (await lines(house))["Alerts"]


@pytest.mark.parametrize(
    ("default", "listed", "expected"),
    [
        ("gemini-pro", ("m",), "⚠️ `gemini-pro` is retired and `gemini-3.8-flash` answers instead"),
        ("nonsense", ("m",), "❌ Gemini does not offer `nonsense`; choose another one with `GEMINI_MODEL`"),
        ("m", (), "⚠️ Gemini has not told which there are yet"),
        ("m", ("m",), "✅ Gemini offers 1"),
    ],
)
async def test_models_that_are_retired_or_unknown_are_named(house, default, listed, expected):
    """The successor stands beside a retired name."""
    change(house, default_model=default, model_names=lambda: listed)
    assert expected in (await lines(house))["Models"]


async def test_a_model_that_the_server_chose_is_checked_too(house):
    """It may have been retired since."""
    await house.preferences.change(int(house.discord.guild_id), {"model": "gemini-1.5-pro"})
    assert "choose that with `/settings set`" in (await lines(house))["Models"]


@pytest.mark.parametrize(("off", "mark"), [(0.0, "✅"), (3600.0, "❌ +36"), (-3600.0, "❌ -36")])
async def test_a_clock_that_is_off_is_told(house, off, mark):
    """Discord's own clock made the interaction's id."""
    wall = doctor(house).wall
    change(house, wall=lambda: wall() + off)
    assert (await lines(house))["Clock"].startswith(mark)


HEALTHY = DatabaseHealth("SQLite 3", "0005", 1024**2, 10 * 1024**3, 0.001, 0.001)


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (
            HEALTHY,
            "✅ `SQLite 3` writes within 1 ms; schema 0005, 1.0 MiB\n✅ 10,240 MiB are free on the database's disk\n",
        ),
        (dataclasses.replace(HEALTHY, write_s=1.9), "⚠️ `SQLite 3` is slow (1900 ms"),
        (dataclasses.replace(HEALTHY, free_bytes=500 * 1024**2), "⚠️ only 500 MiB are free"),
        (dataclasses.replace(HEALTHY, free_bytes=5 * 1024**2), "❌ only 5 MiB are free"),
        (dataclasses.replace(HEALTHY, free_bytes=None), "✅ `SQLite 3` writes"),
        (StorageBusyError("secret detail"), "❌ The bot cannot reach its database"),
    ],
)
async def test_what_the_database_says_becomes_lines(house, health, expected):
    """Slow, almost full, gone: each with what to do, and no detail of the error."""

    class Health:
        async def look(self) -> DatabaseHealth:
            found: DatabaseHealth | Exception = health
            if isinstance(found, Exception):
                raise found
            return found

    change(house, health=Health())
    found = await lines(house)
    assert expected in found["Database"] + found.get("Disk", "")
    assert ("Disk" in found) == (getattr(health, "free_bytes", None) is not None)
    assert "secret detail" not in str(found)
    assert "Google accepts" in found["Keys"]


async def test_a_check_that_hangs_is_given_up_alone(house):
    """The others give their answers."""

    class Health:
        async def look(self) -> DatabaseHealth:
            await asyncio.Event().wait()
            raise AssertionError

    patient = dataclasses.replace(doctor(house), health=Health())
    interaction: Any = SimpleNamespace(
        locale="en-US",
        created_at=SimpleNamespace(timestamp=patient.wall),
        guild_id=None,
        guild=None,
        app_permissions=house.bot.guilds[0].me.guild_permissions,
    )
    found = await CheckUps(patient, interaction, timeout_s=0.3).all()
    said: dict[str, Finding] = {finding.name: finding for finding in found}
    assert said["Database"].level is Level.BAD
    assert "no answer within 0 s" in said["Database"].sentence
    assert said["Encryption"].level is Level.GOOD


async def test_readers_of_other_languages_are_answered_in_theirs(house):
    """Names of checks and sentences."""
    found = await lines(house, locale="ru")
    assert "Google принимает 8 ключей" in found["Ключи"]
