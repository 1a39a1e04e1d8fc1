"""One question, one answer: ``/ask`` and the message menu "Ask Gemini".

Every check that needs no waiting comes first and is answered to the asker alone, because a public deferral
cannot become private later; then the interaction is deferred, the question stored, and the answer streamed
into it. What always holds: nothing is stored or sent to the model for a refused question. Streaming and
storing are ``Answering``'s, errors the desk's.
"""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answering import Answering, asked_by_interaction
from cogs.incoming import Intake
from cogs.models import ModelChoices
from utils.conversations import Conversations
from utils.rendering.discord import InteractionTarget


class AskCog(commands.Cog):
    """`/ask` and "Ask Gemini"."""

    def __init__(
        self,
        tree: app_commands.CommandTree[Any],
        answering: Answering,
        conversations: Conversations,
        intake: Intake,
        models: ModelChoices,
    ) -> None:
        self._tree = tree
        self._answering = answering
        self._conversations = conversations
        self._intake = intake
        self._models = models
        self._menu = app_commands.ContextMenu(
            name="Ask Gemini",
            callback=self.ask_message,
            extras={"catalogue": "ask_message"},
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )

    async def cog_load(self) -> None:
        """Add the menu entry, which a cog cannot declare by decorator."""
        self._tree.add_command(self._menu)

    async def cog_unload(self) -> None:
        """Take the menu entry away again."""
        self._tree.remove_command(self._menu.name, type=self._menu.type)

    @app_commands.command(name="ask", description="Ask Gemini a question")
    @app_commands.describe(
        prompt="What you want to know",
        file="A picture, sound, video, PDF or text to look at",
        model="The Gemini model that answers",
    )
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def ask(
        self,
        interaction: discord.Interaction,
        prompt: str,
        file: discord.Attachment | None = None,
        model: str | None = None,
    ) -> None:
        """Answer one question publicly."""
        await self._answer(interaction, prompt, [file] if file is not None else [], model)

    @ask.autocomplete("model")
    async def complete_model(self, _interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the models known by now; asks nobody."""
        return self._models.choices(current)

    async def ask_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Answer what another message says."""
        await self._answer(interaction, message.content, message.attachments, None)

    async def _answer(
        self,
        interaction: discord.Interaction,
        text: str,
        files: list[discord.Attachment],
        model: str | None,
    ) -> None:
        refusal = self._intake.refusal(text, files, model=model, known_models=self._models.names())
        if refusal is not None:
            await interaction.response.send_message(refusal.sentence(str(interaction.locale)), ephemeral=True)
            return
        await interaction.response.defer(thinking=True)
        asked = asked_by_interaction(interaction, text, files)
        conversation = await self._conversations.open(
            kind="ask",
            guild_id=asked.guild_id,
            channel_id=asked.channel_id,
            owner_id=asked.user.id,
            model=model,
        )
        await self._answering.answer(asked, conversation, InteractionTarget(interaction))
