"""``/persona``: made, listed, shown, edited, deleted, shared, and used in a thread.

A persona is a name with instructions for the model. Its maker alone changes, shares and deletes it; who may manage the
server may take a shared one back. In a thread (or in direct messages) of the bot, whoever opened it or manages threads
chooses the persona. What always holds: all answers are for the asker alone, but that a thread's persona changed, which
all who talk there see; who may do what is checked here, whatever Discord let through; what a person may not use is not
shown and not told from what does not exist. The form and the choices are ``cogs.persona_forms``'s; what a persona does
to an answer is ``utils.conversations.preferences``'s.
"""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from cogs.access import Gatekeeper
from cogs.create import clipped
from cogs.desk import ErrorDesk
from cogs.incoming import Intake, shown_name
from cogs.persona_forms import PersonaChoices, PersonaForm
from cogs.threads import chat_to_change
from cogs.timely import in_time
from cogs.translator import choice
from utils.conversations import Conversations
from utils.conversations.preferences import Preferences, persona_options
from utils.i18n import translate
from utils.storage import Persona, Personas

MOST_PERSONAS = 50
_MOST_LIST = 3800
_MOST_EMBED = 4096


class PersonaCog(commands.Cog):
    """`/persona` and its subcommands."""

    persona = app_commands.Group(
        name="persona",
        description="Who Gemini shall be: make, share and use personas",
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )

    def __init__(
        self,
        personas: Personas,
        preferences: Preferences,
        conversations: Conversations,
        *,
        choices: PersonaChoices,
        intake: Intake,
        desk: ErrorDesk,
        gatekeeper: Gatekeeper,
    ) -> None:
        self._personas = personas
        self._preferences = preferences
        self._conversations = conversations
        self._choices = choices
        self._intake = intake
        self._desk = desk
        self._gatekeeper = gatekeeper

    @persona.command(name="create", description="Write a new persona")
    async def create(self, interaction: discord.Interaction) -> None:
        """Open the form for a new persona."""
        form = PersonaForm(str(interaction.locale), self._intake, self._desk, self._create, gatekeeper=self._gatekeeper)
        await interaction.response.send_modal(form)

    async def _create(self, interaction: discord.Interaction, name: str, instructions: str) -> None:
        locale = str(interaction.locale)
        if await self._has(interaction, name):
            sentence = translate("persona.name_taken", locale, name=shown_name(name))
        else:
            made = await self._personas.create(
                interaction.user.id, name=name, instructions=instructions, most=MOST_PERSONAS
            )
            sentence = (
                translate("persona.too_many", locale, count=MOST_PERSONAS)
                if made is None
                else translate("persona.created", locale, name=shown_name(name))
            )
        await interaction.edit_original_response(content=sentence)

    @persona.command(name="list", description="List the personas that you may use here")
    async def list_all(self, interaction: discord.Interaction) -> None:
        """List the user's own personas and those shared here."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        locale = str(interaction.locale)
        usable = await self._choices.usable(interaction)
        embed = discord.Embed(title=translate("persona.list.title", locale))
        embed.description = _listed(usable, interaction.user.id, locale)
        await interaction.edit_original_response(embed=embed)

    @persona.command(name="show", description="Show what a persona is told")
    @app_commands.describe(persona="The persona")
    async def show(self, interaction: discord.Interaction, persona: str) -> None:
        """Show one persona's instructions."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        found = await self._found(interaction, persona)
        if found is None:
            return
        embed = discord.Embed(title=found.name, description=clipped(found.instructions, _MOST_EMBED))
        embed.add_field(
            name=translate("persona.show.audience", str(interaction.locale)),
            value=_audience(found, str(interaction.locale)),
        )
        await interaction.edit_original_response(embed=embed)

    @persona.command(name="edit", description="Change one of your personas")
    @app_commands.describe(persona="The persona to change")
    async def edit(self, interaction: discord.Interaction, persona: str) -> None:
        """Open the form with what is there."""
        found = await self._found(interaction, persona, own=True)
        if found is None:
            return

        async def change(submitted: discord.Interaction, name: str, instructions: str) -> None:
            locale = str(submitted.locale)
            if name.casefold() != found.name.casefold() and await self._has(submitted, name):
                sentence = translate("persona.name_taken", locale, name=shown_name(name))
            elif await self._personas.change(found.id, name=name, instructions=instructions):
                self._preferences.persona_changed(found.id)
                sentence = translate("persona.edited", locale, name=shown_name(name))
            else:
                sentence = translate("persona.unknown", locale, name=shown_name(found.name))
            await submitted.edit_original_response(content=sentence)

        locale = str(interaction.locale)
        form = PersonaForm(locale, self._intake, self._desk, change, gatekeeper=self._gatekeeper, persona=found)
        await interaction.response.send_modal(form)

    @persona.command(name="delete", description="Delete one of your personas for good")
    @app_commands.describe(persona="The persona to delete")
    async def delete(self, interaction: discord.Interaction, persona: str) -> None:
        """Delete a persona; threads that use it go on without one."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        found = await self._found(interaction, persona, own=True)
        if found is None:
            return
        await self._personas.delete(found.id)
        self._preferences.persona_changed(found.id)
        await self._say(interaction, translate("persona.deleted", str(interaction.locale), name=shown_name(found.name)))

    @persona.command(name="share", description="Choose who may use a persona")
    @app_commands.describe(
        persona="The persona",
        audience="Who may use it",
        role="Only members with this role; repeat the command to let more roles in",
    )
    @app_commands.choices(
        audience=[
            choice("This server", "server", "persona.audience.server"),
            choice("Only its maker", "me", "persona.audience.me"),
        ]
    )
    async def share(
        self, interaction: discord.Interaction, persona: str, audience: str, role: discord.Role | None = None
    ) -> None:
        """Share a persona with this server or with a role in it, or take it back."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        locale = str(interaction.locale)
        found = await self._found(interaction, persona)
        if found is None:
            return
        takes_back = audience == "me"
        is_own = found.user_id == interaction.user.id
        if not is_own and not (takes_back and interaction.permissions.manage_guild):
            await self._say(interaction, translate("persona.not_yours", locale, name=shown_name(found.name)))
        elif interaction.guild_id is None and not takes_back:
            await self._say(interaction, translate("persona.share_in_server", locale))
        else:
            shared = await self._share(found, None if takes_back else interaction.guild_id, role)
            values = {"name": shown_name(found.name), "audience": _audience(shared, locale)}
            await self._say(interaction, translate("persona.shared", locale, **values))

    async def _share(self, found: Persona, guild_id: int | None, role: discord.Role | None) -> Persona:
        roles: frozenset[int] = frozenset()
        if guild_id is not None and role is not None and not role.is_default():
            # a second role joins those that were let in before
            roles = (found.role_ids if found.guild_id == guild_id else frozenset()) | {role.id}
        shared = await self._personas.share(found, guild_id, roles)
        self._preferences.persona_changed(found.id)
        return shared or found

    @persona.command(name="use", description="Choose the persona of this thread")
    @app_commands.describe(persona="The persona; without it, none")
    async def use(self, interaction: discord.Interaction, persona: str | None = None) -> None:
        """Let the thread's next answers be given by a persona, or by none."""
        locale = str(interaction.locale)
        chosen = await self._found(interaction, persona) if persona is not None else None
        if persona is not None and chosen is None:
            return
        conversation = await chat_to_change(interaction, self._conversations)
        if conversation is None:
            return
        async with in_time(interaction):
            await self._conversations.choose(conversation, options=persona_options(chosen, interaction.user.id))
        sentence = (
            translate("persona.none_used", locale)
            if chosen is None
            else translate("persona.used", locale, name=shown_name(chosen.name))
        )
        await interaction.response.send_message(sentence)

    @show.autocomplete("persona")
    @share.autocomplete("persona")
    @use.autocomplete("persona")
    async def complete_usable(self, interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the personas that the user may use here."""
        return await self._choices.choices(interaction, current)

    @edit.autocomplete("persona")
    @delete.autocomplete("persona")
    async def complete_own(self, interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the user's own personas."""
        return await self._choices.choices(interaction, current, only_own=True)

    async def _found(self, interaction: discord.Interaction, given: str, *, own: bool = False) -> Persona | None:
        """Find a persona; where there is none, or it must be the user's own and is not, say so."""
        if interaction.response.is_done():
            found = await self._choices.find(interaction, given)
        else:
            async with in_time(interaction):
                found = await self._choices.find(interaction, given)
        if found is not None and (not own or found.user_id == interaction.user.id):
            return found
        message_id = "persona.unknown" if found is None else "persona.not_yours"
        name = shown_name(given if found is None else found.name)
        await self._say(interaction, translate(message_id, str(interaction.locale), name=name))
        return None

    async def _has(self, interaction: discord.Interaction, name: str) -> bool:
        """Tell whether the user made a persona of this name already."""
        mine = await self._personas.within_reach(interaction.user.id, None)
        return any(persona.name.casefold() == name.casefold() for persona in mine)

    async def _say(self, interaction: discord.Interaction, sentence: str) -> None:
        await self._desk.tell(interaction, sentence)


def _listed(usable: Sequence[Persona], user_id: int, locale: str) -> str:
    if not usable:
        return translate("persona.list.empty", locale)
    lines: list[str] = []
    room = _MOST_LIST
    for persona in usable:
        maker = "" if persona.user_id == user_id else f" · <@{persona.user_id}>"
        line = f"- `{shown_name(persona.name)}` · {_audience(persona, locale)}{maker}"
        room -= len(line) + 1
        if room < 0:
            lines.append(translate("persona.list.more", locale, count=len(usable) - len(lines)))
            break
        lines.append(line)
    return "\n".join(lines)


def _audience(persona: Persona, locale: str) -> str:
    if persona.guild_id is None:
        return translate("persona.audience.me", locale)
    if not persona.role_ids:
        return translate("persona.audience.server", locale)
    roles = ", ".join(f"<@&{role_id}>" for role_id in sorted(persona.role_ids)[:10])
    return translate("persona.audience.roles", locale, roles=roles)
