"""``/image``: a picture drawn from words, or an attached picture changed by them.

What always holds: that the keys can make pictures, that there are words, and that what is attached is declared to be a
picture is judged before the interaction is deferred; the words go along as the picture's description, for those who
cannot see it; what the model says beside the picture is shown, and a model that drew nothing is told of as such.
"""

from __future__ import annotations

import io
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.create import clipped
from cogs.desk import ErrorDesk
from cogs.incoming import Intake, shown_name
from cogs.making import Maker
from utils.i18n import translate
from utils.rendering.parts import MadeFile, files_of, text_of

_MOST_WORDS = 200
_MOST_TEXT = 1_500
_MOST_DESCRIPTION = 1_000
_MOST_FILES = 10


class ImageCog(commands.Cog):
    """`/image`."""

    def __init__(self, maker: Maker, intake: Intake, desk: ErrorDesk) -> None:
        self._maker = maker
        self._intake = intake
        self._desk = desk

    @app_commands.command(name="image", description="Draw a picture, or change one that you attach")
    @app_commands.describe(
        prompt="What the picture shall show, or what shall change in yours", picture="A picture of yours to change"
    )
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def image(
        self, interaction: discord.Interaction, prompt: str, picture: discord.Attachment | None = None
    ) -> None:
        """Draw a picture."""
        locale = str(interaction.locale)
        files = [picture] if picture is not None else []
        sentence = self._refusal(prompt, files, locale) or self._maker.refusal("picture", locale)
        sentence = sentence or await self._maker.admission(interaction)
        if sentence is not None:
            await interaction.response.send_message(sentence, ephemeral=True)
            return
        await interaction.response.defer(thinking=True)
        attached = await self._intake.attachments(files)
        parts: list[Any] = [{"inline_data": {"mime_type": one.mime_type, "data": one.content}} for one in attached]
        response, model = await self._maker.make(
            interaction, "picture", [*parts, prompt], response_modalities=["TEXT", "IMAGE"]
        )
        await self._show(interaction, prompt, response, model)

    def _refusal(self, prompt: str, files: list[discord.Attachment], locale: str) -> str | None:
        refusal = self._intake.refusal(prompt, ()) or self._intake.refusal(prompt, files)
        if refusal is not None:
            return refusal.sentence(locale)
        if any(not (file.content_type or "image/").startswith("image/") for file in files):
            return translate("file.not_a_picture", locale, name=shown_name(files[0].filename))
        return None

    async def _show(self, interaction: discord.Interaction, prompt: str, response: Any, model: str) -> None:
        locale = str(interaction.locale)
        said = clipped(text_of(response, locale).strip(), _MOST_TEXT)
        pictures = [file for file in files_of(response) if file.mime_type.startswith("image/")][:_MOST_FILES]
        pictures = [file for file in pictures if len(file.content) <= interaction.filesize_limit]
        if not pictures:
            sentence = translate("made.nothing_drawn", locale)
            await self._desk.tell(interaction, f"{said}\n\n{sentence}" if said else sentence)
            return
        words = discord.utils.escape_markdown(clipped(" ".join(prompt.split()), _MOST_WORDS))
        lines = [f"> {words}", said, f"-# {translate('made.drawn_by', locale, model=response.model_version or model)}"]
        await interaction.edit_original_response(
            content="\n".join(line for line in lines if line),
            attachments=[upload(file, description=clipped(prompt, _MOST_DESCRIPTION)) for file in pictures],
            allowed_mentions=discord.AllowedMentions.none(),
        )


def upload(file: MadeFile, *, description: str | None = None) -> discord.File:
    """Make of a file what can be sent to Discord once."""
    return discord.File(io.BytesIO(file.content), filename=file.name, description=description)
