"""The application's commands: registered by the bot, looked up when a user calls one.

``Commands`` keeps the global set and a set per guild. Replacing a set keeps the ids of commands with the same kind and
name, as Discord does. ``completed`` is how Discord answers a command: every field that discord.py and Discord's
published description expect. Limits are ``sizes``'.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.discord.errors import ApiError, invalid_form
from sandbox.discord.ids import Snowflakes
from sandbox.discord.limits import DiscordLimits
from sandbox.discord.sizes import check_commands

Json = dict[str, Any]

CHAT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, SUBGROUP = 1, 2
_NAME = re.compile(r"[-_'\w]+")


class Commands:
    """All sets of commands; scope None is the global one, otherwise a guild's id."""

    def __init__(self, limits: DiscordLimits) -> None:
        self._limits = limits
        self._sets: dict[str | None, dict[str, Json]] = {}

    def replace(self, scope: str | None, given: list[Json], ids: Snowflakes, application_id: str) -> list[Json]:
        """Replace a whole set; raises ApiError 400 and changes nothing when one of them is not valid."""
        self._check(given)
        old = {(c["type"], c["name"]): c["id"] for c in self.all(scope)}
        fresh = {}
        for command in given:
            kind = int(command.get("type") or CHAT)
            command_id = old.get((kind, command["name"])) or ids.next()
            done = completed(command, command_id, application_id, ids.next(), scope)
            fresh[done["id"]] = done
        self._sets[scope] = fresh
        return list(fresh.values())

    def upsert(self, scope: str | None, given: Json, ids: Snowflakes, application_id: str) -> Json:
        """Add one command, or replace the one of its kind and name."""
        kind = int(given.get("type") or CHAT)
        others = [c for c in self.all(scope) if (c["type"], c["name"]) != (kind, given.get("name"))]
        self.replace(scope, [*others, given], ids, application_id)
        return next(c for c in self.all(scope) if (c["type"], c["name"]) == (kind, given["name"]))

    def _check(self, given: list[Json]) -> None:
        problems = check_commands(given, self._limits)
        if problems:
            raise invalid_form(problems)
        seen = set()
        for index, command in enumerate(given):
            kind, name = int(command.get("type") or CHAT), str(command["name"])
            if kind == CHAT and (not _NAME.fullmatch(name) or name != name.lower()):
                raise invalid_form([(f"{index}.name", "Command name is invalid")], kind="provoked_400")
            if (kind, name) in seen:
                wrong = "Application command names must be unique"
                raise invalid_form([(f"{index}.name", wrong)], kind="provoked_400")
            seen.add((kind, name))

    def all(self, scope: str | None) -> list[Json]:
        """Return one set."""
        return list(self._sets.get(scope, {}).values())

    def seen_in(self, guild_id: str | None) -> list[Json]:
        """Return what can be called in a guild (its own and the global ones) or in a direct message (None)."""
        return [*(self.all(guild_id) if guild_id else []), *self.all(None)]

    def get(self, scope: str | None, command_id: str) -> Json:
        """Find one command; raises ApiError 404."""
        command = self._sets.get(scope, {}).get(command_id)
        if command is None:
            raise ApiError(404, 10063, "Unknown application command")
        return command

    def remove(self, scope: str | None, command_id: str) -> None:
        """Take one command out; raises ApiError 404."""
        self.get(scope, command_id)
        del self._sets[scope][command_id]


def completed(given: Json, command_id: str, application_id: str, version: str, guild_id: str | None) -> Json:
    """Return a command as Discord answers it."""
    permissions = given.get("default_member_permissions")
    done: Json = {
        "id": command_id,
        "application_id": application_id,
        "version": version,
        "type": int(given.get("type") or CHAT),
        "name": given["name"],
        "name_localizations": given.get("name_localizations"),
        "description": given.get("description") or "",
        "description_localizations": given.get("description_localizations"),
        "default_member_permissions": None if permissions is None else str(permissions),
        "dm_permission": given.get("dm_permission", True) is not False,
        "contexts": given.get("contexts"),
        "integration_types": given.get("integration_types") or [0],
        "nsfw": bool(given.get("nsfw")),
        "options": [_option(option) for option in given.get("options") or []],
    }
    if guild_id:
        done["guild_id"] = guild_id
    return done


def _option(given: Json) -> Json:
    option = {key: value for key, value in given.items() if value is not None}
    if "options" in option:
        option["options"] = [_option(inner) for inner in option["options"]]
    return option
