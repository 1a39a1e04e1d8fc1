"""``/help``: how to talk with the bot, and the commands its reader may use here, in the reader's language.

The list is read from the command tree, so that no command is forgotten and none is promised that Discord would not
offer at this place to this person. What always holds: the answer is for the asker alone, and costs no question.
"""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.translator import shown_text
from utils.i18n import translate

_MOST_FIELD = 1024
_Command = app_commands.Command[Any, ..., Any] | app_commands.Group


class HelpCog(commands.Cog):
    """`/help`."""

    def __init__(self, tree: app_commands.CommandTree[Any], *, reads_content: bool) -> None:
        self._tree = tree
        self._reads_content = reads_content

    @app_commands.command(name="help", description="Show what the bot can do for you here")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def help(self, interaction: discord.Interaction) -> None:
        """Show what its reader may use."""
        locale = str(interaction.locale)
        offered = [command for command in self._commands() if _is_offered(command, interaction)]
        embed = discord.Embed(title=translate("help.title", locale), description=self._talk(locale))
        groups = (
            ("help.everybody", [command for command in offered if command.default_permissions is None]),
            ("help.managers", [command for command in offered if command.default_permissions is not None]),
        )
        for heading, listed in groups:
            name = translate(heading, locale)
            for text in _fields([_line(command, locale) for command in listed]):
                embed.add_field(name=name, value=text, inline=False)
                name = "\N{ZERO WIDTH SPACE}"
        await interaction.response.send_message(embed=embed, ephemeral=True)

    def _talk(self, locale: str) -> str:
        ways = ["help.talk.chat", *(["help.talk.mention"] if self._reads_content else []), "help.talk.menu"]
        return "\n".join(f"- {translate(way, locale)}" for way in ways)

    def _commands(self) -> list[_Command]:
        return sorted(self._tree.get_commands(type=discord.AppCommandType.chat_input), key=lambda one: one.name)


def _is_offered(command: _Command, interaction: discord.Interaction) -> bool:
    """Whether Discord offers the command to the reader at this place, as far as the bot's own declaration goes."""
    contexts = command.allowed_contexts
    here = interaction.context
    if contexts is not None and not (
        (here.guild and contexts.guild)
        or (here.dm_channel and contexts.dm_channel)
        or (here.private_channel and contexts.private_channel)
    ):
        return False
    needed = command.default_permissions
    return needed is None or (interaction.guild_id is not None and interaction.permissions.is_superset(needed))


def _line(command: _Command, locale: str) -> str:
    return f"`/{shown_text(command, 'name', locale)}` {shown_text(command, 'description', locale)}"


def _fields(lines: list[str]) -> list[str]:
    """Put lines together into texts that a field can hold."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= _MOST_FIELD:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return texts
