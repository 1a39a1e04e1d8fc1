"""``/ai-art``: a work of art described in words, as an embed titled with the theme.

One call of the pool, no conversation, under the server's safety settings. What always holds: an empty or over-long
theme is refused to its author alone before anything is sent; the embed keeps within Discord's 256 characters of title
and 4096 of description.
"""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.desk import ErrorDesk
from cogs.incoming import Intake
from cogs.making import Maker
from utils.i18n import translate

_MOST_TITLE = 256
_MOST_DESCRIPTION = 4096


class CreateCog(commands.Cog):
    """`/ai-art`."""

    def __init__(self, maker: Maker, intake: Intake, desk: ErrorDesk) -> None:
        self._maker = maker
        self._intake = intake
        self._desk = desk

    @app_commands.command(name="ai-art", description="Describe a work of art on a theme")
    @app_commands.describe(theme="What the work of art is about")
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def ai_art(self, interaction: discord.Interaction, theme: str) -> None:
        """Describe a work of art."""
        locale = str(interaction.locale)
        refusal = self._intake.refusal(theme, ())
        sentence = refusal.sentence(locale) if refusal is not None else await self._maker.admission(interaction)
        if sentence is not None:
            await interaction.response.send_message(sentence, ephemeral=True)
            return
        await interaction.response.defer(thinking=True)
        answer, asked_model = await self._maker.make(
            interaction, "text", [theme], system_instruction=translate("art.instructions", locale)
        )
        text = (answer.text or "").strip()
        if not text:
            await self._desk.tell(interaction, translate("error.empty_answer", locale))
            return
        title = translate("art.title", locale, theme=" ".join(theme.split()))
        embed = discord.Embed(title=clipped(title, _MOST_TITLE), description=clipped(text, _MOST_DESCRIPTION))
        model = answer.model_version or asked_model
        embed.set_footer(text=translate("art.footer", locale, model=model))
        await interaction.edit_original_response(embed=embed)


def clipped(text: str, limit: int) -> str:
    """Give the text in at most ``limit`` UTF-16 units, with an ellipsis where something was left out."""
    if len(text.encode("utf-16-le")) // 2 <= limit:
        return text
    # whole characters only: a cut surrogate pair is left out
    return text.encode("utf-16-le")[: 2 * (limit - 1)].decode("utf-16-le", "ignore").rstrip() + "…"
