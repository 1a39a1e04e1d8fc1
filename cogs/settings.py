"""``/settings``: what a server chooses for all its members, and which roles may use what.

``show`` tells what is chosen, ``set`` and ``clear`` change it, ``restrict`` and ``open`` say who may use a command or a
model. What always holds: only who may manage the server (or administers the bot) gets in, checked here whatever Discord
let through; every answer is for the asker alone; a change takes effect with the next question. The choices themselves
are ``utils.conversations.preferences``'s, restrictions are kept by ``cogs.access``.
"""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

import discord
from discord import app_commands
from discord.ext import commands

from cogs.access import restrictable
from cogs.admin import Administrators
from cogs.incoming import shown_name
from cogs.models import ModelChoices
from cogs.persona_forms import PersonaChoices
from cogs.translator import choice
from utils.conversations.limits import check_model
from utils.conversations.preferences import Preferences
from utils.i18n import translate
from utils.storage import AccessKind, GuildSettings, SafetyLevel, SettingsChange

#: The languages by the locale that is stored, each by its own name.
LANGUAGES: Final = {"en-US": "English", "zh-TW": "繁體中文", "ko": "한국어", "id": "Bahasa Indonesia", "ru": "Русский"}

_MOST_FIELD = 1024
_MOST_CHOICES = 25
_NEEDED_FOR_ALERTS = ("view_channel", "send_messages", "embed_links")

Setting = Literal["model", "safety", "persona", "alerts", "language"]
_CLEARING: Final[dict[str, SettingsChange]] = {
    "model": {"model": None},
    "safety": {"safety": None},
    "persona": {"persona_id": None},
    "alerts": {"alerts_channel_id": None},
    "language": {"language": None},
}


class SettingsCog(commands.Cog):
    """`/settings` and its subcommands."""

    settings = app_commands.Group(
        name="settings",
        description="What this server chooses for its members (Manage Server)",
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )

    def __init__(
        self,
        tree: app_commands.CommandTree[Any],
        preferences: Preferences,
        personas: PersonaChoices,
        models: ModelChoices,
        *,
        administrators: Administrators,
        default_model: str,
    ) -> None:
        self._tree = tree
        self._preferences = preferences
        self._personas = personas
        self._models = models
        self._administrators = administrators
        self._default_model = default_model

    @settings.command(name="show", description="Show what this server chose")
    async def show(self, interaction: discord.Interaction) -> None:
        """Show all choices and restrictions."""
        guild_id = await self._admitted(interaction)
        if guild_id is None:
            return
        locale = str(interaction.locale)
        chosen = await self._preferences.guild(guild_id)
        embed = discord.Embed(title=translate("settings.title", locale))
        for setting in get_args(Setting):
            value = await self._shown(setting, chosen, locale)
            embed.add_field(name=translate(f"settings.name.{setting}", locale), value=value)
        for kind in get_args(AccessKind):
            rules = _rules(chosen, kind)
            if rules:
                heading = translate(f"settings.restricted.{kind}", locale)
                embed.add_field(name=heading, value=rules[:_MOST_FIELD], inline=False)
        await interaction.edit_original_response(embed=embed)

    @settings.command(name="set", description="Choose for this server; what you leave out stays as it is")
    @app_commands.describe(
        model="The model that answers unless another one is chosen",
        safety="How much of what may be harmful Gemini blocks",
        persona="Who Gemini is unless another persona is chosen; it must be shared with this server",
        alerts="Where the bot reports trouble with its keys",
        language="The language of the bot's own sentences for readers whose language it does not know",
    )
    @app_commands.choices(
        safety=[
            choice("Block nothing", "off", "settings.safety.off"),
            choice("Block little", "low", "settings.safety.low"),
            choice("Block more", "medium", "settings.safety.medium"),
            choice("Block most", "high", "settings.safety.high"),
        ],
        language=[app_commands.Choice(name=name, value=locale) for locale, name in LANGUAGES.items()],
    )
    async def choose(
        self,
        interaction: discord.Interaction,
        *,
        model: str | None = None,
        safety: SafetyLevel | None = None,
        persona: str | None = None,
        alerts: discord.TextChannel | None = None,
        language: str | None = None,
    ) -> None:
        """Store the choices that were given."""
        guild_id = await self._admitted(interaction)
        if guild_id is None:
            return
        change: SettingsChange = {}
        if safety is not None:
            change["safety"] = safety
        if language is not None:
            change["language"] = language
        sentence = self._take_model(interaction, model, change)
        sentence = sentence or await self._take_persona(interaction, persona, change)
        sentence = sentence or self._take_channel(interaction, alerts, change)
        if sentence is None and not change:
            sentence = translate("settings.nothing_given", str(interaction.locale))
        if sentence is None:
            await self._preferences.change(guild_id, change)
            sentence = translate("settings.stored", str(interaction.locale), count=len(change))
        await interaction.edit_original_response(content=sentence)

    @settings.command(name="clear", description="Take a choice of this server back")
    @app_commands.describe(setting="The choice to take back")
    @app_commands.choices(
        setting=[
            choice("Model", "model", "settings.name.model"),
            choice("Safety", "safety", "settings.name.safety"),
            choice("Persona", "persona", "settings.name.persona"),
            choice("Alerts", "alerts", "settings.name.alerts"),
            choice("Language", "language", "settings.name.language"),
        ]
    )
    async def clear(self, interaction: discord.Interaction, setting: str) -> None:
        """Let one setting be the bot's own again."""
        guild_id = await self._admitted(interaction)
        if guild_id is not None:
            await self._preferences.change(guild_id, _CLEARING[setting])
            sentence = translate("settings.cleared", str(interaction.locale))
            await interaction.edit_original_response(content=sentence)

    @settings.command(name="restrict", description="Let only members with a role use a command or model")
    @app_commands.describe(
        role="The role; repeat the command to let more roles in",
        command="The command; chat also stands for messages to the bot",
        model="The model",
    )
    async def restrict(
        self, interaction: discord.Interaction, role: discord.Role, command: str | None = None, model: str | None = None
    ) -> None:
        """Add a role to those that may use a command or a model."""
        guild_id = await self._admitted(interaction)
        if guild_id is None:
            return
        what = self._what(interaction, command, model)
        if isinstance(what, str):
            sentence = what
        else:
            kind, name = what
            await self._preferences.restrict(guild_id, kind, name, role.id)
            values = {"name": shown_name(name), "role": role.mention}
            sentence = translate("settings.now_restricted", str(interaction.locale), **values)
        await interaction.edit_original_response(content=sentence)

    @settings.command(name="open", description="Let everybody use a command or model again")
    @app_commands.describe(command="The command", model="The model")
    async def open_to_all(
        self, interaction: discord.Interaction, command: str | None = None, model: str | None = None
    ) -> None:
        """Lift the restriction of a command or a model."""
        guild_id = await self._admitted(interaction)
        if guild_id is None:
            return
        what = self._what(interaction, command, model, must_exist=False)
        if isinstance(what, str):
            sentence = what
        else:
            kind, name = what
            opened = await self._preferences.open_to_all(guild_id, kind, name)
            message_id = "settings.now_open" if opened else "settings.was_open"
            sentence = translate(message_id, str(interaction.locale), name=shown_name(name))
        await interaction.edit_original_response(content=sentence)

    @choose.autocomplete("model")
    @restrict.autocomplete("model")
    @open_to_all.autocomplete("model")
    async def complete_model(self, _interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the models known by now; asks nobody."""
        return self._models.choices(current)

    @choose.autocomplete("persona")
    async def complete_persona(self, interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the personas that the user may use here."""
        return await self._personas.choices(interaction, current)

    @restrict.autocomplete("command")
    @open_to_all.autocomplete("command")
    async def complete_command(self, _interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the bot's commands."""
        names = [name for name in restrictable(self._tree) if current.strip().lower() in name]
        return [app_commands.Choice(name=name, value=name) for name in names[:_MOST_CHOICES]]

    async def _admitted(self, interaction: discord.Interaction) -> int | None:
        """Give the server's id if the user may change its choices; otherwise refuse and give None."""
        if interaction.guild_id is None or not self._administrators.include(interaction):
            sentence = translate("settings.forbidden", str(interaction.locale))
            await interaction.response.send_message(sentence, ephemeral=True)
            return None
        await interaction.response.defer(ephemeral=True, thinking=True)
        return interaction.guild_id

    def _take_model(self, interaction: discord.Interaction, model: str | None, change: SettingsChange) -> str | None:
        refusal = check_model(model, self._models.names()) if model is not None else None
        if refusal is not None:
            return refusal.sentence(str(interaction.locale))
        if model is not None:
            change["model"] = model
        return None

    async def _take_persona(
        self, interaction: discord.Interaction, persona: str | None, change: SettingsChange
    ) -> str | None:
        if persona is None:
            return None
        found = await self._personas.find(interaction, persona)
        if found is None:
            return translate("persona.unknown", str(interaction.locale), name=shown_name(persona))
        if found.guild_id != interaction.guild_id:
            return translate("settings.persona_not_shared", str(interaction.locale), name=shown_name(found.name))
        change["persona_id"] = found.id
        return None

    def _take_channel(
        self, interaction: discord.Interaction, channel: discord.TextChannel | None, change: SettingsChange
    ) -> str | None:
        if channel is None:
            return None
        may = channel.permissions_for(channel.guild.me)
        missing = [name for name in _NEEDED_FOR_ALERTS if not getattr(may, name)]
        if missing:
            names = ", ".join(name.replace("_", " ") for name in missing)
            return translate("error.permissions", str(interaction.locale), permissions=names)
        change["alerts_channel_id"] = channel.id
        return None

    def _what(
        self, interaction: discord.Interaction, command: str | None, model: str | None, *, must_exist: bool = True
    ) -> tuple[AccessKind, str] | str:
        """Name what a restriction is about, or give the sentence that says what is wrong."""
        locale = str(interaction.locale)
        if (command is None) == (model is None):
            return translate("settings.one_of_both", locale)
        if model is not None:
            refusal = check_model(model, self._models.names()) if must_exist else None
            return refusal.sentence(locale) if refusal is not None else ("model", model)
        name = (command or "").strip().removeprefix("/").lower()
        if must_exist and name not in restrictable(self._tree):
            return translate("settings.command_unknown", locale, command=shown_name(name))
        return "command", name

    async def _shown(self, setting: Setting, chosen: GuildSettings, locale: str) -> str:
        match setting:
            case "model":
                return f"`{shown_name(chosen.model or self._default_model)}`"
            case "safety":
                return translate(f"settings.safety.{chosen.safety or 'default'}", locale)
            case "persona":
                found = await self._preferences.persona(chosen.persona_id) if chosen.persona_id is not None else None
                shared = found is not None and found.guild_id == chosen.guild_id
                return f"`{shown_name(found.name)}`" if found is not None and shared else "-"
            case "alerts":
                return f"<#{chosen.alerts_channel_id}>" if chosen.alerts_channel_id is not None else "-"
            case "language":
                return LANGUAGES.get(chosen.language or "", "-")


def _rules(chosen: GuildSettings, kind: AccessKind) -> str:
    """Write the restrictions of commands or models, one a line, without cutting a line in two."""
    lines: list[str] = []
    room = _MOST_FIELD
    for (each_kind, name), roles in sorted(chosen.access.items()):
        if each_kind != kind:
            continue
        shown = ", ".join(f"<@&{role_id}>" for role_id in sorted(roles)[:10])
        line = f"`{'/' if kind == 'command' else ''}{shown_name(name)}`: {shown}"
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    return "\n".join(lines)
