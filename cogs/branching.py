"""A new thread that begins with all that was said up to an answer.

``Branching.branch`` opens it: from the answer's own message in a channel, beside it where the answer stands in a
thread. What always holds: whether a thread can be opened is judged by what Discord says the bot may do, before it is
tried; nothing is copied: the new conversation refers to the old one, so what is deleted there is gone here too. Errors:
what storing raises.
"""

from __future__ import annotations

import asyncio
import logging

import discord

from cogs.chat_threads import ARCHIVE_MINUTES, PATIENCE_S
from cogs.desk import ErrorDesk
from utils.conversations import Conversations, Turn
from utils.conversations.naming import plain_title
from utils.i18n import translate
from utils.storage import Conversation

_log = logging.getLogger(__name__)


_NEEDED = ("create_public_threads", "send_messages_in_threads")


class Branching:
    """Opens branches."""

    def __init__(self, conversations: Conversations, desk: ErrorDesk) -> None:
        self._conversations = conversations
        self._desk = desk

    async def branch(self, interaction: discord.Interaction, turn: Turn, conversation: Conversation) -> str | None:
        """Open a branch after this turn and tell the presser where; or name the sentence that says why not."""
        parent = _parent(interaction.channel)
        if parent is None:
            return "chat.not_here"
        may = parent.permissions_for(parent.guild.me)
        if not all(getattr(may, name) for name in _NEEDED):
            return "chat.no_branch"
        locale = str(interaction.locale)
        name = await self._name(turn, conversation, locale)
        try:
            async with asyncio.timeout(PATIENCE_S):
                thread = await self._open(interaction, parent, name)
        except (discord.HTTPException, discord.RateLimited, TimeoutError) as error:
            _log.warning("Discord opened no branch: %s", error)
            return "chat.no_branch"
        await self._conversations.open(
            kind="thread",
            guild_id=interaction.guild_id,
            channel_id=thread.id,
            owner_id=interaction.user.id,
            model=conversation.model,
            temperature=conversation.temperature,
            instructions=conversation.instructions,
            title=name,
            options=conversation.options,
            after=turn,
            seen_id=thread.id,
        )
        await thread.send(translate("chat.branched", locale, link=_link(interaction)))
        await self._desk.tell(interaction, translate("chat.opened", locale, thread=thread.mention))
        return None

    async def _name(self, turn: Turn, conversation: Conversation, locale: str) -> str:
        said = await self._conversations.said(turn)
        first = next((one.text for one in said if one.role == "user"), "")
        return plain_title(conversation.title or first) or translate("chat.title", locale)

    async def _open(self, interaction: discord.Interaction, parent: discord.TextChannel, name: str) -> discord.Thread:
        message = interaction.message
        if message is not None and interaction.channel_id == parent.id and not message.flags.has_thread:
            return await message.create_thread(name=name, auto_archive_duration=ARCHIVE_MINUTES)
        return await parent.create_thread(
            name=name, type=discord.ChannelType.public_thread, auto_archive_duration=ARCHIVE_MINUTES
        )


def _parent(channel: object) -> discord.TextChannel | None:
    """Give the text channel in which a thread may be opened, or None."""
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    return channel if isinstance(channel, discord.TextChannel) else None


def _link(interaction: discord.Interaction) -> str:
    return interaction.message.jump_url if interaction.message is not None else ""
