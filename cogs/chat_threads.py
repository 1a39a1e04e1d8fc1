"""Threads for chats: opened for a conversation that is stored already.

``ChatThreads.open`` opens the thread of a conversation for who asked for it, ``ensure`` once more where a process ended
before it could. What always holds: a public thread hangs on the message whose id its conversation has as channel, so it
is known before it is there; a private one gets its owner only when its conversation is stored under its id. Whether a
thread may be opened is for whoever calls.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import discord

from cogs.places import Client, thinking_message
from utils.conversations import Conversations
from utils.conversations.naming import plain_title
from utils.i18n import translate
from utils.storage import Conversation

_log = logging.getLogger(__name__)

#: The name of the option under which a conversation keeps that its thread is private.
PRIVATE: Final = "private"
ARCHIVE_MINUTES: Final = 1440
#: Who wants a thread waits so long for it where Discord holds the bot back, and is told of another way then.
PATIENCE_S: Final = 30.0
#: The name of the option under which it keeps in which channel the thread was asked for.
_PARENT: Final = "opened_in"


def opened_in(channel_id: int, *, private: bool) -> dict[str, Any]:
    """Give the options of a conversation whose thread is to be opened in a channel."""
    return {_PARENT: channel_id, PRIVATE: True} if private else {_PARENT: channel_id}


class ChatThreads:
    """Opens the threads of chats."""

    def __init__(self, client: Client, conversations: Conversations) -> None:
        self._client = client
        self._conversations = conversations

    async def open(
        self, conversation: Conversation, interaction: discord.Interaction, prompt: str | None
    ) -> tuple[discord.Thread, Conversation]:
        """Open the thread, named by the question's first words; raises what discord.py raises, and TimeoutError."""
        parent = interaction.channel
        if not isinstance(parent, discord.TextChannel):
            raise TypeError("a chat's thread is opened in a text channel")
        name = plain_title(prompt or "") or translate("chat.title", str(interaction.locale))
        return await self._open(conversation, parent, name)

    async def ensure(self, conversation: Conversation, *, words: str, locale: str) -> Conversation | None:
        """Open the thread of a conversation unless it is there; gives the conversation with its channel.

        ``words`` give the thread its name. None: the command was never acknowledged, so nobody waits for a thread.
        """
        known = self._client.get_channel(conversation.channel_id)
        parent = self._client.get_channel(conversation.options.get(_PARENT) or 0)
        if isinstance(known, discord.Thread) or not isinstance(parent, discord.TextChannel):
            return conversation
        name = plain_title(words) or translate("chat.title", locale)
        # until there is a thread, or a message for it to hang on, the command's id stands in its place
        is_placed = conversation.seen_id != conversation.channel_id
        try:
            if conversation.options.get(PRIVATE):
                return conversation if is_placed else (await self._open(conversation, parent, name))[1]
            if is_placed:
                message = await parent.fetch_message(conversation.channel_id)
            else:
                found = await thinking_message(parent, conversation.channel_id, self._client.user)
                if found is None:
                    return None
                message = found
                conversation = await self._conversations.move(conversation, message.id)
            if not message.flags.has_thread:
                thread, conversation = await self._open(conversation, parent, name)
                sentence = translate("chat.opened", locale, thread=thread.mention)
                await message.edit(content=sentence, allowed_mentions=discord.AllowedMentions.none())
        except (discord.HTTPException, discord.RateLimited, OSError) as error:
            _log.warning("the thread of conversation %d was not opened: %s", conversation.id, error)
            return conversation if is_placed else None
        return conversation

    async def _open(
        self, conversation: Conversation, parent: discord.TextChannel, name: str
    ) -> tuple[discord.Thread, Conversation]:
        if not conversation.options.get(PRIVATE):
            message = parent.get_partial_message(conversation.channel_id)
            async with asyncio.timeout(PATIENCE_S):
                return await message.create_thread(name=name, auto_archive_duration=ARCHIVE_MINUTES), conversation
        async with asyncio.timeout(PATIENCE_S):
            thread = await parent.create_thread(
                name=name,
                type=discord.ChannelType.private_thread,
                auto_archive_duration=ARCHIVE_MINUTES,
                invitable=False,
            )
        conversation = await self._conversations.move(conversation, thread.id)
        await thread.add_user(discord.Object(conversation.owner_id))
        return thread, conversation
