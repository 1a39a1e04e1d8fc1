"""Conversations that go on: threads opened by ``/chat``, mentions in channels, and direct messages.

In a thread of ours every message is answered without a mention; whether a thread is ours is asked of the
store by its id, never of Discord's cache, so restarts and archiving do not matter. In a channel a mention,
or a reply to the bot, is answered in a conversation of its own, with the replied-to message quoted. A
direct message belongs to the one conversation of its channel. Without the message-content intent Discord
hides messages that do not mention the bot: a thread says so, once. What always holds: bots, webhooks and
system messages are passed over; a message is answered once.
"""

from __future__ import annotations

import logging
from typing import Protocol

import discord
from discord.ext import commands

from cogs.answering import Answering, Asked
from cogs.desk import ErrorDesk
from cogs.incoming import Intake, may_answer, replied_to, spoken_text, with_quote
from cogs.readers import Readers
from cogs.running import RunningAnswers
from cogs.sync import Notes
from utils.conversations import Conversations
from utils.i18n import translate
from utils.rendering.discord import ChannelTarget
from utils.storage import Conversation

_log = logging.getLogger(__name__)

_SPOKEN = (discord.MessageType.default, discord.MessageType.reply)


class Identity(Protocol):
    """Who the bot is, once it has logged in."""

    @property
    def user(self) -> discord.ClientUser | None:
        """The bot's own user."""


class ChatCog(commands.Cog):
    """Every message that is meant for the bot."""

    def __init__(
        self,
        identity: Identity,
        answering: Answering,
        conversations: Conversations,
        intake: Intake,
        *,
        desk: ErrorDesk,
        readers: Readers,
        running: RunningAnswers,
        notes: Notes,
        reads_content: bool,
    ) -> None:
        self._identity = identity
        self._answering = answering
        self._conversations = conversations
        self._intake = intake
        self._desk = desk
        self._readers = readers
        self._running = running
        self._notes = notes
        self._reads_content = reads_content

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer a message that is meant for the bot; every failure ends at the desk."""
        me = self._identity.user
        if me is None or message.author.bot or message.webhook_id or message.type not in _SPOKEN:
            return
        if not self._running.join():
            return
        try:
            await self._hear(message, me)
        except Exception as error:  # noqa: BLE001 - the desk logs it and tells the author
            await self._desk.on_message(message, error, self._readers.locale_of(message))

    async def _hear(self, message: discord.Message, me: discord.ClientUser) -> None:
        quoted = replied_to(message)
        called = me in message.mentions or (quoted is not None and quoted.author.id == me.id)
        conversation = await self._conversations.find(message.channel.id)
        if conversation is None and not called and message.guild is not None:
            return
        if not may_answer(message):
            _log.info("a message was not answered: the bot may not write in channel %d", message.channel.id)
            return
        text = spoken_text(message, me.id)
        if not text and not message.attachments and not called:
            await self._say_mention_me(message, me)
            return
        locale = self._readers.locale_of(message)
        refusal = self._intake.refusal(text, message.attachments)
        if refusal is not None:
            await self._desk.reply(message, refusal.sentence(locale))
            return
        if conversation is None:
            # in a conversation of ours the model knows what was said; elsewhere it is told
            text = with_quote(text, quoted)
            conversation = await self._open(message)
        asked = Asked(
            source_id=message.id,
            user=message.author,
            guild_id=message.guild.id if message.guild is not None else None,
            channel_id=message.channel.id,
            text=text,
            locale=locale,
            files=message.attachments,
        )
        await self._answering.answer(asked, conversation, ChannelTarget(message.channel, reply_to=message))

    async def _open(self, message: discord.Message) -> Conversation:
        return await self._conversations.open(
            kind="dm" if message.guild is None else "mention",
            guild_id=message.guild.id if message.guild is not None else None,
            channel_id=message.channel.id,
            owner_id=message.author.id,
        )

    async def _say_mention_me(self, message: discord.Message, me: discord.ClientUser) -> None:
        """Say once in a thread that the bot cannot read it; where it can, the message holds nothing to answer."""
        name = f"mention_me.{message.channel.id}"
        if self._reads_content or message.guild is None or await self._notes.get(name) is not None:
            return
        await self._notes.set(name, "said")
        sentence = translate("chat.mention_me", self._readers.locale_of(message), mention=me.mention)
        await self._desk.reply(message, sentence)
