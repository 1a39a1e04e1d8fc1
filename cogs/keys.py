"""``/keys add | list | disable | enable | remove``: the pool's keys, changed while the bot runs.

For those who run the bot only (the application's owners, ADMIN_IDS): managing a server is not enough, since the keys
serve all servers. What always holds: who may is checked here, at the command and again at the form, whatever Discord
let through; a secret is written into a form and nowhere else, and no answer shows it; every answer is for the asker
alone; what is done is in the audit, whose newest entries ``list`` shows. What each step does is ``cogs.keychain``'s.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable

import discord
from discord import app_commands, ui
from discord.ext import commands

from cogs import tables
from cogs.admin import Administrators
from cogs.custody import Custody
from cogs.desk import ErrorDesk
from cogs.incoming import shown_name
from cogs.keychain import ShownKey
from utils.gemini_pool import KeyFormatError
from utils.i18n import translate
from utils.storage import AuditEntry, StorageBusyError

_MOST_SECRET = 500
_MOST_NAME = 60
_MOST_TABLE = 3500
_MOST_FIELD = 1024
_MOST_CHOICES = 25
_NEWEST = 8

#: What to do with a finished form: the interaction, the key's text, its name and its project.
Submitted = Callable[[discord.Interaction, str, str | None, str | None], Awaitable[None]]


class KeysCog(commands.Cog):
    """`/keys` and its subcommands."""

    keys = app_commands.Group(
        name="keys",
        description="Gemini keys of the pool (for those who run the bot)",
        default_permissions=discord.Permissions(administrator=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )

    def __init__(self, custody: Custody, administrators: Administrators, desk: ErrorDesk) -> None:
        self._custody = custody
        self._administrators = administrators
        self._desk = desk

    @keys.command(
        name="add", description="Add a key: a form asks for it, it is checked, stored encrypted, and used at once"
    )
    async def add(self, interaction: discord.Interaction) -> None:
        """Open the form; nothing may wait before it."""
        if await self._refused(interaction):
            return
        await interaction.response.send_modal(KeyForm(str(interaction.locale), self._add, self._desk))

    @keys.command(name="list", description="List all keys, where they come from, their states, and the latest changes")
    async def list_keys(self, interaction: discord.Interaction) -> None:
        """Show every key."""
        if await self._refused(interaction):
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        locale = str(interaction.locale)
        embed = discord.Embed(title=translate("keys.list.title", locale))
        whole = _table(self._custody.keychain.shown(), locale).lines()
        shown = tables.fitting(whole, _MOST_TABLE)
        embed.description = "\n".join(["```", *shown, "```"])
        if len(whole) == 1:
            embed.description = translate("keys.list.empty", locale)
        if entries := await self._custody.audit.newest(_NEWEST):
            lines = tables.fitting([_deed(entry, locale) for entry in entries], _MOST_FIELD)
            embed.add_field(name=translate("keys.list.changes", locale), value="\n".join(lines), inline=False)
        files = [] if len(shown) == len(whole) else [discord.File(io.BytesIO("\n".join(whole).encode()), "keys.txt")]
        await interaction.edit_original_response(embed=embed, attachments=files)

    @keys.command(name="disable", description="Switch a key off; it gets no new requests until it is switched on again")
    @app_commands.describe(key="Which key")
    async def disable(self, interaction: discord.Interaction, key: str) -> None:
        """Switch a key off."""
        found = await self._chosen(interaction, key)
        if found is not None:
            await self._custody.keychain.disable(found, actor_id=interaction.user.id)
            await self._say(interaction, "keys.disabled", found)

    @keys.command(name="enable", description="Switch a key on again")
    @app_commands.describe(key="Which key")
    async def enable(self, interaction: discord.Interaction, key: str) -> None:
        """Switch a key on."""
        found = await self._chosen(interaction, key)
        if found is None:
            return
        if found.state == "damaged":
            await self._say(interaction, "keys.damaged", found)
            return
        await self._custody.keychain.enable(found, actor_id=interaction.user.id)
        await self._say(interaction, "keys.enabled", found)

    @keys.command(name="remove", description="Take a key that was added out of service and delete it")
    @app_commands.describe(key="Which key")
    async def remove(self, interaction: discord.Interaction, key: str) -> None:
        """Delete a key."""
        found = await self._chosen(interaction, key)
        if found is None:
            return
        try:
            removed = await self._custody.keychain.remove(found, actor_id=interaction.user.id)
        except StorageBusyError:
            await self._say(interaction, "keys.traces", found)
            return
        await self._say(interaction, "keys.removed" if removed else "keys.of_configuration", found)

    @disable.autocomplete("key")
    @enable.autocomplete("key")
    @remove.autocomplete("key")
    async def complete_key(self, interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the keys by label, to those who may see them."""
        if not self._administrators.operate(interaction):
            return []
        wanted = current.lower()
        found = [
            key for key in self._custody.keychain.shown() if wanted in key.label.lower() or wanted in key.fingerprint
        ]
        return [
            app_commands.Choice(name=f"{key.label[:80]} ({key.short})", value=key.fingerprint)
            for key in found[:_MOST_CHOICES]
        ]

    async def _add(self, interaction: discord.Interaction, text: str, name: str | None, project: str | None) -> None:
        if await self._refused(interaction):
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        locale = str(interaction.locale)
        try:
            added, key = await self._custody.keychain.add(
                text, name=name, project=project, actor_id=interaction.user.id
            )
        except KeyFormatError:
            await interaction.edit_original_response(content=translate("keys.format", locale))
            return
        label = shown_name(key.label) if key is not None else ""
        await interaction.edit_original_response(content=translate(f"keys.add.{added}", locale, label=label))

    async def _chosen(self, interaction: discord.Interaction, key: str) -> ShownKey | None:
        """Admit the user and find the key; None: the interaction is answered."""
        if await self._refused(interaction):
            return None
        await interaction.response.defer(ephemeral=True, thinking=True)
        found = self._custody.keychain.choose(key)
        if found is None:
            sentence = translate("keys.unknown", str(interaction.locale))
            await interaction.edit_original_response(content=sentence)
        return found

    async def _say(self, interaction: discord.Interaction, sentence_id: str, key: ShownKey) -> None:
        locale = str(interaction.locale)
        sentences = [translate(sentence_id, locale, label=shown_name(key.label))]
        if all(one.state in ("off", "damaged") for one in self._custody.keychain.shown()):
            sentences.append(translate("keys.none_left", locale))
        await interaction.edit_original_response(content=" ".join(sentences))

    async def _refused(self, interaction: discord.Interaction) -> bool:
        if self._administrators.operate(interaction):
            return False
        await self._desk.tell(interaction, translate("keys.forbidden", str(interaction.locale)))
        return True


class KeyForm(ui.Modal):
    """A form with the key, and what it is to be called."""

    def __init__(self, locale: str, submitted: Submitted, desk: ErrorDesk) -> None:
        super().__init__(title=translate("keys.form.title", locale))
        self._submitted = submitted
        self._desk = desk
        self._key: ui.TextInput[KeyForm] = ui.TextInput(custom_id="key", max_length=_MOST_SECRET)
        self._name: ui.TextInput[KeyForm] = ui.TextInput(custom_id="name", max_length=_MOST_NAME, required=False)
        self._project: ui.TextInput[KeyForm] = ui.TextInput(custom_id="project", max_length=_MOST_NAME, required=False)
        for field, name in ((self._key, "key"), (self._name, "name"), (self._project, "project")):
            self.add_item(
                ui.Label(
                    text=translate(f"keys.form.{name}", locale),
                    description=translate(f"keys.form.{name}_hint", locale),
                    component=field,
                )
            )

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Hand what was written on."""
        name, project = (" ".join(field.value.split()) or None for field in (self._name, self._project))
        await self._submitted(interaction, self._key.value, name, project)

    async def on_error(  # type: ignore[override]  # discord.py's own Modal narrows it in this way
        self, interaction: discord.Interaction, error: Exception, /
    ) -> None:
        """End at the desk."""
        await self._desk.tell(interaction, self._desk.sentence(error, str(interaction.locale), where="/keys add"))


def _table(keys: tuple[ShownKey, ...], locale: str) -> tables.Table:
    columns = ("admin.column.key", "keys.column.fingerprint", "admin.column.project", "keys.column.source")
    heading = tuple(translate(column, locale) for column in (*columns, "admin.column.state"))
    return tables.Table(heading, tuple(_row(key, locale) for key in keys))


def _row(key: ShownKey, locale: str) -> tuple[str, ...]:
    source = translate("keys.source.added" if key.added else "keys.source.configuration", locale)
    own = key.state in ("off", "damaged", "unknown")
    state = translate(f"keys.state.{key.state}" if own else f"state.{key.state}", locale)
    return (shown_name(key.label), key.short, shown_name(key.project or "-"), source, state)


def _deed(entry: AuditEntry, locale: str) -> str:
    action = entry.action.rpartition(".")[2]
    what = translate(f"keys.action.{action}", locale, label=shown_name(entry.subject or "-"))
    return f"<t:{int(entry.done_at)}:R> <@{entry.actor_id}> {what}"
