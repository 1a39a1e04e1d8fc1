"""What administrators see and do: ``/pool-stats``, ``/api-key-stats``, ``/reset-pool``, ``/reset-api-stats``.

``Administrators`` knows who may: the application's owners, the configured ids, whoever may manage the
server. What always holds: rights are checked in the handler, because what Discord hides a server may show
again; every answer is for the asker alone; numbers come from the pool as they are; what does not fit into
an embed (hundreds of keys) comes whole as a file beside it.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Collection

import discord
from discord import app_commands
from discord.ext import commands

from cogs import tables
from cogs.incoming import shown_name
from utils.gemini_pool import GeminiAPIPool
from utils.i18n import translate

_MOST_TABLE = 3800
_MOST_FIELDS = 20
_MOST_FIELD = 1024
_MOST_FIELDS_TEXT = 5000


class Administrators:
    """Decides who may use the admin commands."""

    def __init__(self, admin_ids: Collection[int]) -> None:
        self._ids = frozenset(admin_ids)

    def include(self, interaction: discord.Interaction) -> bool:
        """Tell whether the interaction's user may administer the bot."""
        user = interaction.user
        if user.bot:
            return False
        if user.id in self._ids or user.id in _owner_ids(interaction.client.application):
            return True
        return interaction.guild_id is not None and interaction.permissions.manage_guild


def _owner_ids(application: discord.AppInfo | None) -> frozenset[int]:
    if application is None:
        return frozenset()
    if application.team is not None:
        return frozenset(member.id for member in application.team.members)
    return frozenset({application.owner.id})


class AdminCog(commands.Cog):
    """Statistics and resets of the pool."""

    def __init__(self, pool: GeminiAPIPool, administrators: Administrators) -> None:
        self._pool = pool
        self._administrators = administrators

    @app_commands.command(
        name="pool-stats",
        description="Show the pool: instances, usage and keys of every model (administrators)",
    )
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.default_permissions(manage_guild=True)
    async def pool_stats(self, interaction: discord.Interaction) -> None:
        """Show every model's instances."""
        if not await self._admitted(interaction):
            return
        locale = str(interaction.locale)
        parts = tables.pool_fields(self._pool.get_model_stats(), locale)
        embed = discord.Embed(title=translate("admin.pool_stats.title", locale))
        if not parts:
            embed.description = translate("admin.pool_stats.empty", locale)
            await interaction.edit_original_response(embed=embed)
            return
        room = _MOST_FIELDS_TEXT
        for heading, text in parts[:_MOST_FIELDS]:
            room -= len(heading) + len(text)
            if len(text) <= _MOST_FIELD and room >= 0:
                embed.add_field(name=heading[:256], value=text, inline=False)
        if len(embed.fields) == len(parts):
            await interaction.edit_original_response(embed=embed)
        else:
            await self._with_file(interaction, embed, "pool-stats.txt", tables.as_text(parts))

    @app_commands.command(
        name="api-key-stats",
        description="Show requests, errors and state of every key (administrators)",
    )
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.default_permissions(manage_guild=True)
    async def api_key_stats(self, interaction: discord.Interaction) -> None:
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
        kinds = tables.kinds_line(keys)
        if kinds:
            embed.set_footer(text=kinds[:2048])
        whole = tables.key_table(keys, locale).lines()
        shown = tables.fitting(whole, _MOST_TABLE)
        if len(shown) < len(whole):
            shown = tables.fitting(tables.key_table(tables.sick_first(keys), locale).lines(), _MOST_TABLE)
        embed.description = "\n".join([total, "```", *shown, "```"])
        if len(shown) == len(whole):
            await interaction.edit_original_response(embed=embed)
        else:
            await self._with_file(interaction, embed, "api-key-stats.txt", "\n".join([total, *whole, kinds, ""]))

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
    async def complete_model(self, _interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the models that have a pool."""
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
        return True

    async def _with_file(self, interaction: discord.Interaction, embed: discord.Embed, name: str, text: str) -> None:
        file = discord.File(io.BytesIO(text.encode()), filename=name)
        await interaction.edit_original_response(
            content=translate("admin.key_stats.in_file", str(interaction.locale)),
            embed=embed,
            attachments=[file],
        )
