"""Names and descriptions of commands in every language of the catalogues.

``CatalogueTranslator`` answers discord.py's question for a text of a command, group, option, choice or menu in one
locale. The id is made from the command: ``command.<name>.name``, ``command.<name>.<option>.description``; a command in
a group is ``command.<group>.<name>``; hyphens are underscores. A menu, whose name is prose, carries its part of the id
in ``extras["catalogue"]``; a choice carries its whole id in ``locale_str(text, catalogue=id)``, which ``choice`` makes.
What always holds: a locale without a catalogue of its own gets no entry, so Discord shows the default text.
"""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Location

from utils.i18n import covers, translate


class CatalogueTranslator(app_commands.Translator):
    """Looks the texts of commands up in the catalogues."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Give the text in that locale, or None where there is none of its own."""
        # asked first, because discord.py asks for each text in more than thirty locales
        if not covers(str(locale)):
            return None
        message_id = message_id_of(string, context)
        return translate(message_id, str(locale)) if message_id else None


def choice(text: str, value: str, message_id: str) -> app_commands.Choice[str]:
    """Make a choice of an option; ``text`` is its name in English, ``message_id`` the sentence in every language."""
    return app_commands.Choice(name=app_commands.locale_str(text, catalogue=message_id), value=value)


def shown_text(command: app_commands.Command[Any, ..., Any] | app_commands.Group, part: str, locale: str) -> str:
    """Give a command's ``name`` or ``description`` as a reader of that locale sees it in Discord."""
    return translate(f"command.{_slug(command)}.{part}", locale)


def message_id_of(string: app_commands.locale_str, context: app_commands.TranslationContextTypes) -> str | None:
    """Name the catalogue's id for this text of a command; None for texts that are not translated."""
    data: Any = context.data
    match context.location:
        case Location.command_name | Location.group_name:
            return f"command.{_slug(data)}.name"
        case Location.command_description | Location.group_description:
            return f"command.{_slug(data)}.description"
        case Location.parameter_name:
            return f"command.{_slug(data.command)}.{data.name}.name"
        case Location.parameter_description:
            return f"command.{_slug(data.command)}.{data.name}.description"
        case Location.choice_name:
            given = string.extras.get("catalogue")
            return str(given) if given else None
        case _:
            return None


def _slug(command: app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu) -> str:
    given = command.extras.get("catalogue")
    return str(given) if given else command.qualified_name.replace(" ", ".").replace("-", "_")
