"""Where the answer of a stored turn stands, or is to stand, after a restart or a press of a button.

``Places.find`` gives what ``Answering.give`` needs to go on: in the messages that are stored, else in one that was sent
but not stored any more, else in a new one. What always holds: an interaction's token is used while it lives, the bot's
own right to write after that; nothing is asked of Discord where the store knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import discord

from cogs.answering import ANYWHERE, IN_CHANNEL, IN_SERVER, MakeTarget
from cogs.controls import Action, turn_of_components
from utils.conversations import CHAT_KINDS, Turn
from utils.rendering.discord import TOKEN_LIFE_S, ChannelTarget, TokenTarget, writable_channel
from utils.storage import Conversation

_SAFETY_S = 60.0
_SEARCHED = 100


class Client(Protocol):
    """What is needed of the client."""

    @property
    def user(self) -> discord.ClientUser | None:
        """The bot's own user."""

    @property
    def application_id(self) -> int | None:
        """The bot's application."""

    def get_channel(self, channel_id: int, /) -> object:
        """Give a channel that is known, or None."""

    def get_guild(self, guild_id: int, /) -> discord.Guild | None:
        """Give a server that is known, or None."""

    def get_partial_messageable(self, channel_id: int, *, guild_id: int | None = None) -> discord.PartialMessageable:
        """Give a channel of which only the id is known."""


class Places:
    """Finds places; ``wall`` gives unix seconds, ``webhook(token)`` makes what edits an interaction's answer."""

    def __init__(
        self, client: Client, webhook: Callable[[int, str], discord.Webhook], *, wall: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._webhook = webhook
        self._wall = wall

    def channel(self, channel_id: int, guild_id: int | None) -> discord.abc.Messageable:
        """Give a channel to write in, known or not."""
        known = self._client.get_channel(channel_id)
        if isinstance(known, discord.abc.Messageable):
            return known
        return self._client.get_partial_messageable(channel_id, guild_id=guild_id)

    def guild(self, guild_id: int | None) -> discord.Guild | None:
        """Give a server that is known, or None."""
        return self._client.get_guild(guild_id) if guild_id is not None else None

    def knows(self, channel_id: int) -> bool:
        """Tell whether Discord has told of this channel."""
        return self._client.get_channel(channel_id) is not None

    async def find(self, turn: Turn, conversation: Conversation) -> tuple[MakeTarget, frozenset[Action]] | None:
        """Give the place of a turn that some process left, and which buttons make sense there.

        None: it was a command that Discord told its user to have failed, since nobody acknowledged it.
        """
        message_id = turn.answer_message_id
        # the token of a command that opened a thread edits what stands outside of it
        token = turn.token if conversation.kind not in CHAT_KINDS else None
        expires_at = discord.utils.snowflake_time(turn.source_id).timestamp() + TOKEN_LIFE_S
        application_id = self._client.application_id
        here = IN_SERVER if turn.guild_id is not None else IN_CHANNEL
        channel = self.channel(turn.answer_channel_id or conversation.channel_id, turn.guild_id)
        begun = [message_id, *turn.more_message_ids] if message_id else await self._sent(turn, channel)
        if token and not begun:
            return None
        message_id = begun[0] if begun else None
        if token and message_id and application_id and expires_at - _SAFETY_S > self._wall():
            webhook = self._webhook(application_id, token)

            return lambda nonce, controls: TokenTarget(
                webhook,
                message_id,
                expires_at=expires_at,
                locale=turn.locale,
                channel=channel,
                more=turn.more_message_ids,
                nonce=nonce,
                controls=controls,
            ), here
        return self.in_channel(turn, channel, begun), here

    def in_channel(self, turn: Turn, channel: discord.abc.Messageable, begun: list[int]) -> MakeTarget:
        """Write in messages that were begun, or in a reply to the question."""
        reply = None if begun or turn.token else _question_of(turn, channel)
        return lambda nonce, controls: ChannelTarget(channel, reply, begun=begun, nonce=nonce, controls=controls)

    def pressed(self, turn: Turn, interaction: discord.Interaction) -> tuple[MakeTarget, frozenset[Action]]:
        """Give the place of a turn's answer under which somebody pressed a button."""
        channel = writable_channel(interaction)
        message = interaction.message
        first = turn.answer_message_id or (message.id if message is not None else 0)
        if channel is not None:
            here = IN_SERVER if interaction.guild_id is not None else IN_CHANNEL
            return self.in_channel(turn, channel, [first, *turn.more_message_ids]), here
        return lambda nonce, controls: TokenTarget(
            interaction.followup,
            first,
            # as in ``InteractionTarget``, by a clock that nobody sets
            expires_at=time.monotonic() + TOKEN_LIFE_S,
            clock=time.monotonic,
            locale=turn.locale,
            channel=None,
            more=turn.more_message_ids,
            nonce=nonce,
            controls=controls,
        ), ANYWHERE

    async def _sent(self, turn: Turn, channel: discord.abc.Messageable) -> list[int]:
        """Look for an answer's message that was sent just before the process ended."""
        me = self._client.user
        after = discord.Object(turn.source_id)
        try:
            async for message in channel.history(after=after, limit=_SEARCHED, oldest_first=True):
                mine = me is not None and message.author.id == me.id
                if mine and (turn_of_components(message) == turn.id or _answers_command(message, turn.source_id)):
                    return [message.id]
        except (discord.HTTPException, discord.RateLimited):
            # where nothing can be looked for, Discord still knows a message that is sent twice by its nonce
            return await self._original(turn)
        return []

    async def _original(self, turn: Turn) -> list[int]:
        """Ask for the answer of a command by its token, where its channel cannot be read."""
        application_id = self._client.application_id
        if not turn.token or application_id is None:
            return []
        # discord.py takes Discord's own name for it as well, but does not say so
        webhook: Any = self._webhook(application_id, turn.token)
        try:
            message: discord.WebhookMessage = await webhook.fetch_message("@original")
        except (discord.HTTPException, discord.RateLimited):
            return []
        return [message.id]


async def thinking_message(
    channel: discord.abc.Messageable, interaction_id: int, me: discord.ClientUser | None
) -> discord.Message | None:
    """Find the message by which Discord says that the bot thinks about a command; raises what discord.py raises."""
    async for message in channel.history(after=discord.Object(interaction_id), limit=_SEARCHED, oldest_first=True):
        if me is not None and message.author.id == me.id and _answers_command(message, interaction_id):
            return message
    return None


def _answers_command(message: discord.Message, interaction_id: int) -> bool:
    return message.interaction_metadata is not None and message.interaction_metadata.id == interaction_id


def _question_of(turn: Turn, channel: discord.abc.Messageable) -> discord.MessageReference | None:
    here = getattr(channel, "id", None)
    if here != turn.channel_id:
        # a thread's first question was asked outside of it
        return None
    return discord.MessageReference(
        message_id=turn.source_id, channel_id=turn.channel_id, guild_id=turn.guild_id, fail_if_not_exists=False
    )
