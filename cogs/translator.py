"""Names and descriptions of commands in every language of the catalogues.

``CatalogueTranslator`` answers discord.py's question for the text of a command, option or menu in one locale.
The id is made from the command: ``command.<name>.name``, ``command.<name>.<option>.description``, hyphens as
underscores; a context menu, whose name is prose, carries its own in ``extras["catalogue"]``.
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
        string: app_commands.locale_str,  # noqa: ARG002 - the base's signature; the id is made from the context
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Give the text in that locale, or None where there is none of its own."""
        message_id = message_id_of(context)
        return translate(message_id, str(locale)) if message_id and covers(str(locale)) else None


def message_id_of(context: app_commands.TranslationContextTypes) -> str | None:
    """Name the catalogue's id for this text of a command; None for texts that are not translated."""
    data: Any = context.data
    match context.location:
        case Location.command_name:
            return f"command.{_slug(data)}.name"
        case Location.command_description:
            return f"command.{_slug(data)}.description"
        case Location.parameter_name:
            return f"command.{_slug(data.command)}.{data.name}.name"
        case Location.parameter_description:
            return f"command.{_slug(data.command)}.{data.name}.description"
        case _:
            return None


def _slug(command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu) -> str:
    given = command.extras.get("catalogue")
    return str(given) if given else command.name.replace("-", "_")
