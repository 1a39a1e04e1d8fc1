"""Conversations that go on: threads opened by ``/chat``, mentions in channels, and direct messages.

In a thread of ours every message is answered without a mention; whether a thread is ours is asked of the
store by its id, never of Discord's cache, so restarts and archiving do not matter. In a channel a mention is
answered in a conversation of its own, with the replied-to message quoted; a reply to an answer goes on with
the conversation that the answer belongs to. A direct message belongs to the one conversation of its channel.
Without the message-content intent Discord hides messages that do not mention the bot: a thread says so,
once. What always holds: bots, webhooks, system messages and
those whom the server keeps out are passed over; a message is answered once.
Messages that were missed are ``recovery``'s, changed and deleted ones ``changes``'s.
"""

from __future__ import annotations

import itertools
import logging
from collections import OrderedDict
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, Protocol, TypeAlias

import discord
from discord.ext import commands

from cogs.access import MESSAGE_REFUSED, Gatekeeper
from cogs.answering import IN_CHANNEL, IN_SERVER, Answering, Asked
from cogs.desk import ErrorDesk
from cogs.incoming import Intake, may_answer, replied_to, spoken_text, with_quote
from cogs.readers import Readers
from cogs.running import RunningAnswers
from cogs.sync import Notes
from cogs.turnstile import Turnstile
from utils.conversations import Conversations, Turn
from utils.conversations.fairness import Denied
from utils.conversations.limits import Refusal
from utils.i18n import translate
from utils.rendering.discord import ChannelTarget
from utils.storage import Conversation, StorageError

_log = logging.getLogger(__name__)

#: What is left to do for a question that was stored.
Giving: TypeAlias = Coroutine[Any, Any, None]

_REMEMBERED_MESSAGES = 10_000
_MOST_BEFORE = 10
_BEFORE = timedelta(days=1)
_SPOKEN = (discord.MessageType.default, discord.MessageType.reply)


class Identity(Protocol):
    """Who the bot is, once it has logged in."""

    @property
    def user(self) -> discord.ClientUser | None:
        """The bot's own user."""

    @property
    def application(self) -> discord.AppInfo | None:
        """The bot's application."""


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
        gatekeeper: Gatekeeper,
        turnstile: Turnstile,
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
        self._gatekeeper = gatekeeper
        self._turnstile = turnstile
        self._reads_content = reads_content
        # what was refused is stored nowhere, and must not be refused twice
        self._heard: OrderedDict[int, None] = OrderedDict()

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer a message that is meant for the bot; every failure ends at the desk."""
        if not self._running.join():
            return
        # all are stored before the first is answered, so that they become one question
        givings = [await self.take(said) for said in [*await self._said_before(message), message]]
        for giving in givings:
            if giving is not None:
                await giving

    async def _said_before(self, message: discord.Message) -> list[discord.Message]:
        """Give what somebody wrote directly before a first message that is heard, while the bot was away.

        Until it is, Discord does not tell that there is such a channel.
        """
        if message.guild is not None or message.author.bot:
            return []
        try:
            if await self._conversations.find(message.channel.id) is not None:
                return []
            before = [said async for said in message.channel.history(before=message, limit=_MOST_BEFORE)]
        except (StorageError, discord.HTTPException, discord.RateLimited, OSError) as error:
            _log.info("what was said before a first message was not looked for: %s", error)
            return []
        oldest = message.created_at - _BEFORE
        unanswered = itertools.takewhile(lambda said: not said.author.bot and said.created_at > oldest, before)
        return list(unanswered)[::-1]

    async def take(self, message: discord.Message) -> Giving | None:
        """Store what a message asks; what is left to do, or None where that is nothing. Raises nothing."""
        if message.id in self._heard:
            return None
        self._heard[message.id] = None
        if len(self._heard) > _REMEMBERED_MESSAGES:
            self._heard.popitem(last=False)
        try:
            taken = await self._take(message)
        except Exception as error:  # noqa: BLE001 - the desk logs it and tells the author
            await self._desk.on_message(message, error, self._readers.locale_of(message))
            return None
        return self._give(*taken, message) if taken is not None else None

    async def _take(self, message: discord.Message) -> tuple[Turn, Conversation] | None:
        me = self._identity.user
        if me is None or message.author.bot or message.webhook_id or message.type not in _SPOKEN:
            return None
        quoted = replied_to(message)
        called = me in message.mentions or (quoted is not None and quoted.author.id == me.id)
        conversation = await self._chat_of(message, meant=called or message.guild is None)
        if conversation is None and not called and message.guild is not None:
            return None
        if not may_answer(message):
            _log.info("a message was not answered: the bot may not write in channel %d", message.channel.id)
            return None
        text = spoken_text(message, me.id)
        if not text and not message.attachments and not called:
            await self._say_mention_me(message, me)
            return None
        if await self._refuses(message, conversation, text, called=called):
            return None
        locale = self._readers.locale_of(message)
        if conversation is None:
            conversation, text = await self._conversation_of(message, quoted, text)
        asked = Asked(
            source_id=message.id,
            user=message.author,
            guild_id=message.guild.id if message.guild is not None else None,
            channel_id=message.channel.id,
            text=text,
            locale=locale,
            files=message.attachments,
        )
        turn = await self._answering.take(asked, conversation)
        return (turn, conversation) if turn is not None else None

    async def _chat_of(self, message: discord.Message, *, meant: bool) -> Conversation | None:
        """Give the chat that a message was said in; ``meant``: it is for the bot wherever it was said."""
        try:
            return await self._conversations.find(message.channel.id)
        except StorageError as error:
            if meant:
                raise
            # people who talk among themselves must not hear of our database
            _log.warning("a message was passed over: %s", error)
            return None

    async def _refuses(
        self, message: discord.Message, conversation: Conversation | None, text: str, *, called: bool
    ) -> bool:
        """Tell the author why a message is not answered; False: it is."""
        admitted = await self._gatekeeper.admits_message(message, self._identity.application)
        told = admitted or called
        refusal: Refusal | Denied | None = MESSAGE_REFUSED
        if admitted:
            refusal = self._intake.refusal(text, message.attachments)
        if refusal is None:
            refusal = denied = await self._turnstile.message_refusal(message)
            told = denied is not None and self._turnstile.tells(message.author.id, denied)
        if refusal is None:
            return False
        if conversation is not None:
            await self._conversations.note_seen(conversation, message.id)
        if told:
            await self._desk.reply(message, refusal.sentence(self._readers.locale_of(message)))
        return True

    async def _give(self, turn: Turn, conversation: Conversation, message: discord.Message) -> None:
        try:
            await self._answering.give(
                turn,
                conversation,
                lambda nonce, controls: ChannelTarget(message.channel, message, nonce=nonce, controls=controls),
                here=IN_SERVER if message.guild is not None else IN_CHANNEL,
            )
        except Exception as error:  # noqa: BLE001 - the desk logs it and tells the author
            await self._desk.on_message(message, error, self._readers.locale_of(message))

    async def _conversation_of(
        self, message: discord.Message, quoted: discord.Message | None, text: str
    ) -> tuple[Conversation, str]:
        """Give the conversation that a message goes on with, or a new one, and the text as it is asked there."""
        answered = await self._conversations.turn_of_answer(quoted.id) if quoted is not None else None
        known = await self._conversations.get(answered.conversation_id) if answered is not None else None
        if known is not None and known.channel_id == message.channel.id:
            return known, text
        opened = await self._conversations.open(
            kind="dm" if message.guild is None else "mention",
            guild_id=message.guild.id if message.guild is not None else None,
            channel_id=message.channel.id,
            owner_id=message.author.id,
            seen_id=message.id,
        )
        # in a conversation of ours the model knows what was said; here it is told
        return opened, with_quote(text, quoted)

    async def _say_mention_me(self, message: discord.Message, me: discord.ClientUser) -> None:
        """Say once in a thread that the bot cannot read it; where it can, the message holds nothing to answer."""
        name = f"mention_me.{message.channel.id}"
        if self._reads_content or message.guild is None or await self._notes.get(name) is not None:
            return
        await self._notes.set(name, "said")
        sentence = translate("chat.mention_me", self._readers.locale_of(message), mention=me.mention)
        await self._desk.reply(message, sentence)
