"""``/chat``: a thread in which every message is answered.

A public thread hangs on the command's own answer, whose id it shares; a private one is opened beside it for the asker
alone. What always holds: whether one can be opened here is judged before the interaction is deferred, by what Discord
says the bot may do; the conversation, and the question that came with the command, are stored before the thread is
opened, so that neither a message in it nor a kill in between is lost; where Discord refuses the thread after all, the
sentence names another way. Opening is ``chat_threads``'s, messages in the thread are ``chat``'s.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.access import Gatekeeper
from cogs.answering import IN_SERVER, Answering, asked_by_interaction
from cogs.chat_threads import PRIVATE, ChatThreads
from cogs.incoming import Intake, shown_name
from cogs.models import ModelChoices
from cogs.persona_forms import PersonaChoices
from cogs.sync import Notes
from cogs.turnstile import Turnstile
from utils.conversations import Conversations, Turn, chosen_tools
from utils.conversations.limits import TEMPERATURE_RANGE
from utils.conversations.preferences import persona_options
from utils.i18n import translate
from utils.rendering.discord import ChannelTarget
from utils.storage import Conversation

_log = logging.getLogger(__name__)

#: What opening a thread and speaking in it takes, by discord.py's names.
_NEEDED = ("view_channel", "send_messages", "send_messages_in_threads")


@dataclass(frozen=True, slots=True)
class _Wish:
    """What somebody chose for a chat."""

    prompt: str | None
    persona: str | None
    model: str | None
    temperature: float | None
    private: bool


class ChatOpeningCog(commands.Cog):
    """`/chat`."""

    def __init__(
        self,
        answering: Answering,
        conversations: Conversations,
        threads: ChatThreads,
        intake: Intake,
        models: ModelChoices,
        *,
        notes: Notes,
        reads_content: bool,
        personas: PersonaChoices,
        gatekeeper: Gatekeeper,
        turnstile: Turnstile,
    ) -> None:
        self._answering = answering
        self._conversations = conversations
        self._threads = threads
        self._intake = intake
        self._models = models
        self._notes = notes
        self._reads_content = reads_content
        self._personas = personas
        self._gatekeeper = gatekeeper
        self._turnstile = turnstile

    @app_commands.command(name="chat", description="Open a thread in which Gemini answers every message")
    @app_commands.describe(
        prompt="The first question of the thread",
        persona="Who Gemini shall be in the thread",
        model="The Gemini model that answers in the thread",
        temperature="From 0 (always the same) to 2 (full of surprises)",
        private="Only you, and whom you mention in it, see the thread",
        search="Let answers search the web and name their sources",
        code="Let Gemini run Python to work answers out",
    )
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    async def chat(  # noqa: PLR0917 - discord.py gives the options of a command by position
        self,
        interaction: discord.Interaction,
        prompt: str | None = None,
        persona: str | None = None,
        model: str | None = None,
        temperature: app_commands.Range[float, TEMPERATURE_RANGE[0], TEMPERATURE_RANGE[1]] | None = None,
        private: bool = False,
        search: bool = False,
        code: bool = False,
    ) -> None:
        """Open a thread and, where there is one, answer its first question."""
        wish = _Wish(prompt, persona, model, temperature, private)
        options = chosen_tools(search=search, code=code)
        sentence = self._refusal(interaction, wish) or await self._gatekeeper.model_refusal(interaction, model)
        if sentence is None and persona is not None:
            chosen = await self._personas.find(interaction, persona)
            options |= persona_options(chosen, interaction.user.id) if chosen is not None else {}
            if chosen is None:
                sentence = translate("persona.unknown", str(interaction.locale), name=shown_name(persona))
        if sentence is None and prompt is not None:
            sentence = await self._turnstile.refusal(interaction)
        if sentence is not None:
            await interaction.response.send_message(sentence, ephemeral=True)
            return
        deferred = await interaction.response.defer(thinking=True, ephemeral=private)
        message_id = deferred.message_id if deferred is not None else None
        await self._open(interaction, wish, options, message_id or interaction.id)

    @chat.autocomplete("model")
    async def complete_model(self, _interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the models known by now; asks nobody."""
        return self._models.choices(current)

    @chat.autocomplete("persona")
    async def complete_persona(self, interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the personas that may be used here."""
        return await self._personas.choices(interaction, current)

    def _refusal(self, interaction: discord.Interaction, wish: _Wish) -> str | None:
        locale = str(interaction.locale)
        if not isinstance(interaction.channel, discord.TextChannel):
            return translate("chat.not_here", locale)
        needed = (*_NEEDED, "create_private_threads" if wish.private else "create_public_threads")
        missing = [name for name in needed if not getattr(interaction.app_permissions, name)]
        if missing:
            names = ", ".join(name.replace("_", " ") for name in missing)
            return translate("error.permissions", locale, permissions=names)
        # without a question there is nothing to check but the model
        text = "-" if wish.prompt is None else wish.prompt
        refusal = self._intake.refusal(text, (), model=wish.model, known_models=self._models.names())
        return refusal.sentence(locale) if refusal is not None else None

    async def _open(
        self, interaction: discord.Interaction, wish: _Wish, options: dict[str, Any], message_id: int
    ) -> None:
        """Store the conversation and its first question, then open the thread and answer there."""
        await self._answering.calm()
        conversation = await self._conversations.open(
            kind="thread",
            guild_id=interaction.guild_id,
            channel_id=message_id,
            owner_id=interaction.user.id,
            model=wish.model,
            temperature=wish.temperature,
            options={**options, PRIVATE: True} if wish.private else options,
            seen_id=message_id,
        )
        turn = None
        if wish.prompt is not None:
            turn = await self._answering.take(asked_by_interaction(interaction, wish.prompt, ()), conversation)
        with self._conversations.responsible(turn):
            await self._open_and_begin(interaction, wish, conversation, turn)

    async def _open_and_begin(
        self, interaction: discord.Interaction, wish: _Wish, conversation: Conversation, turn: Turn | None
    ) -> None:
        locale = str(interaction.locale)
        try:
            thread, conversation = await self._threads.open(conversation, interaction, wish.prompt)
        except (discord.HTTPException, discord.RateLimited, TimeoutError) as error:
            _log.warning("/chat: Discord opened no thread: %s", error)
            if turn is not None:
                self._conversations.let_go(turn)
                self._turnstile.give_back(interaction.id)
            await self._conversations.drop(conversation)
            await interaction.edit_original_response(content=translate("chat.thread_failed", locale))
            return
        await interaction.edit_original_response(content=translate("chat.opened", locale, thread=thread.mention))
        await self._begin(interaction, thread, conversation, turn)

    async def _begin(
        self, interaction: discord.Interaction, thread: discord.Thread, conversation: Conversation, turn: Turn | None
    ) -> None:
        locale = str(interaction.locale)
        client_user = interaction.client.user
        if not self._reads_content and client_user is not None:
            await self._notes.set(f"mention_me.{thread.id}", "said")
            await thread.send(translate("chat.mention_me", locale, mention=client_user.mention))
        if turn is not None:
            await self._answering.give(
                turn,
                conversation,
                lambda nonce, controls: ChannelTarget(thread, nonce=nonce, controls=controls),
                here=IN_SERVER,
            )
        elif self._reads_content:
            model = await self._conversations.model_of(conversation)
            await thread.send(translate("chat.welcome", locale, model=model))
