"""Commands that take long: what is asked is stored, then the command is acknowledged, in this order.

A process may be killed at any moment. ``Acknowledging.take`` makes that harmless: whoever sees the bot think is known
to the store, with the interaction's token, so that the next process finishes what they see (``recovery``). What always
holds: an interaction is acknowledged in time, if need be before the store is done, and where very many come at once
before it begins (then a kill in that instant leaves those thinking); what could not be stored, or
acknowledged, leaves nothing behind, and is not counted; what goes wrong before the acknowledgement is told to the asker
alone. Errors: AttachmentUnreadError, AttachmentRefusedError, those of the store, and discord.py's where Discord takes
no acknowledgement any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord

from cogs.answering import Answering, Asked
from cogs.turnstile import Turnstile
from utils.conversations import Conversations, Turn
from utils.storage import Conversation, StorageError

_log = logging.getLogger(__name__)

#: An interaction that is not acknowledged within three seconds is lost; a store that works takes milliseconds.
_STORE_FIRST_S = 0.25


@dataclass(frozen=True, slots=True)
class Taken:
    """What was asked, stored and acknowledged; ``turn`` None: there is no question, or it is answered elsewhere.

    ``message_id`` is the message by which Discord says that the bot thinks.
    """

    conversation: Conversation
    turn: Turn | None
    message_id: int | None


class Acknowledging:
    """Stores and acknowledges."""

    def __init__(self, answering: Answering, conversations: Conversations, turnstile: Turnstile) -> None:
        self._answering = answering
        self._conversations = conversations
        self._turnstile = turnstile

    async def take(
        self,
        interaction: discord.Interaction,
        opening: Callable[[], Awaitable[Conversation]],
        asked: Asked | None,
        *,
        ephemeral: bool = False,
    ) -> Taken:
        """Open a conversation, store what is asked in it (None: nothing), acknowledge, and fetch the files."""
        crowded = self._answering.is_crowded
        storing = asyncio.ensure_future(self._store(opening, asked))
        if not crowded:
            await asyncio.wait({storing}, timeout=_STORE_FIRST_S)
        try:
            if storing.done():
                storing.result()
            deferred = await interaction.response.defer(thinking=True, ephemeral=ephemeral)
            conversation, turn = await storing
        except BaseException:
            self._turnstile.give_back(interaction.id)
            await self._undo(storing)
            raise
        message_id = deferred.message_id if deferred is not None else None
        if turn is None or asked is None:
            return Taken(conversation, turn, message_id)
        try:
            if message_id is not None and asked.token is not None:
                await self._conversations.begun(turn, channel_id=asked.channel_id, message_id=message_id)
            turn = await self._answering.fetch(turn, asked)
        except BaseException:
            self._turnstile.give_back(interaction.id)
            await self._undo(storing)
            raise
        return Taken(conversation, turn, message_id)

    async def _store(
        self, opening: Callable[[], Awaitable[Conversation]], asked: Asked | None
    ) -> tuple[Conversation, Turn | None]:
        if self._answering.is_crowded:
            await self._answering.calm()
        conversation = await opening()
        return conversation, await self._answering.note(asked, conversation) if asked is not None else None

    async def _undo(self, storing: asyncio.Future[tuple[Conversation, Turn | None]]) -> None:
        """Delete what was stored of a question that came to nothing."""
        try:
            conversation, turn = await storing
            if turn is not None:
                self._conversations.let_go(turn)
            await self._conversations.drop(conversation)
        except StorageError as error:
            # what is left of it is owed: the next sweep ends it
            _log.warning("a question that came to nothing was not deleted: %s", error)
