"""One question, one answer: ``/ask`` and the message menu "Ask Gemini".

Every check that needs no waiting comes first and is answered to the asker alone, because a public deferral
cannot become private later; then the interaction is deferred, the question stored, and the answer streamed
into it. Both work for people who installed the bot for themselves too, in servers and group messages where it is not a
member: there everything is said through the interaction. What always holds: nothing is stored or sent to the model for
a refused question. Streaming and storing are ``Answering``'s, errors the desk's.
"""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.access import Gatekeeper
from cogs.answering import ANYWHERE, IN_CHANNEL, IN_SERVER, Answering, asked_by_interaction
from cogs.controls import Action
from cogs.incoming import Intake
from cogs.models import ModelChoices
from cogs.turnstile import Turnstile
from utils.conversations import Conversations, chosen_tools
from utils.rendering.discord import InteractionTarget, Place, writable_channel


class AskCog(commands.Cog):
    """`/ask` and "Ask Gemini"."""

    def __init__(
        self,
        tree: app_commands.CommandTree[Any],
        answering: Answering,
        conversations: Conversations,
        intake: Intake,
        models: ModelChoices,
        *,
        gatekeeper: Gatekeeper,
        turnstile: Turnstile,
    ) -> None:
        self._tree = tree
        self._answering = answering
        self._conversations = conversations
        self._intake = intake
        self._models = models
        self._gatekeeper = gatekeeper
        self._turnstile = turnstile
        self._menu = app_commands.ContextMenu(
            name="Ask Gemini",
            callback=self.ask_message,
            extras={"catalogue": "ask_message", "access": "ask"},
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
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
        search="Let the answer search the web and name its sources",
        code="Let Gemini run Python to work the answer out",
    )
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def ask(  # noqa: PLR0917 - discord.py gives the options of a command by position
        self,
        interaction: discord.Interaction,
        prompt: str,
        file: discord.Attachment | None = None,
        model: str | None = None,
        search: bool = False,
        code: bool = False,
    ) -> None:
        """Answer one question publicly."""
        options = chosen_tools(search=search, code=code)
        await self._answer(interaction, prompt, [file] if file is not None else [], model, options)

    @ask.autocomplete("model")
    async def complete_model(self, _interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the models known by now; asks nobody."""
        return self._models.choices(current)

    async def ask_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Answer what another message says."""
        await self._answer(interaction, message.content, message.attachments, None, {})

    async def _answer(
        self,
        interaction: discord.Interaction,
        text: str,
        files: list[discord.Attachment],
        model: str | None,
        options: dict[str, Any],
    ) -> None:
        refusal = self._intake.refusal(text, files, model=model, known_models=self._models.names())
        sentence = refusal.sentence(str(interaction.locale)) if refusal is not None else None
        sentence = sentence or await self._gatekeeper.model_refusal(interaction, model)
        sentence = sentence or await self._turnstile.refusal(interaction)
        if sentence is not None:
            await interaction.response.send_message(sentence, ephemeral=True)
            return
        deferred = await interaction.response.defer(thinking=True)
        asked = asked_by_interaction(interaction, text, files, keeps_token=True)
        await self._answering.calm()
        conversation = await self._conversations.open(
            kind="ask",
            guild_id=asked.guild_id,
            channel_id=asked.channel_id,
            owner_id=asked.user.id,
            model=model,
            options=options,
        )
        message_id = deferred.message_id if deferred is not None else None
        await self._answering.answer(
            asked,
            conversation,
            lambda nonce, controls: InteractionTarget(interaction, nonce=nonce, controls=controls),
            here=_possible(interaction),
            place=Place(asked.channel_id, message_id) if message_id is not None else None,
        )


def _possible(interaction: discord.Interaction) -> frozenset[Action]:
    """Name the buttons that make sense where the answer stands."""
    if writable_channel(interaction) is None:
        return ANYWHERE
    return IN_SERVER if interaction.guild_id is not None else IN_CHANNEL
