"""The parts of ``/persona`` around its commands: the form to write one, and finding one by what was typed.

``PersonaForm`` asks for a name and the instructions, which may come as a text file instead; ``checked`` says why they
are not taken. ``PersonaChoices`` offers personas while a user types and finds the chosen one. What always holds:
nobody is offered, and nobody gets, a persona that may not be used by them; a form is refused like the command it came
of; nothing longer than ``MAX_INSTRUCTIONS`` characters is taken, so that whatever was stored can be shown and edited
in one form; whatever goes wrong in a form ends at the desk. Storing is ``cogs.personas``'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import discord
from discord import app_commands, ui

from cogs.access import Gatekeeper, role_ids
from cogs.desk import ErrorDesk
from cogs.incoming import Intake
from utils.conversations.limits import Refusal
from utils.i18n import translate
from utils.storage import Persona, Personas

MAX_NAME = 60
#: What Discord's text field takes; https://discord.com/developers/docs/components/reference#text-input
MAX_INSTRUCTIONS = 4000
#: A longer file cannot hold few enough characters, whatever they are.
_MAX_FILE_BYTES = 4 * MAX_INSTRUCTIONS + 3
_MOST_CHOICES = 25
_MOST_CHOICE_NAME = 100

#: What to do with a finished form: the interaction, the name, the instructions.
Submitted = Callable[[discord.Interaction, str, str], Awaitable[None]]


class PersonaForm(ui.Modal):
    """A form with a name, the instructions, and a file in their place."""

    def __init__(
        self,
        locale: str,
        intake: Intake,
        desk: ErrorDesk,
        submitted: Submitted,
        *,
        gatekeeper: Gatekeeper,
        persona: Persona | None = None,
    ) -> None:
        super().__init__(title=translate("persona.form.title", locale))
        self._intake = intake
        self._desk = desk
        self._submitted = submitted
        self._gatekeeper = gatekeeper
        self._name: ui.TextInput[PersonaForm] = ui.TextInput(
            custom_id="name", max_length=MAX_NAME, default=persona.name if persona is not None else None
        )
        self._instructions: ui.TextInput[PersonaForm] = ui.TextInput(
            custom_id="instructions",
            style=discord.TextStyle.paragraph,
            max_length=MAX_INSTRUCTIONS,
            required=False,
            default=persona.instructions if persona is not None else None,
        )
        self._file: ui.FileUpload[PersonaForm] = ui.FileUpload(custom_id="file", required=False, max_values=1)
        self.add_item(ui.Label(text=translate("persona.form.name", locale), component=self._name))
        self.add_item(
            ui.Label(
                text=translate("persona.form.instructions", locale),
                description=translate("persona.form.instructions_hint", locale, limit=MAX_INSTRUCTIONS),
                component=self._instructions,
            )
        )
        self.add_item(
            ui.Label(
                text=translate("persona.form.file", locale),
                description=translate("persona.form.file_hint", locale),
                component=self._file,
            )
        )

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Check what was written and hand it on."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        if (sentence := await self._gatekeeper.command_refusal(interaction, "persona")) is not None:
            await interaction.edit_original_response(content=sentence)
            return
        name = " ".join(self._name.value.split())
        text = await self._text()
        refusal = text if isinstance(text, Refusal) else checked(name, text)
        if isinstance(text, Refusal) or refusal is not None:
            why = refusal.sentence(str(interaction.locale)) if refusal is not None else ""
            await interaction.edit_original_response(content=why)
            return
        await self._submitted(interaction, name, text.strip())

    async def on_error(  # type: ignore[override]  # discord.py's own Modal narrows it in this way
        self, interaction: discord.Interaction, error: Exception, /
    ) -> None:
        """Tell the user and the log."""
        sentence = self._desk.sentence(error, str(interaction.locale), where="a persona's form")
        await self._desk.tell(interaction, sentence)

    async def _text(self) -> str | Refusal:
        if not self._file.values:
            return self._instructions.value
        file = self._file.values[0]
        if file.size > _MAX_FILE_BYTES:
            return Refusal("persona.file_too_long", {"limit": MAX_INSTRUCTIONS})
        if file.size == 0:
            return ""
        [fetched] = await self._intake.attachments([file])
        try:
            return fetched.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return Refusal("persona.file_not_text", {})


def checked(name: str, instructions: str) -> Refusal | None:
    """Say why a persona is not taken, or None."""
    count = units(instructions.strip())
    if not name or units(name) > MAX_NAME or not name.isprintable():
        return Refusal("persona.name_invalid", {"limit": MAX_NAME})
    if count == 0:
        return Refusal("persona.empty", {})
    if count > MAX_INSTRUCTIONS:
        return Refusal("persona.too_long", {"count": count, "limit": MAX_INSTRUCTIONS})
    return None


def units(text: str) -> int:
    """Count a text's length as Discord's client counts it, in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class PersonaChoices:
    """The personas that a user may choose."""

    def __init__(self, personas: Personas) -> None:
        self._personas = personas

    async def usable(self, interaction: discord.Interaction) -> list[Persona]:
        """Give the personas that the interaction's user may use here, their own first."""
        user, guild_id = interaction.user, interaction.guild_id
        found = await self._personas.within_reach(user.id, guild_id)
        roles = role_ids(user)
        usable = [persona for persona in found if persona.may_use(user.id, guild_id, roles)]
        return sorted(usable, key=lambda persona: persona.user_id != user.id)

    async def choices(
        self, interaction: discord.Interaction, current: str, *, only_own: bool = False
    ) -> list[app_commands.Choice[str]]:
        """Offer at most 25 personas whose names contain what was typed."""
        locale, typed = str(interaction.locale), current.strip().casefold()
        result = []
        for persona in await self.usable(interaction):
            is_own = persona.user_id == interaction.user.id
            if typed in persona.name.casefold() and (is_own or not only_own):
                shown = persona.name if is_own else translate("persona.choice_shared", locale, name=persona.name)
                result.append(app_commands.Choice(name=shown[:_MOST_CHOICE_NAME], value=str(persona.id)))
        return result[:_MOST_CHOICES]

    async def find(self, interaction: discord.Interaction, given: str) -> Persona | None:
        """Find a persona that the user may use, by the value of a choice or by its name."""
        usable = await self.usable(interaction)
        typed = given.strip().casefold()
        by_id = (persona for persona in usable if str(persona.id) == typed)
        by_name = (persona for persona in usable if persona.name.casefold() == typed)
        return next(by_id, None) or next(by_name, None)
