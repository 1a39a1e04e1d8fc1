"""What comes after an answer, while nobody waits: a thread gets its title, a long conversation its summary.

``Afterwards.follow`` starts both in the background. What always holds: neither holds up an answer or the stop of the
bot; what goes wrong is logged, and the thread keeps its name. Whether there is anything to do, and what the model is
asked, is ``utils.conversations``'s.
"""

from __future__ import annotations

import logging
from typing import Protocol

import discord

from cogs.running import RunningAnswers
from utils.conversations import Conversations, Turn
from utils.rendering.pace import Pace, Urgency
from utils.storage import Conversation, StorageError

_log = logging.getLogger(__name__)


class Channels(Protocol):
    """Where threads are found by their ids; the client."""

    def get_channel(self, channel_id: int, /) -> object:
        """Give a channel that is known, or None."""


class Afterwards:
    """Starts what comes after answers."""

    def __init__(self, channels: Channels, conversations: Conversations, running: RunningAnswers, pace: Pace) -> None:
        self._channels = channels
        self._conversations = conversations
        self._running = running
        self._pace = pace

    def follow(self, turn: Turn, conversation: Conversation) -> None:
        """Do, in the background, what comes after the answer of this turn."""
        self._running.background(self._follow(turn, conversation), f"after turn {turn.id}")

    async def _follow(self, turn: Turn, conversation: Conversation) -> None:
        try:
            if conversation.kind == "thread" and conversation.title is None:
                await self._name(conversation)
            await self._conversations.condense(turn)
        except StorageError as error:
            _log.warning("what comes after an answer was left out: %s", error)

    async def _name(self, conversation: Conversation) -> None:
        title = await self._conversations.title(conversation)
        thread = self._channels.get_channel(conversation.channel_id)
        if title is None or not isinstance(thread, discord.Thread):
            return
        await self._pace.turn(Urgency.BETWEEN)
        try:
            await thread.edit(name=title)
        except (discord.HTTPException, discord.RateLimited, OSError) as error:
            _log.info("a thread keeps its name: %s", error)
