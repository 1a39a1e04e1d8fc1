"""``/doctor``: one line for each thing the bot needs, with what to do where something is wrong.

For administrators, whatever Discord let through, and for their eyes alone. What is looked at, and what it means, is
``checkups``'; here the findings become a message. What always holds: the answer comes within the checks' own time
limit, and no line of it is cut in the middle.
"""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs import tables
from cogs.admin import Administrators
from cogs.checkups import CheckUps, Finding, Level, Patient
from utils.i18n import translate

_MOST_TEXT = 4000


class DoctorCog(commands.Cog):
    """`/doctor`."""

    def __init__(self, patient: Patient, administrators: Administrators) -> None:
        self._patient = patient
        self._administrators = administrators

    @app_commands.command(name="doctor", description="Check what the bot needs, and say what to mend (administrators)")
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.default_permissions(manage_guild=True)
    async def doctor(self, interaction: discord.Interaction) -> None:
        """Check everything."""
        locale = str(interaction.locale)
        if not self._administrators.include(interaction):
            await interaction.response.send_message(translate("admin.forbidden", locale), ephemeral=True)
            return
        checkups = CheckUps(self._patient, interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        findings = await checkups.all()
        lines = tables.fitting([_line(finding) for finding in findings], _MOST_TEXT)
        embed = discord.Embed(title=translate("doctor.title", locale), description="\n".join(lines))
        wrong = sum(finding.level is not Level.GOOD for finding in findings)
        embed.set_footer(text=translate("doctor.wrong" if wrong else "doctor.well", locale, count=wrong))
        await interaction.edit_original_response(embed=embed)


def _line(finding: Finding) -> str:
    return f"{finding.level.value} **{finding.name}**: {finding.sentence}"
