"""The Discord client: what it asks of Discord, and how cogs, commands and the stop hang on it.

``GeminiBot`` takes its cogs as a function, loads them before the gateway connects, and sends the commands
when they changed. Its command tree notes each user's language, counts each interaction as running, and
turns new ones away once the bot is stopping. What always holds: nobody is ever mentioned by what the bot
says; no prefix commands exist; an error that reaches the client is logged with an error id. Connecting and
signals are ``bot.py``'s.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.desk import ErrorDesk, StoppingError
from cogs.models import ModelChoices
from cogs.readers import Readers
from cogs.running import RunningAnswers
from cogs.sync import Notes, sync_commands
from cogs.translator import CatalogueTranslator

_log = logging.getLogger(__name__)

# waiting longer than this for a rate limit helps nobody: the interaction's reader has gone
_LONGEST_RATELIMIT_S = 60.0


class GeminiBot(commands.Bot):
    """The bot as Discord sees it."""

    def __init__(
        self,
        *,
        make_cogs: Callable[[GeminiBot], Sequence[commands.Cog]],
        notes: Notes,
        models: ModelChoices,
        desk: ErrorDesk,
        readers: Readers,
        running: RunningAnswers,
        reads_content: bool,
        commands_epoch: str = "",
    ) -> None:
        # the bot has no voice; without this each start would advise to install one
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        intents = discord.Intents.default()
        intents.message_content = reads_content
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=_LONGEST_RATELIMIT_S,
            tree_cls=_Tree,
        )
        self._make_cogs = make_cogs
        self._notes = notes
        self._models = models
        self._epoch = commands_epoch
        self._background: asyncio.Task[None] | None = None
        self.desk = desk
        self.readers = readers
        self.running = running
        self.tree.error(desk.on_command)

    async def setup_hook(self) -> None:
        """Load the cogs and tell Discord the commands; runs once, before the gateway connects."""
        await self.tree.set_translator(CatalogueTranslator())
        for cog in self._make_cogs(self):
            await self.add_cog(cog)
        if await sync_commands(self.tree, self._notes, epoch=self._epoch):
            _log.info("the commands were sent to Discord")
        self._background = asyncio.create_task(self._models.keep_fresh(), name="models")

    async def close(self) -> None:
        """Leave Discord; running answers are ``RunningAnswers.drain``'s."""
        if self._background is not None:
            self._background.cancel()
            await asyncio.wait([self._background])
        await super().close()

    async def on_message(self, message: discord.Message, /) -> None:
        """Do nothing: messages are for the cogs' listeners, and there are no prefix commands."""

    async def on_error(self, event_method: str, /, *_args: Any, **_kwargs: Any) -> None:
        """Log what a listener let through."""
        _log.exception("unexpected error in %s", event_method)


class _Tree(app_commands.CommandTree[GeminiBot]):
    """Lets interactions in, or not, before any command sees them."""

    async def interaction_check(self, interaction: discord.Interaction[GeminiBot], /) -> bool:
        bot = interaction.client
        bot.readers.remember(interaction)
        if interaction.type is discord.InteractionType.autocomplete:
            return not bot.running.closing
        if bot.running.join():
            return True
        sentence = bot.desk.sentence(StoppingError(), str(interaction.locale), where="stopping")
        await bot.desk.tell(interaction, sentence)
        return False
