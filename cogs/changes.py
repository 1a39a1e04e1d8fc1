"""Questions that are changed or deleted after they were asked.

``ChangesCog`` listens to the raw events, which also come for messages from before the start. A changed question is
asked again, and its new answer takes the old one's place; a deleted one, with its answer, is no part of the
conversation any more. What always holds: a message that the bot did not take as a question is passed over; what merely
looks like a change (a link preview, hidden content) does nothing; a change that could not be asked is refused in one
sentence and the old question stays.
"""

from __future__ import annotations

import logging

import discord
from discord.ext import commands

from cogs.access import MESSAGE_REFUSED, Gatekeeper
from cogs.answering import Answering
from cogs.chat import Identity
from cogs.desk import ErrorDesk
from cogs.incoming import Intake, spoken_text
from cogs.places import Places
from cogs.readers import Readers
from cogs.running import RunningAnswers
from cogs.turnstile import Turnstile
from utils.conversations import Conversations, Turn

_log = logging.getLogger(__name__)


class ChangesCog(commands.Cog):
    """Changed and deleted questions."""

    def __init__(
        self,
        identity: Identity,
        conversations: Conversations,
        answering: Answering,
        places: Places,
        intake: Intake,
        *,
        desk: ErrorDesk,
        readers: Readers,
        running: RunningAnswers,
        gatekeeper: Gatekeeper,
        turnstile: Turnstile,
        reads_content: bool,
    ) -> None:
        self._identity = identity
        self._conversations = conversations
        self._answering = answering
        self._places = places
        self._intake = intake
        self._desk = desk
        self._readers = readers
        self._running = running
        self._gatekeeper = gatekeeper
        self._turnstile = turnstile
        self._reads_content = reads_content

    @commands.Cog.listener()
    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Ask a changed question again."""
        message, me = event.message, self._identity.user
        if me is None or message.author.bot or message.edited_at is None or not self._running.join():
            return
        if not message.content and not self._reads_content:
            # Discord hides it; nothing is known of the change
            return
        try:
            await self._ask_again(message, me)
        except Exception as error:  # noqa: BLE001 - the desk logs it and tells the author
            await self._desk.on_message(message, error, self._readers.locale_of(message))

    async def _ask_again(self, message: discord.Message, me: discord.ClientUser) -> None:
        if await self._conversations.turn_of_source(message.id) is None:
            return
        text = spoken_text(message, me.id)
        refusal = self._intake.refusal(text, message.attachments)
        if refusal is not None:
            await self._desk.reply(message, refusal.sentence(self._readers.locale_of(message)))
            return
        if not await self._gatekeeper.admits_message(message, self._identity.application):
            await self._desk.reply(message, MESSAGE_REFUSED.sentence(self._readers.locale_of(message)))
            return
        denied = await self._turnstile.change_refusal(message)
        if denied is not None:
            if self._turnstile.tells(message.author.id, denied):
                await self._desk.reply(message, denied.sentence(self._readers.locale_of(message)))
            return
        turn = await self._conversations.change(message.id, text)
        conversation = await self._conversations.get(turn.conversation_id) if turn is not None else None
        if turn is None:
            return
        if conversation is None:
            self._conversations.let_go(turn)
            return
        with self._conversations.responsible(turn):
            place = await self._places.find(turn, conversation)
        if place is not None:
            make_target, here = place
            await self._answering.give(turn, conversation, make_target, here=here)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Take a deleted question out of its conversation."""
        await self._remove(event.message_id)

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Take several deleted questions out of their conversations."""
        for message_id in sorted(event.message_ids):
            await self._remove(message_id)

    async def _remove(self, message_id: int) -> None:
        if not self._running.join():
            return
        try:
            turn = await self._conversations.remove(message_id)
            # whoever writes an answer takes its messages away
            if turn is not None and turn.answer_message_id is not None and not self._conversations.runs(turn.id):
                await self._mark(turn, turn.answer_message_id)
        except Exception as error:  # noqa: BLE001 - the desk logs it; there is nobody to be told
            self._desk.sentence(error, "en", where="a deleted message")

    async def _mark(self, turn: Turn, message_id: int) -> None:
        """Take an answer that was only begun away, and the buttons from one that has ended."""
        channel = self._places.channel(turn.answer_channel_id or turn.channel_id, turn.guild_id)
        *_, last = message_id, *turn.more_message_ids
        try:
            if turn.state == "answering":
                await discord.PartialMessage(channel=channel, id=message_id).delete()  # type: ignore[arg-type]  # any
            else:
                await discord.PartialMessage(channel=channel, id=last).edit(view=None)  # type: ignore[arg-type]  # any
        except (discord.HTTPException, discord.RateLimited, OSError) as error:
            _log.info("the answer to a deleted question stays as it is: %s", error)
