"""Everything that can be done with the bot, by everybody, everywhere: done, or refused and nothing changed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
from discord import app_commands

from cogs.controls import ACTIONS
from sandbox.discord.calling import Calling
from sandbox.discord.errors import ActionError
from sandbox.discord.limits import DiscordLimits
from sandbox.discord.people import People
from sandbox.discord.world import User
from tests.cogs.acting import Stage, people
from tests.cogs.conftest import House
from tests.cogs.permissions import ADMINISTRATION, COLUMNS, FILE, PARTS, ROWS, Row, document
from utils.i18n import translate

#: How the bot says that somebody may not do something.
REFUSALS = {
    "access.bot_refused": {},
    "access.command_refused": {"command": "@"},
    "admin.forbidden": {},
    "chat.not_yours": {},
    "keys.forbidden": {},
    "limits.forbidden": {},
    "persona.not_yours": {"name": "@"},
    "persona.unknown": {"name": "@"},
    "settings.forbidden": {},
    "thread.not_yours": {},
}
#: How it says that something cannot be done in a place.
NOWHERE = ("chat.no_branch", "chat.not_here", "chat.not_writable")


def pattern(message_id: str, values: dict[str, str]) -> str:
    return re.escape(translate(message_id, "en-US", **values)).replace("@", ".+")


async def done(stage: Stage, row: Row) -> str:
    """Do what a row says; gives the sign that the table should have."""
    before = await stage.footprint()
    try:
        said = await stage.act(row)
    except ActionError:
        return "-"
    assert "Something went wrong" not in said
    if said in {translate(message_id, "en-US") for message_id in NOWHERE}:
        return "-"
    if said and not any(re.fullmatch(pattern(*refusal), said) for refusal in REFUSALS.items()):
        return "y"
    assert await stage.footprint() == before, f"{row.title} was refused and done all the same"
    return "n"


@pytest.fixture
async def populated(tmp_path: Path) -> AsyncIterator[House]:
    """Give a running house whose people have the rights of the columns; nobody waits for Discord's rate limits."""
    house = House(tmp_path, discord_limits=DiscordLimits(bucket_scale=0))
    people(house)
    await house.open()
    try:
        await house.start()
        yield house
        await house.stop()
        assert house.discord.violations() == []
    finally:
        await house.close()


@pytest.mark.parametrize("column", COLUMNS)
async def test_everybody_gets_what_the_table_says_and_no_more(populated, monkeypatch, column):
    """Every command, menu, button and form, in every server's widest settings; what is refused changes nothing."""

    def bots_too(self: People, id_or_name: str) -> User:
        found = self._hub.world.find_user(id_or_name)
        assert found is not None
        return found

    monkeypatch.setattr(People, "user", bots_too)
    stage = Stage(populated, column)
    await stage.set_up()
    wrong = []
    for row in ROWS:
        sign = await done(stage, row)
        if sign != row.expects(column):
            wrong.append((row.title, sign, row.expects(column)))
        if sign == "-" and row.expected in ADMINISTRATION:
            with monkeypatch.context() as patch:
                patch.setattr(Calling, "_check_allowed", lambda *_: None)
                assert await done(stage, row) == "n", f"{row.title} lets in what Discord does not offer"
    assert wrong == []


def leaves(tree: app_commands.CommandTree[discord.Client]) -> set[str]:
    commands = {c.qualified_name for c in tree.walk_commands() if not isinstance(c, app_commands.Group)}
    menus = (
        *tree.get_commands(type=discord.AppCommandType.message),
        *tree.get_commands(type=discord.AppCommandType.user),
    )
    return commands | {menu.name for menu in menus}


async def test_every_command_has_a_row(house):
    """A new command is not forgotten in the table."""
    assert leaves(house.bot.tree) == {row.command for row in ROWS if row.command}


async def test_every_button_and_form_has_a_row(house):
    """Nor is a new button, menu or form; those of the bot are all made by cogs."""
    bases = (discord.ui.DynamicItem, discord.ui.Modal, discord.ui.View, discord.ui.LayoutView, discord.ui.Select)
    found = {each.__name__ for base in bases for each in base.__subclasses__() if each.__module__.startswith("cogs.")}
    assert found == set(PARTS)
    assert {f"own {action}" for action in ACTIONS} == set(PARTS["TurnButton"])
    assert {act for acts in PARTS.values() for act in acts} <= {row.act for row in ROWS}


def test_the_table_that_people_read_is_this_one():
    """``python -m tests.cogs.permissions`` writes it."""
    assert FILE.read_text(encoding="utf-8") == document()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_a_row_has_a_sign_for_every_column(row):
    """One letter each."""
    assert len(row.expected) == len(COLUMNS)
    assert set(row.expected) <= set("yn-")
