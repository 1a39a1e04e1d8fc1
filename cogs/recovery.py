"""After a start, or when the gateway lost what happened: everything that is owed is done, once.

``RecoveryCog`` acts whenever the client becomes ready, which it does after every new gateway session, not after one
that was resumed. First the turns that a process left behind are answered, in the messages that were begun; then
messages that nobody saw are looked for in the chats, and in other channels (``missed``), and answered like any other;
where the store fails just then, a minute later. What always holds: a turn is claimed
in the database before it is answered; a message that was stored, or that the bot has replied to, is left alone; only
messages of the last ``_REACH_S`` seconds are looked at, in the chats used last. Where an answer stands is ``places``'s.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import discord
from discord.ext import commands

from cogs.answering import Answering
from cogs.chat import ChatCog, Giving
from cogs.chat_threads import ChatThreads
from cogs.missed import Missed, snowflake
from cogs.places import Places
from cogs.running import RunningAnswers
from utils.conversations import Conversations, Turn
from utils.storage import Conversation, StorageError

_log = logging.getLogger(__name__)

_REACH_S = 24 * 3600.0
#: Messages may have been stored in another order than they were said: so much is looked at once more.
_OVERLAP_S = 600.0
_MOST_CHATS = 100
_MOST_MESSAGES = 100
_SWEEP_S = 60.0
#: A turn that fails again and again without anybody being told is not asked for ever.
_MOST_ATTEMPTS = 3
_CLOCKS_S = 60.0
#: Opening a thread may take so long; one that is there is known by then.
_OPENING_S = 60.0


class RecoveryCog(commands.Cog):
    """Does what is owed; ``wall`` gives unix seconds."""

    def __init__(
        self,
        conversations: Conversations,
        answering: Answering,
        places: Places,
        *,
        chat: ChatCog,
        threads: ChatThreads,
        running: RunningAnswers,
        missed: Missed,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._conversations = conversations
        self._answering = answering
        self._places = places
        self._chat = chat
        self._threads = threads
        self._running = running
        self._missed = missed
        self._is_behind = False
        self._wall = wall
        self._begun_at = wall()
        self._one_at_a_time = asyncio.Lock()
        self._sweeping: asyncio.Task[None] | None = None

    async def cog_load(self) -> None:
        """Take over from the process before, and look now and then for what others let go of."""
        await self._conversations.inherit()
        self._sweeping = asyncio.create_task(self._sweep(), name="sweep")

    async def cog_unload(self) -> None:
        """Look no more."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
        await self._note()
        await self._conversations.aclose()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Do what is owed: the gateway has begun anew."""
        self._running.background(self._recover(), "recovery")

    async def _recover(self) -> None:
        async with self._one_at_a_time:
            await self._answer_owed()
            try:
                self._is_behind = True
                await self._catch_up()
                await self._missed.catch_up()
                self._is_behind = False
            except StorageError as error:
                _log.warning("missed messages are looked for later: %s", error)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            if self._is_behind:
                await self._recover()
                continue
            async with self._one_at_a_time:
                await self._answer_owed()
            await self._note()

    async def _note(self) -> None:
        try:
            await self._missed.note()
        except StorageError as error:
            _log.warning("what was heard last is not written down: %s", error)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Note that the gateway told of a message."""
        self._missed.heard(message.id)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """Look no more into a thread that is gone."""
        try:
            conversation = await self._conversations.find(event.thread_id)
            if conversation is not None:
                await self._conversations.leave(conversation)
        except StorageError as error:
            _log.warning("a deleted thread was not noted: %s", error)

    async def _answer_owed(self) -> None:
        try:
            owed = await self._conversations.owed()
            ready = [(turn, await self._place_for(turn)) for turn in owed]
        except StorageError as error:
            _log.warning("what is owed could not be read: %s", error)
            return
        for turn, conversation in ready:
            if conversation is not None:
                self._running.spawn(self._answer(turn, conversation), f"owed turn {turn.id}")
        if owed:
            _log.info("%d turns that were left are answered now", len(owed))

    async def _place_for(self, turn: Turn) -> Conversation | None:
        """Give the turn's conversation, with its thread there; None: the turn is given up."""
        conversation = await self._conversations.get(turn.conversation_id)
        if conversation is None or turn.asked_at < self._wall() - _REACH_S:
            await self._conversations.give_up(turn)
            return None
        if conversation.kind == "thread" and turn.channel_id != conversation.channel_id:
            said = await self._conversations.said(turn)
            words = said[0].text if said else ""
            opened = await self._threads.ensure(conversation, words=words, locale=turn.locale)
            if opened is None:
                await self._conversations.give_up(turn)
            return opened
        return conversation

    async def _answer(self, turn: Turn, conversation: Conversation) -> None:
        with self._conversations.responsible(turn):
            if turn.state == "failed":
                again = await self._conversations.again(turn.id) if turn.attempt < _MOST_ATTEMPTS else None
                if again is None:
                    await self._conversations.give_up(turn)
                    return
                turn = again
            place = await self._places.find(turn, conversation)
            if place is None:
                await self._conversations.give_up(turn)
                return
        make_target, here = place
        await self._answering.give(turn, conversation, make_target, here=here)

    async def _catch_up(self) -> None:
        oldest = snowflake(self._wall() - _REACH_S)
        for conversation in await self._conversations.chats(seen_after=oldest, limit=_MOST_CHATS):
            if self._is_being_opened(conversation):
                continue
            try:
                opened = await self._opened(conversation)
                if opened is None:
                    await self._conversations.drop(conversation)
                    continue
                await self._catch_up_in(opened, oldest)
            except discord.NotFound:
                await self._conversations.leave(conversation)
            except (discord.HTTPException, discord.RateLimited, OSError) as error:
                _log.info("channel %d was not looked through: %s", conversation.channel_id, error)

    async def _opened(self, conversation: Conversation) -> Conversation | None:
        """Give a chat with its thread there; None: nobody waits for one."""
        if conversation.kind != "thread" or self._places.knows(conversation.channel_id):
            return conversation
        guild = self._places.guild(conversation.guild_id)
        locale = str(guild.preferred_locale) if guild is not None else "en-US"
        return await self._threads.ensure(conversation, words=conversation.title or "", locale=locale)

    def _is_being_opened(self, conversation: Conversation) -> bool:
        """Tell whether a chat's thread is perhaps not there yet: its conversation is stored first."""
        newest = max(self._wall() - _OPENING_S, self._begun_at)
        is_new = conversation.kind == "thread" and conversation.created_at > newest
        return is_new and not self._places.knows(conversation.channel_id)

    async def _catch_up_in(self, conversation: Conversation, oldest: int) -> None:
        overlap = int(_OVERLAP_S * 1000) << 22
        after = max(oldest, (conversation.seen_id or 0) - overlap, _opened_at(conversation))
        channel = self._places.channel(conversation.channel_id, conversation.guild_id)
        found = [
            message
            async for message in channel.history(after=discord.Object(after), limit=_MOST_MESSAGES, oldest_first=True)
        ]
        await self._missed.end_thinking(found)
        replied = {one.reference.message_id for one in found if one.author.bot and one.reference is not None}
        givings: list[Giving] = []
        try:
            for message in found:
                giving = await self._chat.take(message) if message.id not in replied else None
                if giving is not None:
                    givings.append(giving)
        finally:
            # all are stored before the first is answered, so that they become one question
            for giving in givings:
                self._running.spawn(giving, f"missed message in {conversation.channel_id}")


def _opened_at(conversation: Conversation) -> int:
    # what stands in a channel from before its conversation was no question; clocks differ
    return snowflake(conversation.created_at - _CLOCKS_S)
