"""``/usage`` and ``/limits``: what is left of fair use today, and what a server allows.

``/usage`` is for everybody: what its user has left here, for who may manage the server also what the server has left,
for who runs the bot also what is left altogether. ``/limits`` is for who may manage the server: ``show``, ``set`` for
each member or all together, ``role`` for how much more the holders of a role may do, ``clear``. What always holds:
rights are checked here whatever Discord let through; every answer is for the asker alone; a change takes effect with
the next question; a server never gets beyond what the operator gives it. ``utils.conversations.fairness`` counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import discord
from discord import app_commands
from discord.ext import commands

from cogs.access import role_ids
from cogs.admin import Administrators
from cogs.translator import choice
from utils.conversations.fairness import AMOUNTS, FairUse, Rule, Subject, amount_text, money
from utils.i18n import translate
from utils.storage import Amounts, AmountsChange, GuildLimits, Whom

_MOST = 10**12
_MOST_USD = 1_000_000.0
_MICROS = 1_000_000
_LEAST_FACTOR, _MOST_FACTOR = 0.1, 100.0
_MOST_ROLES = 25
_MOST_FIELD = 1024

What = Literal["members", "server", "roles"]
_WHOM: Final[dict[What, Whom]] = {"members": "members", "server": "server"}


class UsageCog(commands.Cog):
    """`/usage`, and `/limits` with its subcommands."""

    limits = app_commands.Group(
        name="limits",
        description="How much members of this server may ask (Manage Server)",
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )

    def __init__(self, fair: FairUse, administrators: Administrators) -> None:
        self._fair = fair
        self._administrators = administrators

    @app_commands.command(name="usage", description="Show how much you may still ask today")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def usage(self, interaction: discord.Interaction) -> None:
        """Show what is left."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        locale = str(interaction.locale)
        user, guild_id = interaction.user, interaction.guild_id
        rules = await self._fair.standing(user.id, guild_id, role_ids(user))
        embed = discord.Embed(title=translate("limits.usage.title", locale))
        mine = _lines(rules, ("you", "here"), locale)
        embed.description = "\n".join(mine) or translate("limits.usage.unlimited", locale)
        shown: list[Subject] = []
        if guild_id is not None and self._administrators.include(interaction):
            shown.append("server")
        if self._administrators.operate(interaction):
            shown.append("bot")
        for subject in shown:
            lines = _lines(rules, (subject,), locale)
            text = "\n".join(lines) or translate("limits.usage.unlimited", locale)
            embed.add_field(name=translate(f"limits.usage.{subject}", locale), value=text, inline=False)
        midnight = next((rule.again_at for rule in rules if rule.amount != "per_minute"), None)
        if midnight is not None:
            reset = translate("limits.usage.reset", locale, when=f"<t:{midnight:.0f}:R>")
            embed.add_field(name="\N{ZERO WIDTH SPACE}", value=reset, inline=False)
        await interaction.edit_original_response(embed=embed)

    @limits.command(name="show", description="Show what this server allows")
    async def show(self, interaction: discord.Interaction) -> None:
        """Show what the server chose."""
        guild_id = await self._admitted(interaction)
        if guild_id is None:
            return
        locale = str(interaction.locale)
        chosen = await self._fair.of_guild(guild_id)
        embed = discord.Embed(title=translate("limits.show.title", locale))
        for whom, amounts in (("members", chosen.members), ("server", chosen.server)):
            text = "\n".join(_chosen(amounts, locale)) or translate("limits.show.not_chosen", locale)
            embed.add_field(name=translate(f"limits.whom.{whom}", locale), value=text, inline=False)
        if chosen.factors:
            lines = [f"<@&{role_id}> × {factor:g}" for role_id, factor in chosen.factors.items()]
            embed.add_field(
                name=translate("limits.whom.roles", locale), value="\n".join(lines)[:_MOST_FIELD], inline=False
            )
        await interaction.edit_original_response(embed=embed)

    @limits.command(name="set", description="Set limits; what you leave out stays as it is, 0 means no limit")
    @app_commands.describe(
        whom="Whose limits",
        per_minute="Questions a minute",
        per_day="Questions a day",
        tokens="Tokens a day",
        usd="US dollars a day",
    )
    @app_commands.choices(
        whom=[
            choice("Each member", "members", "limits.whom.members"),
            choice("All members together", "server", "limits.whom.server"),
        ]
    )
    async def choose(
        self,
        interaction: discord.Interaction,
        *,
        whom: Whom,
        per_minute: app_commands.Range[int, 0, _MOST] | None = None,
        per_day: app_commands.Range[int, 0, _MOST] | None = None,
        tokens: app_commands.Range[int, 0, _MOST] | None = None,
        usd: app_commands.Range[float, 0.0, _MOST_USD] | None = None,
    ) -> None:
        """Store the limits that were given."""
        guild_id = await self._admitted(interaction)
        if guild_id is None:
            return
        change = AmountsChange()
        if per_minute is not None:
            change["per_minute"] = per_minute
        if per_day is not None:
            change["per_day"] = per_day
        if tokens is not None:
            change["tokens"] = tokens
        if usd is not None:
            change["micros"] = round(usd * _MICROS)
        await self._fair.change(guild_id, whom, change)
        sentence = "limits.stored" if change else "limits.nothing_given"
        await interaction.edit_original_response(content=translate(sentence, str(interaction.locale)))

    @limits.command(name="role", description="Let the holders of a role ask more than others")
    @app_commands.describe(role="The role", times="So many times as much as others; 1 takes it back")
    async def role(
        self,
        interaction: discord.Interaction,
        role: discord.Role,
        times: app_commands.Range[float, _LEAST_FACTOR, _MOST_FACTOR],
    ) -> None:
        """Store how much more the holders of a role may do."""
        guild_id = await self._admitted(interaction)
        if guild_id is None:
            return
        sentence = await self._set_role(guild_id, role, times, str(interaction.locale))
        await interaction.edit_original_response(content=sentence, allowed_mentions=discord.AllowedMentions.none())

    @limits.command(name="clear", description="Let the bot's own limits hold again")
    @app_commands.describe(what="What to take back")
    @app_commands.choices(
        what=[
            choice("Each member", "members", "limits.whom.members"),
            choice("All members together", "server", "limits.whom.server"),
            choice("Roles", "roles", "limits.whom.roles"),
        ]
    )
    async def clear(self, interaction: discord.Interaction, what: What) -> None:
        """Take limits back."""
        guild_id = await self._admitted(interaction)
        if guild_id is not None:
            await self._fair.clear(guild_id, _WHOM.get(what))
            sentence = translate("limits.cleared", str(interaction.locale))
            await interaction.edit_original_response(content=sentence)

    async def _set_role(self, guild_id: int, role: discord.Role, times: float, locale: str) -> str:
        if times == 1:
            await self._fair.clear(guild_id, None, role_id=role.id)
            return translate("limits.role_cleared", locale, role=role.mention)
        chosen: GuildLimits = await self._fair.of_guild(guild_id)
        if role.id not in chosen.factors and len(chosen.factors) >= _MOST_ROLES:
            return translate("limits.too_many_roles", locale, count=_MOST_ROLES)
        await self._fair.set_factor(guild_id, role.id, times)
        return translate("limits.role_stored", locale, role=role.mention, times=f"{times:g}")

    async def _admitted(self, interaction: discord.Interaction) -> int | None:
        """Give the server's id if the user may change its limits; otherwise refuse and give None."""
        if interaction.guild_id is None or not self._administrators.include(interaction):
            sentence = translate("limits.forbidden", str(interaction.locale))
            await interaction.response.send_message(sentence, ephemeral=True)
            return None
        await interaction.response.defer(ephemeral=True, thinking=True)
        return interaction.guild_id


def _lines(rules: Iterable[Rule], subjects: Sequence[Subject], locale: str) -> list[str]:
    """Write what is left of each limit, one a line."""
    return [_left(rule, locale) for rule in rules if rule.subject in subjects]


def _left(rule: Rule, locale: str) -> str:
    limit = amount_text(rule.amount, rule.limit, locale)
    left = f"${money(rule.left)}" if rule.amount == "micros" else f"{rule.left:,}"
    line = translate("limits.usage.left", locale, left=f"**{left}**", limit=limit)
    return line if rule.left else f"{line} · <t:{-int(-rule.again_at // 1)}:R>"


def _chosen(amounts: Amounts, locale: str) -> list[str]:
    """Write what was chosen, one a line."""
    lines = []
    for amount in AMOUNTS:
        limit = getattr(amounts, amount)
        if limit:
            lines.append(amount_text(amount, limit, locale))
        elif limit == 0:
            lines.append(translate(f"limits.unlimited.{amount}", locale))
    return lines
