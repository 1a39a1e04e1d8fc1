"""What administrators see and do: ``/pool-stats``, ``/api-key-stats``, ``/reset-pool``, ``/reset-api-stats``.

``Administrators`` knows who may: the application's owners, the configured ids, whoever may manage the
server. What always holds: rights are checked in the handler, because what Discord hides a server may show
again; every answer is for the asker alone; numbers come from the pool as they are; what does not fit into
an embed (hundreds of keys) comes whole as a file beside it. The numbers are shown at once, the charts of the period
(``diagrams``) come to them when they are drawn; the numbers count from the last reset, the charts do not.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Collection, Mapping, Sequence

import discord
from discord import app_commands
from discord.ext import commands

from cogs import diagrams, tables
from cogs.diagrams import BuildPicture, PeriodName
from cogs.incoming import shown_name
from cogs.insight import Insight
from cogs.translator import choice
from cogs.vestibule import Vestibule
from utils.gemini_pool import GeminiAPIPool
from utils.i18n import translate
from utils.rendering.charts import Charts
from utils.storage import SpanKey

_MOST_TABLE = 3500
_MOST_FIELDS = 20
_MOST_FIELD = 1024
_MOST_FIELDS_TEXT = 5000
_PERIODS = [
    choice("The last hour", "hour", "admin.period.hour"),
    choice("The last 24 hours", "day", "admin.period.day"),
    choice("The last 7 days", "week", "admin.period.week"),
]


class Administrators:
    """Decides who may use the admin commands."""

    def __init__(self, admin_ids: Collection[int]) -> None:
        self._ids = frozenset(admin_ids)

    def runs(self, user: discord.User | discord.Member, application: discord.AppInfo | None) -> bool:
        """Tell whether a user runs the bot: an owner of the application, or named by the configuration."""
        return not user.bot and (user.id in self._ids or user.id in _owner_ids(application))

    def operate(self, interaction: discord.Interaction) -> bool:
        """Tell whether the interaction's user runs the bot.

        Managing a server is not enough: the keys are everybody's.
        """
        return self.runs(interaction.user, interaction.client.application)

    def include(self, interaction: discord.Interaction) -> bool:
        """Tell whether the interaction's user may administer the bot.

        Who manages a server does where the server itself took the bot in; that they brought it along does not count.
        """
        if interaction.user.bot:
            return False
        if self.operate(interaction):
            return True
        return interaction.is_guild_integration() and interaction.permissions.manage_guild


def _owner_ids(application: discord.AppInfo | None) -> frozenset[int]:
    if application is None:
        return frozenset()
    if application.team is not None:
        return frozenset(member.id for member in application.team.members)
    return frozenset({application.owner.id})


class AdminCog(commands.Cog):
    """Statistics and resets of the pool.

    ``key_labels`` names keys by their fingerprints; ``wall`` gives unix seconds.
    """

    def __init__(
        self,
        pool: GeminiAPIPool,
        administrators: Administrators,
        insight: Insight,
        key_labels: Callable[[], Mapping[str, str]],
        vestibule: Vestibule,
        *,
        charts: Charts | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._pool = pool
        self._administrators = administrators
        self._insight = insight
        self._key_labels = key_labels
        self._vestibule = vestibule
        self._charts = charts or Charts()
        self._wall = wall

    async def cog_unload(self) -> None:
        """End what draws."""
        await self._charts.aclose()

    @app_commands.command(
        name="pool-stats",
        description="Show the pool: instances, usage and keys of every model (administrators)",
    )
    @app_commands.describe(period="How far back the charts look")
    @app_commands.choices(period=_PERIODS)
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.default_permissions(manage_guild=True)
    async def pool_stats(self, interaction: discord.Interaction, period: PeriodName = "day") -> None:
        """Show every model's instances."""
        if not await self._admitted(interaction):
            return
        locale = str(interaction.locale)
        parts = tables.pool_fields(self._pool.get_model_stats(), locale)
        embed = discord.Embed(title=translate("admin.pool_stats.title", locale))
        if not parts:
            embed.description = translate("admin.pool_stats.empty", locale)
        room = _MOST_FIELDS_TEXT
        for heading, text in parts[:_MOST_FIELDS]:
            room -= len(heading) + len(text)
            if len(text) <= _MOST_FIELD and room >= 0:
                embed.add_field(name=heading[:256], value=text, inline=False)
        whole = ("pool-stats.txt", tables.as_text(parts)) if len(embed.fields) < len(parts) else None
        past = await self._shown(interaction, embed, whole, period, by="model")
        await self._illustrate(interaction, whole, diagrams.pool_pictures(past))

    @app_commands.command(
        name="api-key-stats",
        description="Show requests, errors and state of every key (administrators)",
    )
    @app_commands.describe(period="How far back the charts look")
    @app_commands.choices(period=_PERIODS)
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.default_permissions(manage_guild=True)
    async def api_key_stats(self, interaction: discord.Interaction, period: PeriodName = "day") -> None:
        """Show every key's counts and state."""
        if not await self._admitted(interaction):
            return
        locale = str(interaction.locale)
        stats = self._pool.get_api_key_stats()
        keys = stats["key_usage"]
        embed = discord.Embed(title=translate("admin.key_stats.title", locale))
        if not keys:
            embed.description = translate("admin.key_stats.empty", locale)
            await interaction.edit_original_response(embed=embed)
            return
        total = translate(
            "admin.key_stats.total", locale, count=stats["total_requests"], failed=stats["failed_requests"]
        )
        kinds = tables.kinds_line(keys, locale)
        if kinds:
            embed.set_footer(text=kinds[:2048])
        lines = tables.narrow_key_lines(keys, locale)
        shown = tables.fitting(lines, _MOST_TABLE)
        whole = None
        if len(shown) < len(lines):
            shown = tables.fitting(tables.narrow_key_lines(tables.sick_first(keys), locale), _MOST_TABLE)
            table = tables.key_table(keys, locale).lines()
            whole = ("api-key-stats.txt", "\n".join([total, *table, kinds, ""]))
        embed.description = "\n".join([total, "```", *shown, "```", tables.returns_line(keys, self._wall())]).strip()
        past = await self._shown(interaction, embed, whole, period, by="fingerprint")
        quotas = self._insight.quotas.get_quota_stats() if self._insight.quotas is not None else {}
        await self._illustrate(interaction, whole, diagrams.key_pictures(past, self._key_labels(), quotas))

    @app_commands.command(name="reset-pool", description="Build the pool anew and read the keys again (administrators)")
    @app_commands.describe(model="Only this model; without it, all of them")
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.default_permissions(manage_guild=True)
    async def reset_pool(self, interaction: discord.Interaction, model: str | None = None) -> None:
        """Read the keys again and give dead ones another try."""
        if not await self._admitted(interaction):
            return
        locale = str(interaction.locale)
        if model is not None and model not in self._pool.get_model_stats():
            sentence = translate("admin.no_such_pool", locale, model=shown_name(model))
        else:
            # reads `.env` again, which the event loop must not wait for
            await asyncio.to_thread(self._pool.reset_api_pool, model)
            count = self._pool.get_api_key_stats()["total_keys"]
            sentence = (
                translate("admin.pool_reset", locale, count=count)
                if model is None
                else translate("admin.pool_reset_model", locale, model=model)
            )
        await interaction.edit_original_response(content=sentence)

    @reset_pool.autocomplete("model")
    async def complete_model(self, interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the models that have a pool, to those who may reset it."""
        if not self._administrators.include(interaction):
            return []
        names = [name for name in self._pool.get_model_stats() if current.lower() in name.lower()]
        return [app_commands.Choice(name=name[:100], value=name[:100]) for name in names[:25]]

    @app_commands.command(
        name="reset-api-stats", description="Set the request and error counts to zero (administrators)"
    )
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.default_permissions(manage_guild=True)
    async def reset_api_stats(self, interaction: discord.Interaction) -> None:
        """Empty the counts, and nothing but the counts."""
        if not await self._admitted(interaction):
            return
        await asyncio.to_thread(self._pool.reset_api_stats)
        await interaction.edit_original_response(content=translate("admin.stats_reset", str(interaction.locale)))

    async def _admitted(self, interaction: discord.Interaction) -> bool:
        if not self._administrators.include(interaction):
            sentence = translate("admin.forbidden", str(interaction.locale))
            await interaction.response.send_message(sentence, ephemeral=True)
            return False
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._vestibule.calm()
        return True

    async def _shown(
        self,
        interaction: discord.Interaction,
        embed: discord.Embed,
        whole: tuple[str, str] | None,
        period: PeriodName,
        *,
        by: SpanKey,
    ) -> diagrams.Past:
        """Show the numbers, then read what the charts are drawn of."""
        note = translate("admin.key_stats.in_file", str(interaction.locale)) if whole is not None else None
        await interaction.edit_original_response(content=note, embed=embed, attachments=_files(whole))
        return await diagrams.load_past(self._insight.spans, diagrams.PERIODS[period], by=by, now=self._wall())

    async def _illustrate(
        self,
        interaction: discord.Interaction,
        whole: tuple[str, str] | None,
        pictures: Sequence[tuple[str, BuildPicture]],
    ) -> None:
        """Put the pictures under the numbers."""
        if not pictures:
            return
        files = _files(whole)
        for name, build in pictures:
            drawn = await self._charts.draw(build, str(interaction.locale))
            files.append(discord.File(io.BytesIO(drawn.png), filename=name, description=drawn.alt_text))
        await interaction.edit_original_response(attachments=files)


def _files(whole: tuple[str, str] | None) -> list[discord.File]:
    return [discord.File(io.BytesIO(whole[1].encode()), filename=whole[0])] if whole is not None else []
