"""What the buttons under answers do: stop, ask again, go on, branch off.

``ButtonsCog`` takes the client's event ``turn_button`` (see ``controls``). What always holds: a press is acknowledged
before anything is looked up, so it is in time; only who asked, who opened the thread, or who may manage messages here
gets anything done, checked here, and of them only who may still use the command or model that the answer came of
(stopping is not kept from who asked); whatever cannot be done is told to the presser alone, in one sentence; a press
that Discord delivers twice does its work once.
"""

from __future__ import annotations

import dataclasses
import logging

import discord
from discord.ext import commands

from cogs.access import Gatekeeper
from cogs.answering import IN_CHANNEL, IN_SERVER, Answering, asked_by_interaction
from cogs.branching import Branching
from cogs.controls import Action, AnswerControls, TurnButton, view_of
from cogs.desk import ErrorDesk, StoppingError
from cogs.places import Places
from cogs.readers import Readers
from cogs.running import RunningAnswers
from cogs.turnstile import Turnstile
from utils.conversations import Conversations, Turn
from utils.i18n import translate
from utils.rendering.discord import ChannelTarget, writable_channel
from utils.storage import Conversation

_log = logging.getLogger(__name__)

#: What the model is told; the same in every language, since no person reads it.
GO_ON = "Continue exactly where you stopped, without repeating anything."
#: Others may have asked since; so much of its end tells an answer from theirs.
_MEANT = " Your answer that is meant ended with: “…{end}”"
_END_CHARACTERS = 200


class ButtonsCog(commands.Cog):
    """The buttons under answers."""

    def __init__(
        self,
        bot: commands.Bot,
        conversations: Conversations,
        answering: Answering,
        places: Places,
        branching: Branching,
        *,
        desk: ErrorDesk,
        readers: Readers,
        running: RunningAnswers,
        gatekeeper: Gatekeeper,
        turnstile: Turnstile,
    ) -> None:
        self._bot = bot
        self._conversations = conversations
        self._answering = answering
        self._places = places
        self._branching = branching
        self._desk = desk
        self._readers = readers
        self._running = running
        self._gatekeeper = gatekeeper
        self._turnstile = turnstile

    async def cog_load(self) -> None:
        """Know the buttons of answers that were given before this start."""
        self._bot.add_dynamic_items(TurnButton)

    async def cog_unload(self) -> None:
        """Know them no more."""
        self._bot.remove_dynamic_items(TurnButton)

    @commands.Cog.listener()
    async def on_turn_button(self, interaction: discord.Interaction, action: Action, turn_id: int) -> None:
        """Do what a button says; every failure ends at the desk."""
        self._readers.remember(interaction)
        locale = str(interaction.locale)
        if not self._running.join():
            await self._desk.tell(interaction, self._desk.sentence(StoppingError(), locale, where="stopping"))
            return
        try:
            await interaction.response.defer()
            await self._answering.calm()
            sentence = await self._do(interaction, action, turn_id)
            if sentence is not None:
                await self._desk.tell(interaction, sentence)
        except Exception as error:  # noqa: BLE001 - the desk logs it and tells the presser
            await self._desk.tell(interaction, self._desk.sentence(error, locale, where=f"the button {action}"))

    async def _do(self, interaction: discord.Interaction, action: Action, turn_id: int) -> str | None:
        """Do it, or give the sentence that says why not."""
        turn = await self._conversations.turn(turn_id)
        conversation = await self._conversations.get(turn.conversation_id) if turn is not None else None
        sentence_id: str | None = "chat.forgotten"
        if turn is not None and conversation is not None:
            if not await self._may(interaction, turn, conversation):
                sentence_id = "chat.not_yours"
            elif action != "stop" and (refusal := await self._gatekeeper.turn_refusal(interaction, conversation)):
                return refusal
            else:
                sentence_id = await self._act(interaction, action, turn, conversation)
        return translate(sentence_id, str(interaction.locale)) if sentence_id is not None else None

    async def _act(
        self, interaction: discord.Interaction, action: Action, turn: Turn, conversation: Conversation
    ) -> str | None:
        """Do what the presser may do, or name the sentence that says why it cannot be done."""
        if action == "stop":
            return self._stop(turn)
        if action == "again":
            return await self._again(interaction, turn, conversation)
        if turn.state != "answered":
            return "chat.still_running"
        if action == "more":
            return await self._go_on(interaction, turn, conversation)
        return await self._branching.branch(interaction, turn, conversation)

    def _stop(self, turn: Turn) -> str | None:
        if self._conversations.stop(turn.id):
            return None
        # only the process that writes an answer can end it
        return "chat.runs_elsewhere" if turn.state in {"asked", "answering"} else "chat.nothing_runs"

    async def _may(self, interaction: discord.Interaction, turn: Turn, conversation: Conversation) -> bool:
        user_id = interaction.user.id
        if interaction.user.bot:
            return False
        if user_id == turn.user_id or (conversation.kind == "thread" and user_id == conversation.owner_id):
            return True
        if interaction.guild_id is not None and interaction.permissions.manage_messages:
            return True
        # one of several people whose messages became one question
        return any(said.user_id == user_id for said in await self._conversations.said(turn) if said.role == "user")

    async def _again(self, interaction: discord.Interaction, turn: Turn, conversation: Conversation) -> str | None:
        if writable_channel(interaction) is None and turn.more_message_ids:
            # messages that followed through an earlier interaction can be changed by that one's token only
            return "chat.not_writable"
        if await self._held_back(interaction):
            return None
        reopened = await self._conversations.again(turn.id)
        if reopened is None:
            self._turnstile.give_back(interaction.id)
            return "chat.still_running"
        make_target, here = self._places.pressed(reopened, interaction)
        await self._show(interaction, view_of(reopened, "stop"))
        await self._answering.give(reopened, conversation, make_target, here=here, use_id=interaction.id)
        return None

    async def _show(self, interaction: discord.Interaction, view: discord.ui.View | None) -> None:
        """Change the buttons of the pressed message; what they lead to does not depend on it."""
        try:
            await interaction.edit_original_response(view=view)
        except (discord.HTTPException, discord.RateLimited, OSError) as error:
            _log.info("the buttons of an answer stay as they are: %s", error)

    async def _held_back(self, interaction: discord.Interaction) -> bool:
        """Tell who asks too much so; what a button has answered counts like any question."""
        sentence = await self._turnstile.refusal(interaction)
        if sentence is not None:
            await self._desk.tell(interaction, sentence)
        return sentence is not None

    async def _go_on(self, interaction: discord.Interaction, turn: Turn, conversation: Conversation) -> str | None:
        channel, message = writable_channel(interaction), interaction.message
        if channel is None or message is None:
            return "chat.not_writable"
        if await self._held_back(interaction):
            return None
        here = IN_SERVER if interaction.guild_id is not None else IN_CHANNEL
        left = AnswerControls(self._conversations, turn, here=here - {"more"}).offered(turn)
        await self._show(interaction, view_of(turn, *left))
        # a message that comes before the answer has begun is a question of its own, not more of this one
        asked = dataclasses.replace(asked_by_interaction(interaction, await self._order(turn), ()), alone=True)
        await self._answering.answer(
            asked,
            conversation,
            lambda nonce, controls: ChannelTarget(channel, message, nonce=nonce, controls=controls),
            here=here,
        )
        return None

    async def _order(self, turn: Turn) -> str:
        """Give what the model is told, so that it goes on with this turn's answer, whatever was said since."""
        ends = [said.text[-_END_CHARACTERS:] for said in await self._conversations.said(turn) if said.role == "model"]
        return GO_ON + "".join(_MEANT.format(end=end) for end in ends[-1:])
