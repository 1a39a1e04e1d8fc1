"""Whether the bot is in its server, and whether Discord can reach that server.

``Membership`` lets an administrator throw the bot out and take it in again, and lets the server fail for a while. What
always holds: the bot hears of both by GUILD_DELETE, of an outage with ``unavailable`` true, and of the end of either by
GUILD_CREATE (https://discord.com/developers/docs/events/gateway-events#guild-delete); READY lists the server in an
outage, and not after the bot was thrown out.
"""

from __future__ import annotations

from typing import Any

from sandbox.discord.errors import ActionError
from sandbox.discord.payloads import Payloads
from sandbox.discord.sessions import GUILDS, Sessions
from sandbox.discord.world import Member, World

Json = dict[str, Any]
_STATES = ("in", "out", "outage")


class Membership:
    """The bot's place in the one server."""

    def __init__(self, world: World, payloads: Payloads, sessions: Sessions) -> None:
        self._world = world
        self._payloads = payloads
        self._sessions = sessions
        self._state = "in"
        self._member: Member = world.members[world.bot.id]

    def set(self, state: str) -> None:
        """Put the bot ``in`` or ``out`` of the server, or let the server have an ``outage``; raises ActionError."""
        if state not in _STATES:
            raise ActionError("The bot is one of in, out, outage.")
        if state == self._state:
            return
        self._state = state
        bot = self._world.bot
        if state == "out":
            self._world.members.pop(bot.id, None)
        else:
            self._world.members[bot.id] = self._member
        if state == "in":
            self._tell("GUILD_CREATE", self._payloads.guild_event())
        else:
            self._tell("GUILD_DELETE", {"id": self._world.guild_id, "unavailable": state == "outage"})

    def listed(self) -> list[Json]:
        """Give the servers as READY lists them."""
        return [] if self._state == "out" else [{"id": self._world.guild_id, "unavailable": True}]

    @property
    def reachable(self) -> bool:
        """Whether the server's own data follows READY."""
        return self._state == "in"

    def _tell(self, event: str, data: Json) -> None:
        self._sessions.dispatch(event, data, intent=GUILDS, guild_id=self._world.guild_id)
