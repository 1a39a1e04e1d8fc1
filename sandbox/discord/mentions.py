"""Who a message's text pings.

``resolve`` evaluates text and ``allowed_mentions`` as Discord does (page resources/message): no object means that all
is parsed; mentions inside code are text. ``unguarded`` names the pings that no one asked for by id, which is how text
written by a model pings people. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sandbox.discord.world import User, World

_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(everyone|here)\b")


@dataclass(frozen=True, slots=True)
class Pings:
    """Users and role ids that are pinged, and whether everyone is."""

    users: list[User]
    roles: list[str]
    everyone: bool


def resolve(
    text: str, allowed: dict[str, Any] | None, world: World, *, replied: User | None, may_ping_all: bool
) -> Pings:
    """Return who is pinged; ``may_ping_all`` is the permission Mention Everyone."""
    plain = _CODE.sub("", text)
    users = [world.users[i] for i in _unique(_USER, plain) if i in world.users and _allows(allowed, "users", i)]
    wants_reply = allowed is None or bool(allowed.get("replied_user"))
    if replied is not None and wants_reply and replied not in users:
        users.append(replied)
    roles = [i for i in _unique(_ROLE, plain) if i in world.roles and _allows(allowed, "roles", i)]
    roles = [i for i in roles if may_ping_all or world.roles[i].mentionable]
    everyone = may_ping_all and bool(_EVERYONE.search(plain)) and _parses(allowed, "everyone")
    return Pings(users, roles, everyone)


def unguarded(text: str, allowed: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Return (kind of violation, what is pinged) for pings that the text alone decides, whoever wrote it."""
    plain = _CODE.sub("", text)
    found = []
    for kind, group, pattern in (
        ("mention_everyone", "everyone", _EVERYONE),
        ("mention_role", "roles", _ROLE),
        ("mention_user", "users", _USER),
    ):
        hit = pattern.search(plain)
        if hit and _parses(allowed, group):
            found.append((kind, hit.group(0)))
    return found


def _parses(allowed: dict[str, Any] | None, group: str) -> bool:
    return allowed is None or group in (allowed.get("parse") or ())


def _allows(allowed: dict[str, Any] | None, group: str, object_id: str) -> bool:
    if allowed is None or _parses(allowed, group):
        return True
    return object_id in [str(i) for i in allowed.get(group) or ()]


def _unique(pattern: re.Pattern[str], text: str) -> list[str]:
    return list(dict.fromkeys(pattern.findall(text)))
