"""What the pool warns of, posted where each server wants to read it (``/settings set alerts``).

``AlertsCog`` hears the pool's alerts in the bot's own loop and posts them in the server's language. What always holds:
at most one message a minute and channel, with what came meanwhile gathered in it; a message names keys by label, pings
nobody, and is no longer than Discord takes; a channel that cannot be written to is named in the log once, until it can
be again. Which alerts are due, and how often, is the pool's business.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

import discord
from discord.ext import commands

from cogs.insight import Alert, Insight
from utils.i18n import translate
from utils.storage import StorageError

_log = logging.getLogger(__name__)

_INTERVAL_S = 60.0
_MOST_KEPT = 100
_MOST_LINES = 10
_LONGEST_LINE = 180
_NOBODY = discord.AllowedMentions.none()
_DEFAULT_LOCALE = "en-US"

#: The alerts that have a sentence in every language, and what it names.
_SENTENCES: Final[Mapping[str, frozenset[str]]] = {
    "key_dead": frozenset({"key", "name", "reason"}),
    "key_back": frozenset({"key", "name"}),
    "few_keys": frozenset({"able", "keys", "model", "seconds"}),
    "enough_keys": frozenset({"able", "keys", "model"}),
    "no_key_left": frozenset({"keys"}),
}
_GOOD_NEWS: Final = frozenset({"key_back", "enough_keys"})


class Languages(Protocol):
    """What servers chose."""

    def language(self, guild_id: int) -> str | None:
        """Give the locale that a server chose, without waiting."""


class AlertsCog(commands.Cog):
    """Posts alerts; ``sleep`` waits for so many seconds."""

    def __init__(
        self,
        bot: commands.Bot,
        insight: Insight,
        languages: Languages,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bot = bot
        self._insight = insight
        self._languages = languages
        self._sleep = sleep
        self._waiting: deque[Alert] = deque(maxlen=_MOST_KEPT)
        self._left_out = 0
        self._news = asyncio.Event()
        self._failing: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    async def cog_load(self) -> None:
        """Begin to listen."""
        if self._insight.watch is not None:
            self._task = asyncio.create_task(self._run(), name="alerts")
            self._insight.watch.set_alert_listener(self.hear)

    async def cog_unload(self) -> None:
        """Listen no more."""
        if self._insight.watch is not None:
            self._insight.watch.set_alert_listener(None)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def hear(self, alert: Alert) -> None:
        """Take an alert in; of too many the oldest are only counted."""
        if len(self._waiting) == _MOST_KEPT:
            self._left_out += 1
        self._waiting.append(alert)
        self._news.set()

    async def _run(self) -> None:
        await self._bot.wait_until_ready()
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                channels = await self._insight.choices.alert_channels()
            except StorageError as error:
                _log.error("alerts wait for the database: %s", error)
                self._news.set()
            else:
                alerts, left_out = list(self._waiting), self._left_out
                self._waiting.clear()
                self._left_out = 0
                for guild_id, channel_id in channels.items():
                    await self._post(guild_id, channel_id, alerts, left_out)
            await self._sleep(_INTERVAL_S)

    async def _post(self, guild_id: int, channel_id: int, alerts: Sequence[Alert], left_out: int) -> None:
        guild = self._bot.get_guild(guild_id)
        channel = guild.get_channel(channel_id) if guild is not None else None
        try:
            if guild is None or not isinstance(channel, discord.TextChannel):
                self._note(channel_id, "it is gone or hidden from the bot")
                return
            may = channel.permissions_for(guild.me)
            if not (may.view_channel and may.send_messages):
                # asking all the same would only be refused
                self._note(channel_id, "the bot may not write there")
                return
            locale = self._languages.language(guild_id) or str(guild.preferred_locale) or _DEFAULT_LOCALE
            await channel.send(message_of(alerts, left_out, locale), allowed_mentions=_NOBODY)
        except (discord.HTTPException, discord.RateLimited, OSError) as error:
            self._note(channel_id, str(error))
        else:
            self._failing.discard(channel_id)

    def _note(self, channel_id: int, why: str) -> None:
        if channel_id not in self._failing:
            self._failing.add(channel_id)
            _log.warning("alerts cannot be posted in channel %d: %s", channel_id, why)


def message_of(alerts: Sequence[Alert], left_out: int, locale: str) -> str:
    """Write alerts as one message, a line each, the newest when there are too many."""
    shown = alerts[-_MOST_LINES:]
    lines = [f"{'✅' if alert.kind in _GOOD_NEWS else '⚠️'} {_sentence(alert, locale)}" for alert in shown]
    more = left_out + len(alerts) - len(shown)
    if more:
        lines.append(translate("alert.more", locale, count=more))
    return "\n".join(lines)


def _sentence(alert: Alert, locale: str) -> str:
    kind = str(alert.kind)
    if _SENTENCES.get(kind, frozenset({""})) <= alert.values.keys():
        values = {name: _plain(value) for name, value in alert.values.items()}
        text = translate(f"alert.{kind}", locale, **values)
    else:
        text = _plain(alert.text)
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"


def _plain(value: object) -> str:
    """Write a value so that nothing in it is markup, a mention or a line break."""
    if isinstance(value, float):
        return f"{value:.0f}"
    text = "".join(char if char.isprintable() else " " for char in str(value))
    return discord.utils.escape_mentions(discord.utils.escape_markdown(text))
