"""Routes of the application and its commands, the bot itself, users, the guild and the gateway's address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.discord.commands import Commands
from sandbox.discord.errors import unknown
from sandbox.discord.hub import Hub
from sandbox.discord.permissions import compute
from sandbox.discord.profiles import guild_json, member_json, role_json, user_json
from sandbox.discord.rest.routes import Call, Reply, Route

_GLOBAL = "/applications/{application_id}/commands"
_LOCAL = "/applications/{application_id}/guilds/{guild_id}/commands"
_GUILD = "/guilds/{guild_id}"


class ApplicationRoutes:
    """Serves what a bot asks about itself and its surroundings, and takes its commands."""

    def __init__(self, hub: Hub, commands: Commands) -> None:
        self._hub = hub
        self._commands = commands

    def routes(self) -> Iterable[Route]:
        """Return the table of this resource."""
        yield Route("GET", "/users/@me", self.me, "read")
        yield Route("GET", "/users/{user_id}", self.user, "read")
        yield Route("POST", "/users/@me/channels", self.open_dm, "channel")
        yield Route("GET", "/oauth2/applications/@me", self.application, "read")
        yield Route("GET", "/gateway", self.gateway, open=True)
        yield Route("GET", "/gateway/bot", self.gateway_bot)
        yield Route("GET", _GUILD, self.guild, "read")
        yield Route("GET", _GUILD + "/channels", self.channels, "read")
        yield Route("GET", _GUILD + "/roles", self.roles, "read")
        yield Route("GET", _GUILD + "/members/{user_id}", self.member, "read")
        for base in (_GLOBAL, _LOCAL):
            yield Route("GET", base, self.list_commands, "read")
            yield Route("PUT", base, self.replace_commands, "commands")
            yield Route("POST", base, self.add_command, "commands")
            yield Route("GET", base + "/{command_id}", self.get_command, "read")
            yield Route("PATCH", base + "/{command_id}", self.change_command, "commands")
            yield Route("DELETE", base + "/{command_id}", self.remove_command, "commands")

    def me(self, _: Call) -> Any:
        """Show the bot's own user."""
        return {**user_json(self._hub.world.bot), "mfa_enabled": False, "locale": "en-US", "verified": True}

    def user(self, call: Call) -> Any:
        """Show a user."""
        user = self._hub.world.users.get(call.ids["user_id"])
        if user is None:
            raise unknown("User", 10013, call.ids["user_id"])
        return user_json(user)

    def open_dm(self, call: Call) -> Any:
        """Open the direct message with a user; it is there already."""
        user_id = str(call.body.get("recipient_id"))
        user = self._hub.world.users.get(user_id)
        channel = self._hub.world.dm_with(user) if user else None
        if channel is None:
            raise unknown("User", 10013, user_id)
        return self._hub.payloads.channel(channel)

    def application(self, _: Call) -> Any:
        """Show the application."""
        hub = self._hub
        flags = hub.application_flags()
        return {
            "id": hub.world.bot.id,
            "name": hub.world.bot.username,
            "icon": None,
            "description": "",
            "type": None,
            "bot": user_json(hub.world.bot),
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": flags,
            "flags_new": str(flags),
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "owner": user_json(hub.world.users[hub.world.application_owner_id]),
            "approximate_guild_count": 1,
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "team": None,
            "eligible_oauth2_scopes": [],
        }

    def gateway(self, _: Call) -> Any:
        """Tell the gateway's address."""
        return {"url": self._hub.gateway_url}

    def gateway_bot(self, _: Call) -> Any:
        """Tell the gateway's address and how many shards to use."""
        limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return {"url": self._hub.gateway_url, "shards": 1, "session_start_limit": limit}

    def _check_guild(self, call: Call) -> None:
        if call.ids["guild_id"] != self._hub.world.guild_id:
            raise unknown("Guild", 10004, call.ids["guild_id"])

    def guild(self, call: Call) -> Any:
        """Show the guild."""
        self._check_guild(call)
        count = len(self._hub.world.members)
        return {**guild_json(self._hub.world), "approximate_member_count": count, "approximate_presence_count": count}

    def channels(self, call: Call) -> Any:
        """List the guild's channels that the bot can see."""
        self._check_guild(call)
        world = self._hub.world
        return [self._hub.payloads.channel(c) for c in world.guild_channels() if compute(world, world.bot, c)]

    def roles(self, call: Call) -> Any:
        """List the guild's roles."""
        self._check_guild(call)
        return [role_json(role) for role in self._hub.world.roles.values()]

    def member(self, call: Call) -> Any:
        """Show a member."""
        self._check_guild(call)
        member = self._hub.world.members.get(call.ids["user_id"])
        if member is None:
            raise unknown("Member", 10007, call.ids["user_id"])
        return member_json(member)

    def _scope(self, call: Call) -> str | None:
        if "guild_id" in call.ids:
            self._check_guild(call)
        if call.ids["application_id"] != self._hub.world.bot.id:
            raise unknown("Application", 10002, call.ids["application_id"])
        return call.ids.get("guild_id")

    def _changed(self) -> None:
        self._hub.announce.publish("commands", {"commands": self._commands.seen_in(self._hub.world.guild_id)})

    def list_commands(self, call: Call) -> Any:
        """List a set of commands."""
        return self._commands.all(self._scope(call))

    def replace_commands(self, call: Call) -> Any:
        """Replace a whole set of commands."""
        given = call.json if isinstance(call.json, list) else []
        done = self._commands.replace(self._scope(call), given, self._hub.ids, self._hub.world.bot.id)
        self._changed()
        return done

    def add_command(self, call: Call) -> Reply:
        """Add a command or replace the one of its name."""
        done = self._commands.upsert(self._scope(call), call.body, self._hub.ids, self._hub.world.bot.id)
        self._changed()
        return Reply(201, done)

    def get_command(self, call: Call) -> Any:
        """Show a command."""
        return self._commands.get(self._scope(call), call.ids["command_id"])

    def change_command(self, call: Call) -> Any:
        """Change a command."""
        scope = self._scope(call)
        old = self._commands.get(scope, call.ids["command_id"])
        done = self._commands.upsert(scope, {**old, **call.body}, self._hub.ids, self._hub.world.bot.id)
        self._changed()
        return done

    def remove_command(self, call: Call) -> None:
        """Take a command out."""
        self._commands.remove(self._scope(call), call.ids["command_id"])
        self._changed()
