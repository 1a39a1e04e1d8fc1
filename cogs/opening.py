"""``/chat``: a public thread in which every message is answered.

The thread hangs on the command's own answer. What always holds: whether one can be opened here is judged
before the interaction is deferred, by what Discord says the bot may do; a thread is answered in only after
its conversation was stored; where Discord refuses the thread after all, the sentence names another way.
Messages in the thread are ``cogs.chat``'s.
"""

from __future__ import annotations

import logging
from typing import Final

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answering import Answering, asked_by_interaction
from cogs.incoming import Intake
from cogs.models import ModelChoices
from cogs.sync import Notes
from utils.conversations import Conversations
from utils.i18n import translate
from utils.rendering.discord import ChannelTarget
from utils.storage import Conversation

_log = logging.getLogger(__name__)

_TITLE_LENGTH = 80
_ARCHIVE_MINUTES: Final = 1440
#: What opening a thread and speaking in it takes, by discord.py's names.
_NEEDED = ("view_channel", "send_messages", "create_public_threads", "send_messages_in_threads")


class ChatOpeningCog(commands.Cog):
    """`/chat`."""

    def __init__(
        self,
        answering: Answering,
        conversations: Conversations,
        intake: Intake,
        models: ModelChoices,
        *,
        notes: Notes,
        default_model: str,
        reads_content: bool,
    ) -> None:
        self._answering = answering
        self._conversations = conversations
        self._intake = intake
        self._models = models
        self._notes = notes
        self._default_model = default_model
        self._reads_content = reads_content

    @app_commands.command(name="chat", description="Open a thread in which Gemini answers every message")
    @app_commands.describe(
        prompt="The first question of the thread", model="The Gemini model that answers in the thread"
    )
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    async def chat(self, interaction: discord.Interaction, prompt: str | None = None, model: str | None = None) -> None:
        """Open a thread and, where there is one, answer its first question."""
        sentence = self._refusal(interaction, prompt, model)
        if sentence is not None:
            await interaction.response.send_message(sentence, ephemeral=True)
            return
        await interaction.response.defer(thinking=True)
        thread = await self._open_thread(interaction, prompt)
        if thread is None:
            return
        conversation = await self._conversations.open(
            kind="thread",
            guild_id=interaction.guild_id,
            channel_id=thread.id,
            owner_id=interaction.user.id,
            model=model,
            title=thread.name,
        )
        await self._begin(interaction, thread, conversation, prompt)

    @chat.autocomplete("model")
    async def complete_model(self, _interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the models known by now; asks nobody."""
        return self._models.choices(current)

    def _refusal(self, interaction: discord.Interaction, prompt: str | None, model: str | None) -> str | None:
        locale = str(interaction.locale)
        if not isinstance(interaction.channel, discord.TextChannel):
            return translate("chat.not_here", locale)
        missing = [name for name in _NEEDED if not getattr(interaction.app_permissions, name)]
        if missing:
            names = ", ".join(name.replace("_", " ") for name in missing)
            return translate("error.permissions", locale, permissions=names)
        # without a question there is nothing to check but the model
        text = "-" if prompt is None else prompt
        refusal = self._intake.refusal(text, (), model=model, known_models=self._models.names())
        return refusal.sentence(locale) if refusal is not None else None

    async def _open_thread(self, interaction: discord.Interaction, prompt: str | None) -> discord.Thread | None:
        locale = str(interaction.locale)
        title = " ".join((prompt or "").split())[:_TITLE_LENGTH] or translate("chat.title", locale)
        answer = await interaction.original_response()
        try:
            thread = await answer.create_thread(name=title, auto_archive_duration=_ARCHIVE_MINUTES)
        except (discord.HTTPException, discord.RateLimited) as error:
            _log.warning("/chat: Discord opened no thread: %s", error)
            await interaction.edit_original_response(content=translate("chat.thread_failed", locale))
            return None
        await interaction.edit_original_response(content=translate("chat.opened", locale, thread=thread.mention))
        return thread

    async def _begin(
        self,
        interaction: discord.Interaction,
        thread: discord.Thread,
        conversation: Conversation,
        prompt: str | None,
    ) -> None:
        locale = str(interaction.locale)
        client_user = interaction.client.user
        if not self._reads_content and client_user is not None:
            await self._notes.set(f"mention_me.{thread.id}", "said")
            await thread.send(translate("chat.mention_me", locale, mention=client_user.mention))
        if prompt is not None:
            asked = asked_by_interaction(interaction, prompt, ())
            await self._answering.answer(asked, conversation, ChannelTarget(thread))
        elif self._reads_content:
            model = conversation.model or self._default_model
            await thread.send(translate("chat.welcome", locale, model=model))
