"""Who may use which command and which model where a server has restricted them to roles.

``Gatekeeper`` is asked before a command runs, before a message is answered and when a model is chosen. What always
holds: whoever may administer the bot or manage the server passes, whatever the server wrote down, and without the
store being asked; a message counts as the command ``/chat``, a button or form as the command that it came of; what is
not restricted is for everybody, and so is a model that the server or the bot chose itself; ``/my-data`` cannot be
restricted, since what is stored about a person is that person's; other bots may use nothing. Restrictions are made in
``cogs.settings`` and remembered by ``utils.conversations.preferences``. Errors: the store's own.
"""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from cogs.admin import Administrators
from cogs.incoming import shown_name
from utils.conversations.limits import Refusal
from utils.conversations.preferences import Preferences
from utils.i18n import translate
from utils.storage import AccessKind, Conversation

#: What a message to the bot counts as.
_CHAT = "chat"
#: What no server can keep from anybody.
_EVERYBODYS = frozenset({"my-data"})
#: Why a message is not answered whose author may not talk with the bot.
MESSAGE_REFUSED = Refusal("access.command_refused", {"command": _CHAT})


class Gatekeeper:
    """Decides who may use what."""

    def __init__(self, preferences: Preferences, administrators: Administrators) -> None:
        self._preferences = preferences
        self._administrators = administrators

    async def refusal(self, interaction: discord.Interaction) -> str | None:
        """Give the sentence for a user who may not use this command here, or None."""
        if interaction.user.bot:
            return translate("access.bot_refused", str(interaction.locale))
        command = interaction.command
        return await self.command_refusal(interaction, restricted_name(command)) if command is not None else None

    async def command_refusal(self, interaction: discord.Interaction, name: str) -> str | None:
        """Give the sentence for a user who may not use the command of this name here, or None."""
        if name in _EVERYBODYS or await self._admits(interaction, "command", name):
            return None
        return translate("access.command_refused", str(interaction.locale), command=shown_name(name))

    async def turn_refusal(self, interaction: discord.Interaction, conversation: Conversation) -> str | None:
        """Give the sentence for a user who may not have anything answered in a conversation (any more), or None."""
        name = "ask" if conversation.kind == "ask" else _CHAT
        sentence = await self.command_refusal(interaction, name)
        return sentence or await self.model_refusal(interaction, conversation.model)

    async def model_refusal(self, interaction: discord.Interaction, model: str | None) -> str | None:
        """Give the sentence for a user who may not choose this model here, or None; None chooses nothing."""
        if model is None or await self._admits(interaction, "model", model):
            return None
        return translate("access.model_refused", str(interaction.locale), model=shown_name(model))

    async def admits_message(self, message: discord.Message, application: discord.AppInfo | None) -> bool:
        """Tell whether this message's author may talk with the bot here; ``application`` is the bot's own."""
        author = message.author
        if message.guild is None or self._manages(author, application):
            return True
        settings = await self._preferences.guild(message.guild.id)
        if settings.admits("command", _CHAT, frozenset()):
            return True
        if not isinstance(author, discord.Member):
            # a message that was looked up afterwards bears no roles
            member = await _member(message.guild, author.id)
            if member is None or self._manages(member, application):
                return member is not None
            author = member
        return settings.admits("command", _CHAT, role_ids(author))

    def _manages(self, author: discord.User | discord.Member, application: discord.AppInfo | None) -> bool:
        is_manager = isinstance(author, discord.Member) and author.guild_permissions.manage_guild
        return is_manager or self._administrators.runs(author, application)

    async def _admits(self, interaction: discord.Interaction, kind: AccessKind, name: str) -> bool:
        if interaction.guild_id is None or self._administrators.include(interaction):
            return True
        settings = await self._preferences.guild(interaction.guild_id)
        return settings.admits(kind, name, role_ids(interaction.user))


async def _member(guild: discord.Guild, user_id: int) -> discord.Member | None:
    try:
        return await guild.fetch_member(user_id)
    except (discord.HTTPException, discord.RateLimited, OSError):
        return None


def restricted_name(
    command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu,
) -> str:
    """Name the command that is restricted: the outermost group's, or what a menu's ``extras["access"]`` says."""
    if isinstance(command, app_commands.ContextMenu):
        return str(command.extras.get("access", command.name))
    return command.qualified_name.partition(" ")[0]


def restrictable(tree: app_commands.CommandTree[Any]) -> list[str]:
    """Name all commands that can be restricted, in alphabetical order."""
    names = {command.name for command in tree.get_commands(type=discord.AppCommandType.chat_input)}
    return sorted(names - _EVERYBODYS)


def role_ids(user: discord.User | discord.Member) -> frozenset[int]:
    """Give the ids of a member's roles; nobody else has any."""
    return frozenset(role.id for role in user.roles) if isinstance(user, discord.Member) else frozenset()
