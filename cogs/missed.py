"""What was said to the bot in channels while it could not hear: mentions, replies to it, and commands it never ended.

``Missed`` notes the newest message that the gateway told of, and after a new session looks through the channels in
which something was said since. What always holds: only channels whose history the bot may read are asked for, those
used last first, so many and so many messages of each, and none older than ``_REACH_S``; a message that was stored, or
that the bot replied to, is left alone; where nothing was noted yet, nothing was missed. Which messages are questions is
``chat``'s to say; chats and direct messages are ``recovery``'s. Errors: the store's own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import discord

from cogs.chat import ChatCog, Giving
from cogs.incoming import replied_to
from cogs.running import RunningAnswers
from cogs.sync import Notes
from utils.conversations import Conversations
from utils.i18n import translate

_log = logging.getLogger(__name__)

#: Who asked in passing has gone after so long.
_REACH_S = 6 * 3600.0
#: What the gateway told of just before it was lost may not have been stored.
_OVERLAP_S = 120.0
_MOST_CHANNELS = 50
_MOST_MESSAGES = 100
_NAME = "gateway.newest_message"
_SNOWFLAKE_EPOCH_MS = 1_420_070_400_000

Place: TypeAlias = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


class Servers(Protocol):
    """Where the bot is; the client."""

    @property
    def user(self) -> discord.ClientUser | None:
        """The bot's own user."""

    @property
    def guilds(self) -> Sequence[discord.Guild]:
        """The servers it is in."""


class Missed:
    """Looks through channels; ``wall`` gives unix seconds."""

    def __init__(
        self,
        servers: Servers,
        conversations: Conversations,
        notes: Notes,
        *,
        chat: ChatCog,
        running: RunningAnswers,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._servers = servers
        self._conversations = conversations
        self._notes = notes
        self._chat = chat
        self._running = running
        self._wall = wall
        self._begun = snowflake(wall())
        self._newest = 0
        self._noted = 0

    def heard(self, message_id: int) -> None:
        """Learn that the gateway told of a message; once it was ``caught_up`` only."""
        if self._newest:
            self._newest = max(self._newest, message_id)

    async def note(self) -> None:
        """Write down what was heard, for the next process."""
        if self._newest > self._noted:
            newest = self._newest
            await self._notes.set(_NAME, str(newest))
            self._noted = newest

    async def catch_up(self) -> None:
        """Have everything answered that was said to the bot since it heard of anything last."""
        before = self._newest or int(await self._notes.get(_NAME) or 0)
        channels = self._channels()
        newest = max((channel.last_message_id or 0 for channel in channels), default=0)
        after = max(before - _span(_OVERLAP_S), snowflake(self._wall() - _REACH_S))
        said_since = [channel for channel in channels if (channel.last_message_id or 0) > after]
        for channel in said_since[:_MOST_CHANNELS]:
            # before anything was noted nothing was missed, but a command may have been left thinking
            await self._look_through(channel, max(after, _joined(channel.guild)), answers=before > 0)
        self._newest = max(before, newest, 1)
        await self.note()

    def _channels(self) -> list[Place]:
        """Give the channels whose history may be read, those used last first."""
        found: list[Place] = []
        for guild in self._servers.guilds:
            all_here: list[Place] = [
                *guild.text_channels,
                *guild.voice_channels,
                *guild.stage_channels,
                *guild.threads,
            ]
            for channel in all_here:
                may = channel.permissions_for(guild.me)
                if channel.last_message_id and may.view_channel and may.read_message_history:
                    found.append(channel)
        return sorted(found, key=lambda channel: -(channel.last_message_id or 0))

    async def _look_through(self, channel: Place, after: int, *, answers: bool) -> None:
        try:
            # the newest ones, should there be more than are looked at
            newest = [m async for m in channel.history(limit=_MOST_MESSAGES, oldest_first=False)]
        except (discord.HTTPException, discord.RateLimited, OSError) as error:
            _log.info("channel %d was not looked through: %s", channel.id, error)
            return
        found = [message for message in reversed(newest) if message.id > after]
        await self.end_thinking(found)
        givings = []
        for message in self._unanswered(found) if answers else ():
            giving = await self._taken(message)
            if giving is not None:
                givings.append(giving)
        for giving in givings:
            self._running.spawn(giving, f"missed message in {channel.id}")

    def _unanswered(self, found: Sequence[discord.Message]) -> list[discord.Message]:
        """Give the messages that call the bot and that it did not reply to."""
        me = self._servers.user
        replied = {one.reference.message_id for one in found if one.author == me and one.reference is not None}
        return [one for one in found if one.id not in replied and self._is_called(one, me)]

    def _is_called(self, message: discord.Message, me: discord.ClientUser | None) -> bool:
        quoted = replied_to(message)
        return me is not None and (me in message.mentions or (quoted is not None and quoted.author.id == me.id))

    async def _taken(self, message: discord.Message) -> Giving | None:
        if await self._conversations.turn_of_source(message.id) is not None:
            return None
        return await self._chat.take(message)

    async def end_thinking(self, found: Sequence[discord.Message]) -> None:
        """Say under commands that were left thinking by an earlier process, and that nobody will end, that it ended."""
        for message in found:
            asked = message.interaction_metadata
            old = message.author == self._servers.user and message.flags.loading and message.id < self._begun
            if not old or asked is None or await self._conversations.turn_of_source(asked.id) is not None:
                continue
            locale = str(message.guild.preferred_locale) if message.guild is not None else "en-US"
            sentence = translate("error.interrupted", locale)
            try:
                await message.edit(content=sentence, allowed_mentions=discord.AllowedMentions.none())
            except (discord.HTTPException, discord.RateLimited, OSError) as error:
                _log.info("a command stays unanswered: %s", error)


def snowflake(at: float) -> int:
    """Give an id as Discord would make it at that time (unix seconds)."""
    return max(0, int(at * 1000) - _SNOWFLAKE_EPOCH_MS) << 22


def _span(seconds: float) -> int:
    return int(seconds * 1000) << 22


def _joined(guild: discord.Guild) -> int:
    """Give the id from which on the bot was in a server."""
    joined_at = guild.me.joined_at
    return snowflake(joined_at.timestamp()) if joined_at is not None else 0
