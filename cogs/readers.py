"""Which language to answer a person in.

Interactions carry their user's locale, messages carry none; ``Readers`` remembers it from the one for the
other, and falls back to the language that the server chose, then to the server's preferred locale. What
always holds: at most ``limit`` users are remembered, those seen last; nothing is stored.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

import discord

_DEFAULT_LOCALE = "en-US"


class ChosenLanguages(Protocol):
    """What servers chose for those whose language is not known."""

    def language(self, guild_id: int) -> str | None:
        """Give the locale that a server chose, without waiting."""


class Readers:
    """The locales of the users seen last, as Discord writes them (``zh-TW``)."""

    def __init__(self, chosen: ChosenLanguages, *, limit: int = 10_000) -> None:
        self._chosen = chosen
        self._limit = limit
        self._locales: OrderedDict[int, str] = OrderedDict()

    def remember(self, interaction: discord.Interaction) -> None:
        """Take the locale from an interaction of its user."""
        user_id = interaction.user.id
        self._locales[user_id] = str(interaction.locale)
        self._locales.move_to_end(user_id)
        if len(self._locales) > self._limit:
            self._locales.popitem(last=False)

    def forget(self, user_id: int) -> None:
        """Drop what is remembered of a user."""
        self._locales.pop(user_id, None)

    def locale_of(self, message: discord.Message) -> str:
        """Give the locale to answer this message's author in."""
        known = self._locales.get(message.author.id)
        if known is not None:
            return known
        if message.guild is None:
            return _DEFAULT_LOCALE
        return self._chosen.language(message.guild.id) or str(message.guild.preferred_locale)
