"""``/speak``: a text read aloud, as a sound file that plays in Discord.

What always holds: that the keys can make speech and that the text is short enough is judged before the interaction is
deferred; the text is read and not answered; a sound too large for Discord here is told of in one sentence. The voices:
https://ai.google.dev/gemini-api/docs/speech-generation
"""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.create import clipped
from cogs.desk import ErrorDesk
from cogs.image import upload
from cogs.incoming import Intake
from cogs.making import Maker
from utils.i18n import translate
from utils.rendering.parts import files_of

MAX_SPOKEN_CHARACTERS = 2_000
#: As many as one option may offer.
VOICES = (
    *("Kore", "Puck", "Zephyr", "Charon", "Fenrir", "Leda", "Orus", "Aoede", "Callirrhoe", "Autonoe", "Enceladus"),
    *("Iapetus", "Umbriel", "Algieba", "Despina", "Erinome", "Algenib", "Rasalgethi", "Laomedeia", "Achernar"),
    *("Sulafat", "Gacrux", "Achird", "Vindemiatrix", "Sadaltager"),
)

_READ = "Read the following text aloud, exactly as it stands:\n\n"
_MOST_WORDS = 200


class SpeakCog(commands.Cog):
    """`/speak`."""

    def __init__(self, maker: Maker, intake: Intake, desk: ErrorDesk) -> None:
        self._maker = maker
        self._intake = intake
        self._desk = desk

    @app_commands.command(name="speak", description="Read a text aloud")
    @app_commands.describe(text="What shall be read", voice="Whose voice reads it")
    @app_commands.choices(voice=[app_commands.Choice(name=name, value=name) for name in VOICES])
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def speak(self, interaction: discord.Interaction, text: str, voice: str = VOICES[0]) -> None:
        """Read a text aloud."""
        locale = str(interaction.locale)
        sentence = self._refusal(text, locale) or self._maker.refusal("speech", locale)
        sentence = sentence or await self._maker.admission(interaction)
        if sentence is not None:
            await interaction.response.send_message(sentence, ephemeral=True)
            return
        await interaction.response.defer(thinking=True)
        response, model = await self._maker.make(
            interaction,
            "speech",
            [_READ + text.strip()],
            response_modalities=["AUDIO"],
            speech_config={"voice_config": {"prebuilt_voice_config": {"voice_name": voice}}},
        )
        sound = next((file for file in files_of(response) if file.mime_type.startswith("audio/")), None)
        if sound is None:
            await self._desk.tell(interaction, translate("made.nothing_spoken", locale))
            return
        if len(sound.content) > interaction.filesize_limit:
            await self._desk.tell(interaction, translate("made.speech_too_large", locale))
            return
        words = discord.utils.escape_markdown(clipped(" ".join(text.split()), _MOST_WORDS))
        spoken = translate("made.spoken_by", locale, voice=voice, model=response.model_version or model)
        await interaction.edit_original_response(
            content=f"> {words}\n-# {spoken}",
            attachments=[upload(sound)],
            allowed_mentions=discord.AllowedMentions.none(),
        )

    def _refusal(self, text: str, locale: str) -> str | None:
        refusal = self._intake.refusal(text, ())
        if refusal is not None:
            return refusal.sentence(locale)
        count = len(text.strip())
        if count > MAX_SPOKEN_CHARACTERS:
            return translate("made.too_long_to_speak", locale, count=count, limit=MAX_SPOKEN_CHARACTERS)
        return None
