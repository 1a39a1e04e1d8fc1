"""The Discord client: what it asks of Discord, and how cogs, commands and the stop hang on it.

``GeminiBot`` takes its cogs as a function, loads them before the gateway connects, and sends the commands
when they changed; ``background`` is what runs as long as it does. Its command tree notes each user's
language, counts each interaction as running, and turns new ones away once the bot is stopping, as well as
those that the server keeps for others. What always holds: nobody is ever mentioned by what the bot says; no
prefix commands exist; an error that reaches the client is logged with an error id. Connecting and signals
are ``bot.py``'s.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.access import Gatekeeper
from cogs.desk import ErrorDesk, StoppingError
from cogs.identifies import Identifies
from cogs.readers import Readers
from cogs.running import RunningAnswers
from cogs.sync import Notes, sync_commands
from cogs.timely import in_time
from cogs.translator import CatalogueTranslator
from cogs.vestibule import Vestibule
from utils.storage import StorageError

_log = logging.getLogger(__name__)

#: The client is ready when no further server has been heard of for so long.
READY_AFTER_S = 2.0
# discord.py refuses a request beforehand when its bucket's window ends later than this, even if the bucket has room:
# it must be longer than any window (that of opening threads is minutes), and who waits for one sets a time of its own
_LONGEST_WINDOW_S = 3600.0


class GeminiBot(commands.Bot):
    """The bot as Discord sees it."""

    def __init__(
        self,
        *,
        make_cogs: Callable[[GeminiBot], Sequence[commands.Cog]],
        notes: Notes,
        desk: ErrorDesk,
        readers: Readers,
        running: RunningAnswers,
        gatekeeper: Gatekeeper,
        vestibule: Vestibule,
        background: Sequence[Callable[[], Coroutine[Any, Any, None]]],
        reads_content: bool,
        commands_epoch: str = "",
        ready_after_s: float = READY_AFTER_S,
        identifies: Identifies | None = None,
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
            max_ratelimit_timeout=_LONGEST_WINDOW_S,
            guild_ready_timeout=ready_after_s,
            tree_cls=_Tree,
        )
        self._make_cogs = make_cogs
        self._notes = notes
        self._epoch = commands_epoch
        self._background = background
        self._identifies = identifies
        self._tasks: list[asyncio.Task[None]] = []
        self.desk = desk
        self.readers = readers
        self.running = running
        self.gatekeeper = gatekeeper
        self.vestibule = vestibule
        self.tree.error(desk.on_command)

    async def setup_hook(self) -> None:
        """Load the cogs and tell Discord the commands; runs once, before the gateway connects."""
        await self.tree.set_translator(CatalogueTranslator())
        for cog in self._make_cogs(self):
            await self.add_cog(cog)
        if await sync_commands(self.tree, self._notes, epoch=self._epoch):
            _log.info("the commands were sent to Discord")
        self._tasks = [asyncio.create_task(work()) for work in self._background]

    async def connect(self, *, reconnect: bool = True) -> None:
        """Connect to the gateway, once a session may be begun, and stay connected."""
        if self._identifies is not None:
            await self._identifies.ready()
        await super().connect(reconnect=reconnect)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Count a new session before it is begun; where there were too many, the connection is made anew later."""
        await super().before_identify_hook(shard_id, initial=initial)
        if self._identifies is not None:
            await self._identifies.spend()

    async def close(self) -> None:
        """Leave Discord; running answers are ``RunningAnswers.drain``'s."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await super().close()

    async def on_message(self, message: discord.Message, /) -> None:
        """Do nothing: messages are for the cogs' listeners, and there are no prefix commands."""

    async def on_error(self, event_method: str, /, *_args: Any, **_kwargs: Any) -> None:
        """Log what a listener let through."""
        error = sys.exception()
        if isinstance(error, StorageError):
            # the next start, or the next event, makes up for it
            _log.warning("%s was not seen to: %s: %s", event_method, type(error).__name__, error)
            return
        _log.exception("unexpected error in %s", event_method)


class _Tree(app_commands.CommandTree[GeminiBot]):
    """Lets interactions in, or not, before any command sees them."""

    async def interaction_check(self, interaction: discord.Interaction[GeminiBot], /) -> bool:
        bot = interaction.client
        bot.readers.remember(interaction)
        if interaction.type is discord.InteractionType.autocomplete:
            return not bot.running.closing
        if not bot.running.join():
            sentence = bot.desk.sentence(StoppingError(), str(interaction.locale), where="stopping")
            await bot.desk.tell(interaction, sentence)
            return False
        bot.vestibule.enter(interaction.response.is_done)
        try:
            async with in_time(interaction):
                refusal = await bot.gatekeeper.refusal(interaction)
        except StorageError as error:
            refusal = bot.desk.sentence(error, str(interaction.locale), where="who may use a command")
        if refusal is not None:
            await bot.desk.tell(interaction, refusal)
        return refusal is None
