"""``/my-data show | export | delete``: what is stored about a person, for that person only; and what leaves by itself.

A deletion is asked back by a button, which works after a restart too and always means the presser's own data. When a
server removes the bot, also while the bot was away, all that was said there is deleted; an outage of Discord's is no
removal. What always holds: every answer is for the asker alone; what is shown, exported and deleted are the same rows
(``Privacy``'s); after a deletion whatever the process remembered is dropped too (``drop_memories``).
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from cogs.custody import Custody
from cogs.desk import ErrorDesk
from cogs.exporting import parts
from cogs.sync import Notes
from cogs.vestibule import Vestibule
from utils.i18n import translate
from utils.storage import Holdings, StorageBusyError

_log = logging.getLogger(__name__)

_CONFIRM, _KEEP = "privacy:1:delete", "privacy:1:keep"
_MIB = 1024 * 1024
#: Below this a file is taken everywhere; https://discord.com/developers/docs/reference#uploading-files
_MOST_PART_BYTES = 9 * _MIB
_MOST_FILE_BYTES = 24 * _MIB
#: What people know under a name of its own; everything else is counted together.
_SHOWN = ("conversations", "turns", "messages", "attachments", "usage_days", "personas")


#: Drops what the process remembers of conversations, and of a person (None: of nobody in particular).
DropMemories = Callable[[int | None], None]


class PrivacyCog(commands.Cog):
    """`/my-data`, and removal from servers."""

    my_data = app_commands.Group(
        name="my-data",
        description="What this bot has stored about you",
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
    )

    def __init__(
        self,
        bot: commands.Bot,
        custody: Custody,
        notes: Notes,
        desk: ErrorDesk,
        drop_memories: DropMemories,
        *,
        vestibule: Vestibule,
    ) -> None:
        self._bot = bot
        self._custody = custody
        self._notes = notes
        self._desk = desk
        self._drop_memories = drop_memories
        self._vestibule = vestibule

    async def cog_load(self) -> None:
        """Take up the buttons of before the restart."""
        self._bot.add_view(self._question("en"))

    @my_data.command(name="show", description="Show how much is stored about you, and for how long")
    async def show(self, interaction: discord.Interaction) -> None:
        """Count what is stored."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._vestibule.calm()
        locale = str(interaction.locale)
        user_id = interaction.user.id
        held = await self._custody.privacy.holdings(user_id)
        lines = _counted(held, locale)
        if deeds := await self._custody.audit.count_of(user_id):
            lines.append(translate("privacy.show.deeds", locale, count=deeds))
        if not lines:
            lines.append(translate("privacy.show.nothing", locale))
        embed = discord.Embed(title=translate("privacy.show.title", locale), description="\n".join(lines))
        embed.add_field(name=translate("privacy.show.how", locale), value="\n".join(self._how(locale)), inline=False)
        await interaction.edit_original_response(embed=embed)

    @my_data.command(name="export", description="Get all that is stored about you as files")
    async def export(self, interaction: discord.Interaction) -> None:
        """Send everything as JSON."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        locale = str(interaction.locale)
        user_id = interaction.user.id
        data = await self._custody.privacy.export(user_id, max_file_bytes=_MOST_FILE_BYTES)
        if not data:
            await interaction.edit_original_response(content=translate("privacy.show.nothing", locale))
            return
        head = {"user_id": str(user_id), "exported_at": datetime.now(UTC).isoformat(timespec="seconds")}
        limit = min(interaction.filesize_limit, _MOST_PART_BYTES)
        documents = await asyncio.to_thread(parts, data, head, limit)
        names = ["my-data.json"] if len(documents) == 1 else [f"my-data-{n}.json" for n in range(1, len(documents) + 1)]
        files = [discord.File(io.BytesIO(content), name) for name, content in zip(names, documents, strict=True)]
        sentence = translate("privacy.export.done", locale, count=len(files))
        await interaction.edit_original_response(content=sentence, attachments=files[:1])
        for file in files[1:]:
            await interaction.followup.send(file=file, ephemeral=True)

    @my_data.command(name="delete", description="Delete all that is stored about you, for good")
    async def delete(self, interaction: discord.Interaction) -> None:
        """Ask back before anything is deleted."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        locale = str(interaction.locale)
        held = await self._custody.privacy.holdings(interaction.user.id)
        count = sum(held.rows.values())
        if not count:
            await interaction.edit_original_response(content=translate("privacy.show.nothing", locale))
            return
        sentence = translate("privacy.delete.ask", locale, count=count)
        question = self._question(locale)
        # the one of ``cog_load`` hears the buttons of all, so that this one need not be kept
        question.stop()
        await interaction.edit_original_response(content=sentence, view=question)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Delete what was said in a server that removed the bot; outages of Discord do not come here."""
        await self._forget_guild(guild.id)
        await self._note_guilds()

    @commands.Cog.listener()
    async def on_guild_join(self, _guild: discord.Guild) -> None:
        """Note the new server, whose removal may come while the bot is away."""
        await self._note_guilds()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Delete what was said in servers that removed the bot while it was away."""
        here = {guild.id for guild in self._bot.guilds}
        for guild_id in sorted(await self._noted_guilds() - here):
            await self._forget_guild(guild_id)
        await self._note_guilds()

    def _question(self, locale: str) -> ui.View:
        return _Question(locale, self._forget_user, self._desk)

    async def _forget_user(self, interaction: discord.Interaction) -> str:
        """Delete the presser's data; gives the sentence that says so."""
        locale = str(interaction.locale)
        try:
            count = await self._custody.privacy.forget_user(interaction.user.id)
        except StorageBusyError as error:
            _log.warning("/my-data delete: %s", error)
            return translate("privacy.delete.traces", locale)
        finally:
            self._drop_memories(interaction.user.id)
        return translate("privacy.delete.done", locale, count=count)

    async def _forget_guild(self, guild_id: int) -> None:
        try:
            count = await self._custody.privacy.forget_guild(guild_id)
        except StorageBusyError as error:
            _log.warning("server %d: %s", guild_id, error)
        else:
            _log.info("server %d removed the bot: %d rows were deleted", guild_id, count)
        finally:
            self._drop_memories(None)

    async def _noted_guilds(self) -> set[int]:
        found = json.loads(await self._notes.get(self._guilds_note) or "[]")
        return {int(guild_id) for guild_id in found}

    async def _note_guilds(self) -> None:
        ids = sorted(guild.id for guild in self._bot.guilds)
        await self._notes.set(self._guilds_note, json.dumps(ids))

    @property
    def _guilds_note(self) -> str:
        # another bot on the same database is in other servers
        return f"guilds.{self._bot.application_id}"

    def _how(self, locale: str) -> list[str]:
        days = self._custody.retention_days
        return [
            translate("privacy.show.retention", locale, count=days)
            if days
            else translate("privacy.show.no_retention", locale),
            translate("privacy.show.encrypted" if self._custody.encrypted else "privacy.show.plain", locale),
            translate("privacy.show.sent", locale),
        ]


class _Question(ui.View):
    """Two buttons under the question whether to delete; both end it."""

    def __init__(self, locale: str, forget: Callable[[discord.Interaction], Any], desk: ErrorDesk) -> None:
        super().__init__(timeout=None)
        self._forget = forget
        self._desk = desk
        yes: ui.Button[_Question] = ui.Button(
            style=discord.ButtonStyle.danger, label=translate("privacy.delete.yes", locale), custom_id=_CONFIRM
        )
        no: ui.Button[_Question] = ui.Button(label=translate("privacy.delete.no", locale), custom_id=_KEEP)
        yes.callback = self._delete  # type: ignore[method-assign]  # discord.py's own way to give a button its work
        no.callback = self._keep  # type: ignore[method-assign]  # as above
        self.add_item(yes)
        self.add_item(no)

    async def _delete(self, interaction: discord.Interaction) -> None:
        # the buttons go at once, so that nobody presses twice
        await interaction.response.edit_message(
            content=translate("privacy.delete.running", str(interaction.locale)), view=None
        )
        await interaction.edit_original_response(content=await self._forget(interaction))

    async def _keep(self, interaction: discord.Interaction) -> None:
        sentence = translate("privacy.delete.kept", str(interaction.locale))
        await interaction.response.edit_message(content=sentence, view=None)

    async def on_error(self, interaction: discord.Interaction, error: Exception, _item: ui.Item[Any], /) -> None:
        """End at the desk."""
        await self._desk.tell(interaction, self._desk.sentence(error, str(interaction.locale), where="/my-data delete"))


def _counted(held: Holdings, locale: str) -> list[str]:
    lines = []
    for table in _SHOWN:
        if count := held.rows.get(table, 0):
            size = f"{held.file_bytes / _MIB:.1f}"
            lines.append(translate(f"privacy.rows.{table}", locale, count=count, size=size))
    if other := sum(count for table, count in held.rows.items() if table not in _SHOWN):
        lines.append(translate("privacy.rows.other", locale, count=other))
    if held.oldest_at is not None:
        lines.append(translate("privacy.show.oldest", locale, date=f"<t:{int(held.oldest_at)}:D>"))
    return lines
