"""What ``/doctor`` looks at, one check for each thing that can be wrong. No check changes anything.

A check gives a ``Finding``: how bad it is, and one sentence in the reader's language that says what is the case and,
where something is to be mended, what to do. ``CheckUps.all`` makes all checks side by side. What always holds: a check
that fails or takes too long is itself a finding, and keeps no other from its answer; no sentence holds a secret, keys
are named by label; asking about keys is free of charge.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import math
import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol

import discord
from discord import app_commands
from discord.ext import commands

from cogs.custody import Custody
from cogs.incoming import shown_name
from utils.gemini_pool import successor_of
from utils.i18n import translate
from utils.storage import DatabaseHealth, GuildSettings

_TIMEOUT_S = 20.0
_MOST_NAMED = 8
_CLOCK_OFF_S = 5.0
_SLOW_DATABASE_S = 1.0
_SLOW_GATEWAY_S = 2.0
_LITTLE_ROOM = 1024**3
_NO_ROOM = 200 * 1024**2
_MIB = 1024**2

#: Without these the bot cannot do what its commands promise.
_NEEDED: Final = (
    "view_channel",
    "send_messages",
    "send_messages_in_threads",
    "create_public_threads",
    "create_private_threads",
    "read_message_history",
    "embed_links",
    "attach_files",
)
_NEEDED_FOR_ALERTS: Final = ("view_channel", "send_messages")
_LIBRARIES: Final = ("discord.py", "google-genai", "SQLAlchemy", "cryptography")


class Level(Enum):
    """How bad it is, with its mark."""

    GOOD = "✅"
    NOTE = "⚠️"
    BAD = "❌"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; ``name`` is the check's, in the catalogue's words."""

    name: str
    level: Level
    sentence: str


class _Found(NamedTuple):
    """What one look found; ``name`` None: the check's own."""

    level: Level
    sentence: str
    name: str | None = None


class Health(Protocol):
    """A database that can be looked at."""

    async def look(self) -> DatabaseHealth:
        """Write, read, and measure."""


class Choices(Protocol):
    """What servers chose."""

    async def guild(self, guild_id: int) -> GuildSettings:
        """Give what a server chose."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at.

    ``model_names`` gives the models the service listed; ``sentence`` puts an error into words for a locale; ``wall``
    gives unix seconds.
    """

    bot: commands.Bot
    custody: Custody
    health: Health
    model_names: Callable[[], Sequence[str]]
    choices: Choices
    sentence: Callable[[BaseException, str], str]
    wall: Callable[[], float]
    default_model: str
    reads_content: bool


class CheckUps:
    """All checks for one interaction."""

    def __init__(self, patient: Patient, interaction: discord.Interaction, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._patient = patient
        self._interaction = interaction
        self._locale = str(interaction.locale)
        self._timeout_s = timeout_s
        # the service's own clock made the id when the command was used
        self._clock_off_s = patient.wall() - interaction.created_at.timestamp()

    async def all(self) -> list[Finding]:
        """Make every check, side by side; gives the findings in a fixed order."""
        checks: Mapping[str, Callable[[], Awaitable[Sequence[_Found]]]] = {
            "intents": self._intents,
            "permissions": self._permissions,
            "commands": self._commands,
            "gateway": self._gateway,
            "keys": self._keys,
            "models": self._models,
            "database": self._database,
            "encryption": self._encryption,
            "clock": self._clock,
            "alerts": self._alerts,
            "versions": self._versions,
        }
        found = await asyncio.gather(*[self._one(name, check) for name, check in checks.items()])
        return [finding for findings in found for finding in findings]

    async def _one(self, name: str, check: Callable[[], Awaitable[Sequence[_Found]]]) -> list[Finding]:
        called = translate(f"doctor.name.{name}", self._locale)
        try:
            async with asyncio.timeout(self._timeout_s):
                return [self._named(found, called) for found in await check()]
        except TimeoutError:
            return [Finding(called, Level.BAD, self._say("doctor.too_long", seconds=f"{self._timeout_s:.0f}"))]
        except Exception as error:  # noqa: BLE001 - whatever keeps one check from its answer is what it found
            return [Finding(called, Level.BAD, self._patient.sentence(error, self._locale))]

    def _named(self, found: _Found, called: str) -> Finding:
        name = called if found.name is None else translate(f"doctor.name.{found.name}", self._locale)
        return Finding(name, found.level, found.sentence)

    def _say(self, what: str, **values: object) -> str:
        return translate(what, self._locale, **values)

    async def _intents(self) -> list[_Found]:
        if not self._patient.reads_content:
            return [_Found(Level.NOTE, self._say("doctor.intents.off"))]
        flags = self._patient.bot.application_flags
        if flags.gateway_message_content or flags.gateway_message_content_limited:
            return [_Found(Level.GOOD, self._say("doctor.intents.good"))]
        return [_Found(Level.BAD, self._say("doctor.intents.refused"))]

    async def _permissions(self) -> list[_Found]:
        found = []
        here = self._interaction.app_permissions
        guild = self._interaction.guild
        whole = guild.me.guild_permissions if guild is not None and guild.me is not None else here
        for missing, where in ((_missing(here, _NEEDED), "here"), (_missing(whole, _NEEDED), "server")):
            if missing:
                found.append(_Found(Level.BAD, self._say(f"doctor.permissions.{where}", permissions=_listed(missing))))
        return found or [_Found(Level.GOOD, self._say("doctor.permissions.good"))]

    async def _commands(self) -> list[_Found]:
        tree = self._patient.bot.tree
        known = {(command.type.value, command.name) for command in await tree.fetch_commands()}
        ours = {_signature(command) for command in tree.get_commands()}
        if known == ours:
            return [_Found(Level.GOOD, self._say("doctor.commands.good", count=len(ours)))]
        names = sorted(f"`{shown_name(name)}`" for _, name in known ^ ours)
        return [_Found(Level.BAD, self._say("doctor.commands.differ", names=_listed(names)))]

    async def _gateway(self) -> list[_Found]:
        latency = self._patient.bot.latency
        if not math.isfinite(latency):
            # the first heartbeat is sent when a whole interval is over
            return [_Found(Level.GOOD, self._say("doctor.gateway.new"))]
        if latency >= _SLOW_GATEWAY_S:
            return [_Found(Level.NOTE, self._say("doctor.gateway.slow"))]
        return [_Found(Level.GOOD, self._say("doctor.gateway.good", ms=f"{latency * 1000:.0f}"))]

    async def _keys(self) -> list[_Found]:
        checked = await self._patient.custody.keychain.check_all()
        if not checked:
            return [_Found(Level.BAD, self._say("doctor.keys.none"))]
        found = []
        for verdict in ("refused", "unreached"):
            labels = [f"`{shown_name(key.label)}`" for key, said in checked if said == verdict]
            if labels:
                found.append(
                    _Found(Level.BAD, self._say(f"doctor.keys.{verdict}", count=len(labels), names=_listed(labels)))
                )
        good = sum(said == "good" for _, said in checked)
        return [_Found(Level.GOOD, self._say("doctor.keys.good", count=good)), *found] if good else found

    async def _models(self) -> list[_Found]:
        wanted = {self._patient.default_model: "GEMINI_MODEL"}
        if self._interaction.guild_id is not None:
            chosen = (await self._patient.choices.guild(self._interaction.guild_id)).model
            if chosen is not None:
                wanted.setdefault(chosen, "/settings set")
        listed = self._patient.model_names()
        found = []
        for name, place in wanted.items():
            successor = successor_of(name)
            values = {"model": shown_name(name), "place": place}
            if name in listed:
                continue
            if successor is not None:
                found.append(_Found(Level.NOTE, self._say("doctor.models.retired", successor=successor, **values)))
            elif listed:
                found.append(_Found(Level.BAD, self._say("doctor.models.unlisted", **values)))
        if found:
            return found
        if not listed:
            return [_Found(Level.NOTE, self._say("doctor.models.unknown"))]
        return [_Found(Level.GOOD, self._say("doctor.models.good", count=len(listed)))]

    async def _database(self) -> list[_Found]:
        health = await self._patient.health.look()
        values = {
            "description": shown_name(health.description),
            "schema": health.schema,
            "size": f"{health.size_bytes / _MIB:,.1f}",
            "write": f"{health.write_s * 1000:.0f}",
        }
        slow = health.write_s + health.read_s > _SLOW_DATABASE_S
        found = [
            _Found(Level.NOTE, self._say("doctor.database.slow", **values))
            if slow
            else self._good("doctor.database.good", **values)
        ]
        free = health.free_bytes
        if free is not None:
            level = Level.BAD if free < _NO_ROOM else Level.NOTE if free < _LITTLE_ROOM else Level.GOOD
            what = "doctor.disk.good" if level is Level.GOOD else "doctor.disk.little"
            found.append(_Found(level, self._say(what, free=f"{free / _MIB:,.0f}"), "disk"))
        return found

    def _good(self, what: str, **values: object) -> _Found:
        return _Found(Level.GOOD, self._say(what, **values))

    async def _encryption(self) -> list[_Found]:
        if self._patient.custody.encrypted:
            return [self._good("doctor.encryption.good")]
        return [_Found(Level.NOTE, self._say("doctor.encryption.off"))]

    async def _clock(self) -> list[_Found]:
        off = self._clock_off_s
        if abs(off) > _CLOCK_OFF_S:
            return [_Found(Level.BAD, self._say("doctor.clock.off", seconds=f"{off:+.0f}"))]
        return [self._good("doctor.clock.good", seconds=f"{off:+.1f}")]

    async def _alerts(self) -> list[_Found]:
        guild = self._interaction.guild
        if guild is None:
            return []
        chosen = (await self._patient.choices.guild(guild.id)).alerts_channel_id
        if chosen is None:
            return [_Found(Level.NOTE, self._say("doctor.alerts.none"))]
        channel = guild.get_channel(chosen)
        if channel is None:
            return [_Found(Level.BAD, self._say("doctor.alerts.gone"))]
        missing = _missing(channel.permissions_for(guild.me), _NEEDED_FOR_ALERTS)
        if missing:
            return [
                _Found(
                    Level.BAD,
                    self._say("doctor.alerts.forbidden", channel=channel.mention, permissions=_listed(missing)),
                )
            ]
        return [self._good("doctor.alerts.good", channel=channel.mention)]

    async def _versions(self) -> list[_Found]:
        # reads the packages' own files
        versions = await asyncio.to_thread(_versions)
        return [self._good("doctor.versions", versions=", ".join(f"{name} {version}" for name, version in versions))]


def _versions() -> list[tuple[str, str]]:
    found = [("Python", platform.python_version())]
    return found + [(name, importlib.metadata.version(name)) for name in _LIBRARIES]


def _missing(permissions: discord.Permissions, needed: Sequence[str]) -> list[str]:
    return [name.replace("_", " ") for name in needed if not getattr(permissions, name)]


def _listed(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _signature(
    command: app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu,
) -> tuple[int, str]:
    if isinstance(command, app_commands.ContextMenu):
        return command.type.value, command.name
    return discord.AppCommandType.chat_input.value, command.name
