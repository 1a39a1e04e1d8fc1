"""Routes of channels and threads: fetch, change, delete; open threads, join and leave them, list them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.discord.errors import missing_access, missing_permissions, unknown, unknown_channel
from sandbox.discord.hub import Hub
from sandbox.discord.messages import Messages
from sandbox.discord.permissions import Permission, compute, may
from sandbox.discord.rest.routes import Call, Reply, Route
from sandbox.discord.threads import Threads
from sandbox.discord.world import PUBLIC_THREAD, Channel, User

_CHANNEL = "/channels/{channel_id}"
_MEMBERS = _CHANNEL + "/thread-members"


class ChannelRoutes:
    """Serves the bot's calls about channels and threads."""

    def __init__(self, hub: Hub, messages: Messages, threads: Threads) -> None:
        self._hub = hub
        self._messages = messages
        self._threads = threads

    def routes(self) -> Iterable[Route]:
        """Return the table of this resource."""
        return (
            Route("GET", _CHANNEL, self.get, "read"),
            Route("PATCH", _CHANNEL, self.change, "channel"),
            Route("DELETE", _CHANNEL, self.delete, "channel"),
            Route("POST", _CHANNEL + "/messages/{message_id}/threads", self.open_from, "thread"),
            Route("POST", _CHANNEL + "/threads", self.open_alone, "thread"),
            Route("GET", _CHANNEL + "/threads/archived/public", self.archived, "read"),
            Route("GET", _CHANNEL + "/threads/archived/private", self.archived_private, "read"),
            Route("GET", _MEMBERS, self.members, "read"),
            Route("PUT", _MEMBERS + "/@me", self.join, "channel"),
            Route("DELETE", _MEMBERS + "/@me", self.leave, "channel"),
            Route("PUT", _MEMBERS + "/{user_id}", self.add_member, "channel"),
            Route("DELETE", _MEMBERS + "/{user_id}", self.remove_member, "channel"),
            Route("GET", "/guilds/{guild_id}/threads/active", self.active, "read"),
        )

    def _channel(self, call: Call) -> Channel:
        channel = self._hub.world.channels.get(call.ids["channel_id"])
        if channel is None:
            raise unknown_channel(call.ids["channel_id"])
        if not compute(self._hub.world, self._hub.world.bot, channel):
            raise missing_access(channel.id)
        return channel

    def _thread(self, call: Call) -> Channel:
        channel = self._channel(call)
        if channel.thread is None:
            raise unknown_channel(channel.id)
        return channel

    def _user(self, call: Call) -> User:
        user = self._hub.world.users.get(call.ids["user_id"])
        if user is None:
            raise unknown("User", 10013, call.ids["user_id"])
        return user

    def _need(self, channel: Channel, permission: Permission) -> None:
        if not may(self._hub.world, self._hub.world.bot, channel, permission):
            raise missing_permissions(channel.id)

    def get(self, call: Call) -> Any:
        """Fetch a channel, thread or direct message."""
        return self._hub.payloads.channel(self._channel(call))

    def change(self, call: Call) -> Any:
        """Change a thread, or a channel's name and topic."""
        channel = self._channel(call)
        if channel.thread:
            self._threads.change(self._hub.world.bot, channel, call.body)
        else:
            self._need(channel, Permission.MANAGE_CHANNELS)
            channel.name = str(call.body.get("name") or channel.name)
            channel.topic = call.body.get("topic", channel.topic)
            self._hub.announce.channel_updated(channel)
        return self._hub.payloads.channel(channel)

    def delete(self, call: Call) -> Any:
        """Delete a thread, or a channel with its threads."""
        channel = self._channel(call)
        self._need(channel, Permission.MANAGE_THREADS if channel.thread else Permission.MANAGE_CHANNELS)
        shown = self._hub.payloads.channel(channel)
        for thread in [t for t in self._hub.world.threads() if t.parent_id == channel.id]:
            self._threads.delete(thread)
        self._threads.delete(channel)
        return shown

    def open_from(self, call: Call) -> Reply:
        """Open a thread from a message."""
        message = self._messages.get(self._channel(call), call.ids["message_id"])
        thread = self._messages.open_thread(self._hub.world.bot, message, call.body)
        return Reply(201, self._hub.payloads.channel(thread))

    def open_alone(self, call: Call) -> Reply:
        """Open a thread without a message."""
        thread = self._threads.open_alone(self._hub.world.bot, self._channel(call), call.body)
        return Reply(201, self._hub.payloads.channel(thread))

    def archived(self, call: Call) -> Any:
        """List the archived public threads of a channel."""
        return self._archived(call, public=True)

    def archived_private(self, call: Call) -> Any:
        """List the archived private threads of a channel."""
        channel = self._channel(call)
        self._need(channel, Permission.MANAGE_THREADS)
        return self._archived(call, public=False)

    def _archived(self, call: Call, *, public: bool) -> Any:
        channel = self._channel(call)
        self._need(channel, Permission.READ_MESSAGE_HISTORY)
        found = [
            thread
            for thread in self._hub.world.threads()
            if thread.parent_id == channel.id
            and thread.thread
            and thread.thread.archived
            and (thread.type == PUBLIC_THREAD) == public
        ]
        return self._listed(found, has_more=False)

    def active(self, call: Call) -> Any:
        """List the threads of the guild that are not archived."""
        if call.ids["guild_id"] != self._hub.world.guild_id:
            raise unknown("Guild", 10004, call.ids["guild_id"])
        found = [t for t in self._hub.world.threads() if t.thread and not t.thread.archived]
        return self._listed(found, has_more=False)

    def _listed(self, threads: list[Channel], **more: bool) -> dict[str, Any]:
        bot = self._hub.world.bot
        seen = [thread for thread in threads if compute(self._hub.world, bot, thread)]
        mine = [self._hub.payloads.thread_member(t, bot.id) for t in seen if t.thread and bot.id in t.thread.members]
        return {"threads": [self._hub.payloads.channel(thread) for thread in seen], "members": mine, **more}

    def members(self, call: Call) -> Any:
        """List who is in a thread."""
        thread = self._thread(call)
        return [self._hub.payloads.thread_member(thread, u) for u in (thread.thread.members if thread.thread else ())]

    def join(self, call: Call) -> None:
        """Join a thread."""
        self._threads.join(self._thread(call), self._hub.world.bot)

    def leave(self, call: Call) -> None:
        """Leave a thread."""
        self._threads.leave(self._thread(call), self._hub.world.bot)

    def add_member(self, call: Call) -> None:
        """Take a user into a thread."""
        self._threads.join(self._thread(call), self._user(call))

    def remove_member(self, call: Call) -> None:
        """Take a user out of a thread."""
        thread = self._thread(call)
        self._need(thread, Permission.MANAGE_THREADS)
        self._threads.leave(thread, self._user(call))
