"""Changing a chat that is under way: which one is meant, and who may.

``chat_to_change`` finds the conversation of the thread or direct messages that an interaction was made in; ``/model``
chooses its model. What always holds: only who opened a chat, or who may manage threads or the server, changes it; a
refusal is told to the asker alone; a change that all who talk there are affected by is said in the thread.
"""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.access import Gatekeeper
from cogs.incoming import shown_name
from cogs.models import ModelChoices
from cogs.timely import in_time
from utils.conversations import Conversations
from utils.conversations.limits import check_model
from utils.i18n import translate
from utils.storage import Conversation


async def chat_to_change(interaction: discord.Interaction, conversations: Conversations) -> Conversation | None:
    """Give the chat that is here, if the user may change it; otherwise say why not and give None."""
    locale = str(interaction.locale)
    async with in_time(interaction):
        conversation = await conversations.find(interaction.channel_id or 0)
    permissions = interaction.permissions
    if conversation is None:
        sentence = translate("thread.none_here", locale)
    elif conversation.owner_id != interaction.user.id and not (permissions.manage_threads or permissions.manage_guild):
        sentence = translate("thread.not_yours", locale)
    else:
        return conversation
    await interaction.response.send_message(sentence, ephemeral=True)
    return None


class ThreadCog(commands.Cog):
    """`/model`."""

    def __init__(self, conversations: Conversations, gatekeeper: Gatekeeper, models: ModelChoices) -> None:
        self._conversations = conversations
        self._gatekeeper = gatekeeper
        self._models = models

    @app_commands.command(name="model", description="Choose the model that answers in this thread")
    @app_commands.describe(model="The Gemini model; without it, the usual one")
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def model(self, interaction: discord.Interaction, model: str | None = None) -> None:
        """Let the thread's next answers be given by another model."""
        locale = str(interaction.locale)
        refusal = check_model(model, self._models.names()) if model is not None else None
        if refusal is not None:
            sentence: str | None = refusal.sentence(locale)
        else:
            async with in_time(interaction):
                sentence = await self._gatekeeper.model_refusal(interaction, model)
        if sentence is not None:
            await interaction.response.send_message(sentence, ephemeral=True)
            return
        conversation = await chat_to_change(interaction, self._conversations)
        if conversation is None:
            return
        async with in_time(interaction):
            await self._conversations.choose(conversation, model=model)
        sentence = (
            translate("thread.model_usual", locale)
            if model is None
            else translate("thread.model_chosen", locale, model=shown_name(model))
        )
        await interaction.response.send_message(sentence)

    @model.autocomplete("model")
    async def complete_model(self, _interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the models known by now; asks nobody."""
        return self._models.choices(current)
