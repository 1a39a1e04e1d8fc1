"""The one error desk: whatever goes wrong while somebody waits ends here as one sentence and one log entry.

``ErrorDesk.sentence`` says it to the reader, in this order: errors that name their sentence, the pool's
among them; the database; files; Discord itself; anything else, with an error id that stands in the log too.
``on_command`` is the command tree's error handler, ``on_message`` serves questions that came as messages.
What always holds: text of a foreign error never reaches a person, since it may hold a key or a prompt; a
failure to deliver the sentence is logged and ends there; expected errors are one line in the log,
unexpected ones carry their traceback.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import ClassVar

import discord
from discord import app_commands

from cogs.incoming import AttachmentRefusedError, AttachmentUnreadError, shown_name
from utils.gemini_pool import PoolError
from utils.i18n import translate
from utils.rendering.sentences import error_sentence
from utils.storage import StorageError

_log = logging.getLogger(__name__)

_NOBODY = discord.AllowedMentions.none()


class StoppingError(Exception):
    """The bot is about to stop and takes no new work."""

    sentence_id: ClassVar[str] = "error.pool_closed"


class ErrorDesk:
    """Tells people and the log what went wrong; ``new_id`` makes the ids by which both are matched."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id

    def sentence(self, error: BaseException, locale: str, *, where: str) -> str:
        """Log the error, with ``where`` it happened, and give the sentence for its reader."""
        error_id = self._new_id()
        if isinstance(error, PoolError | asyncio.CancelledError) or hasattr(error, "sentence_id"):
            _log.warning("%s: %s: %s [error %s]", where, type(error).__name__, error, error_id)
            return error_sentence(error, locale)
        if isinstance(error, StorageError):
            _log.error("%s: %s: %s [error %s]", where, type(error).__name__, error, error_id)
            return translate("error.storage", locale)
        if isinstance(error, AttachmentRefusedError):
            _log.info("%s: %s [error %s]", where, error, error_id)
            return error.refusal.sentence(locale)
        if isinstance(error, AttachmentUnreadError):
            _log.warning("%s: %s [error %s]", where, error, error_id)
            return translate("ask.attachment_unread", locale, name=shown_name(error.name))
        if isinstance(error, discord.HTTPException | discord.RateLimited):
            _log.warning("%s: Discord: %s [error %s]", where, error, error_id)
            return translate("error.discord", locale)
        _log.error("%s: unexpected error [error %s]", where, error_id, exc_info=error)
        return translate("error.general_id", locale, error_id=error_id)

    async def on_command(self, interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        """Answer an interaction whose command failed; only its user sees the sentence where that can be."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        name = interaction.command.qualified_name if interaction.command is not None else "unknown command"
        text = self.sentence(cause, str(interaction.locale), where=f"/{name}")
        await self.tell(interaction, text)

    async def tell(self, interaction: discord.Interaction, text: str) -> None:
        """Say one sentence to the interaction's user: as its answer, or in place of a deferred one."""
        try:
            if not interaction.response.is_done():
                await interaction.response.send_message(text, ephemeral=True, allowed_mentions=_NOBODY)
            elif interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
                await interaction.edit_original_response(content=text, allowed_mentions=_NOBODY)
            else:
                await interaction.followup.send(text, ephemeral=True, allowed_mentions=_NOBODY)
        except (discord.HTTPException, discord.RateLimited, OSError) as undelivered:
            _log.warning("a sentence could not be delivered: %s", undelivered)

    async def on_message(self, message: discord.Message, error: Exception, locale: str) -> None:
        """Answer a message whose question failed."""
        await self.reply(message, self.sentence(error, locale, where="a message"))

    async def reply(self, message: discord.Message, text: str) -> None:
        """Say one sentence under a message, without a ping."""
        try:
            await message.reply(text, mention_author=False, allowed_mentions=_NOBODY)
        except (discord.HTTPException, discord.RateLimited, OSError) as undelivered:
            _log.warning("a sentence could not be delivered: %s", undelivered)
