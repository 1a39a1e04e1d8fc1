"""How an answer came about: ``/why`` and the message menu "Why this answer?".

Everybody reads in a sentence or two which model answered, how long it took, and whether something stood in the way;
administrators read the way through the pool too, with the labels of keys. What always holds: only answers of the
channel one is in are explained, to the asker alone; no word of a question and no secret is in an explanation; what the
pool no longer keeps is told by what is stored with the turn. Telling a way is the pool's business (``insight.Watch``).
"""

from __future__ import annotations

from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from cogs import tables
from cogs.admin import Administrators
from cogs.controls import turn_of_components
from cogs.incoming import shown_name
from cogs.insight import Watch, Way
from utils.conversations import Conversations, Turn
from utils.conversations.requests import request_name
from utils.i18n import translate

_MOST_BACK = 10
_SEARCHED = 100
_MOST_WAY = 3000

#: What stood in the way, by the store's kinds of errors.
_REASONS: Final = {
    "quota_exhausted": "quota",
    "model_overloaded": "overloaded",
    "upstream": "faults",
    "unavailable": "faults",
    "deadline": "deadline",
    "all_keys_dead": "dead",
    "no_keys": "dead",
    "blocked": "blocked",
    "invalid_request": "request",
    "request_too_large": "request",
    "unknown_model": "request",
    "stopped_answer": "stopped",
    "cancelled": "stopped",
    "given_up": "stopped",
    "deleted": "stopped",
    "changed": "stopped",
}


class WhyCog(commands.Cog):
    """`/why` and "Why this answer?"; ``watch`` None: the pool keeps nothing to be told."""

    def __init__(
        self,
        tree: app_commands.CommandTree[Any],
        conversations: Conversations,
        administrators: Administrators,
        watch: Watch | None,
    ) -> None:
        self._tree = tree
        self._conversations = conversations
        self._administrators = administrators
        self._watch = watch
        self._menu = app_commands.ContextMenu(
            name="Why this answer?",
            callback=self.why_message,
            extras={"catalogue": "why_message", "access": "why"},
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )

    async def cog_load(self) -> None:
        """Add the menu entry, which a cog cannot declare by decorator."""
        self._tree.add_command(self._menu)

    async def cog_unload(self) -> None:
        """Take the menu entry away again."""
        self._tree.remove_command(self._menu.name, type=self._menu.type)

    @app_commands.command(name="why", description="Explain how one of the last answers here came about")
    @app_commands.describe(last="Which answer: 1 is the newest one here")
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def why(self, interaction: discord.Interaction, last: app_commands.Range[int, 1, _MOST_BACK] = 1) -> None:
        """Explain one of the newest answers in this channel."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._explain(interaction, await self._newest(interaction, last), "why.none_here")

    async def why_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Explain the answer that a message is part of, or the answer to it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        turn = await self._turn_of(message, interaction.client.user)
        turn = turn or await self._conversations.turn_of_source(message.id)
        await self._explain(interaction, turn, "why.no_answer")

    async def _newest(self, interaction: discord.Interaction, last: int) -> Turn | None:
        """Give the turn of the channel's ``last``-newest answer, or None; messages of one answer count once."""
        channel = interaction.channel
        if not isinstance(channel, discord.abc.Messageable):
            return None
        seen: list[int] = []
        try:
            async for message in channel.history(limit=_SEARCHED):
                turn = await self._turn_of(message, interaction.client.user)
                if turn is None or turn.id in seen:
                    continue
                seen.append(turn.id)
                if len(seen) == last:
                    return turn
        except discord.Forbidden:
            # what cannot be searched can still be pointed at with the menu, as the sentence says
            return None
        return None

    async def _turn_of(self, message: discord.Message, me: discord.ClientUser | None) -> Turn | None:
        if me is None or message.author.id != me.id:
            return None
        turn = await self._conversations.turn_of_answer(message.id)
        if turn is None and (turn_id := turn_of_components(message)) is not None:
            turn = await self._conversations.turn(turn_id)
        return turn

    async def _explain(self, interaction: discord.Interaction, turn: Turn | None, otherwise: str) -> None:
        locale = str(interaction.locale)
        if turn is None or turn.guild_id != interaction.guild_id:
            await interaction.edit_original_response(content=translate(otherwise, locale))
            return
        way = self._way(turn)
        embed = discord.Embed(title=translate("why.title", locale), description=_in_short(turn, way, locale))
        if self._administrators.include(interaction):
            self._add_details(embed, turn, locale)
        await interaction.edit_original_response(embed=embed)

    def _way(self, turn: Turn) -> Way | None:
        name = request_name(turn.id)
        records = self._watch.records() if self._watch is not None else ()
        return next((way for way in reversed(records) if way.id == name), None)

    def _add_details(self, embed: discord.Embed, turn: Turn, locale: str) -> None:
        told = self._watch.explain(request_name(turn.id)) if self._watch is not None else ""
        if told:
            steps = [f"- {discord.utils.escape_markdown(step)}" for step in told.splitlines()]
            embed.description = "\n".join([embed.description or "", *tables.fitting(steps, _MOST_WAY)])
        else:
            embed.description = f"{embed.description}\n{translate('why.not_kept', locale)}"
        embed.add_field(name=translate("why.asked", locale), value=f"<t:{int(turn.asked_at)}:f>")
        if turn.input_tokens is not None or turn.output_tokens is not None:
            tokens = f"{turn.input_tokens or 0:,} → {turn.output_tokens or 0:,}"
            embed.add_field(name=translate("why.tokens", locale), value=tokens)


def _in_short(turn: Turn, way: Way | None, locale: str) -> str:
    """Say in a sentence or two what became of a question."""
    model = shown_name(turn.model or (way.model if way is not None else "") or "?")
    if turn.state in {"asked", "answering"}:
        return translate("why.under_way", locale)
    if turn.state == "failed":
        reason = translate(f"why.reason.{_REASONS.get(turn.error_kind or '', 'other')}", locale)
        return translate("why.failed", locale, reason=reason)
    said = [translate("why.answered", locale, model=model, seconds=f"{turn.seconds or 0.0:.1f}")]
    if way is not None and way.waited_s >= 0.1:
        said.append(translate("why.waited", locale, seconds=f"{way.waited_s:.1f}"))
    if way is not None and len(way.attempts) > 1:
        said.append(translate("why.failed_before", locale, count=len(way.attempts) - 1))
    return " ".join(said)
