"""Who is told of a change: the bot by the gateway, people by the event bus.

``Announcer`` has one method per kind of change. The bot is told what Discord would tell it: by intents, only of
channels it can see, without the content of messages it may not read, and never of ephemeral messages. The bus is told
everything, in Discord's own JSON with ``channel_id``.
"""

from __future__ import annotations

from typing import Any

from sandbox.discord import sessions as wire
from sandbox.discord.payloads import Payloads, is_ephemeral
from sandbox.discord.permissions import compute
from sandbox.discord.profiles import member_json
from sandbox.discord.sessions import Session, Sessions
from sandbox.discord.world import Channel, Message, User, World
from sandbox.events import EventBus

Json = dict[str, Any]


class Announcer:
    """Tells the bot's sessions and the bus about changes in one world."""

    def __init__(self, world: World, payloads: Payloads, sessions: Sessions, bus: EventBus) -> None:
        self._world = world
        self._payloads = payloads
        self._sessions = sessions
        self._bus = bus

    def message_created(self, message: Message) -> None:
        """Tell of a new message."""
        self._message("message_create", message)

    def message_updated(self, message: Message) -> None:
        """Tell of an edit."""
        self._message("message_update", message)

    def _message(self, kind: str, message: Message) -> None:
        shown = self._payloads.message_event(message)
        self._bus.publish(kind, shown)
        channel = self._world.channels[message.channel_id]
        if is_ephemeral(message) or not self._visible(channel):
            return
        intent = wire.GUILD_MESSAGES if channel.guild_id else wire.DIRECT_MESSAGES
        self._sessions.dispatch(
            kind.upper(), shown, intent=intent, guild_id=channel.guild_id, shape=self._readable(message)
        )

    def _readable(self, message: Message) -> Any:
        def shape(session: Session, shown: Json) -> Json:
            if session.intents & wire.MESSAGE_CONTENT or self.reads_without_intent(message):
                return shown
            return self._payloads.without_content(shown)

        return shape

    def reads_without_intent(self, message: Message) -> bool:
        """Whether the bot gets a message's content in any case: a DM, its own, or one that mentions it."""
        bot = self._world.bot
        in_dm = self._world.channels[message.channel_id].guild_id is None
        return in_dm or message.author is bot or bot in message.mentions

    def message_deleted(self, message: Message) -> None:
        """Tell that a message is gone."""
        channel = self._world.channels[message.channel_id]
        data: Json = {"id": message.id, "channel_id": message.channel_id}
        if channel.guild_id:
            data["guild_id"] = channel.guild_id
        self._bus.publish("message_delete", data)
        if not is_ephemeral(message) and self._visible(channel):
            intent = wire.GUILD_MESSAGES if channel.guild_id else wire.DIRECT_MESSAGES
            self._sessions.dispatch("MESSAGE_DELETE", data, intent=intent, guild_id=channel.guild_id)

    def thread_created(self, thread: Channel) -> None:
        """Tell of a new thread."""
        data = {**self._payloads.channel(thread), "newly_created": True}
        self._channel("thread_create", thread, data)

    def channel_updated(self, channel: Channel) -> None:
        """Tell of a changed thread or channel."""
        kind = "thread_update" if channel.thread else "channel_update"
        self._channel(kind, channel, self._payloads.channel(channel))

    def channel_deleted(self, channel: Channel) -> None:
        """Tell that a thread or channel is gone; to be called before it is taken out of the world."""
        if channel.thread:
            data = {key: value for key, value in self._payloads.channel(channel).items() if key in _THREAD_IDS}
            self._channel("thread_delete", channel, data)
        else:
            self._channel("channel_delete", channel, self._payloads.channel(channel))

    def _channel(self, kind: str, channel: Channel, data: Json) -> None:
        self._bus.publish(kind, {**data, "channel_id": channel.id})
        if self._visible(channel):
            self._sessions.dispatch(kind.upper(), data, intent=wire.GUILDS, guild_id=channel.guild_id)

    def thread_members(self, thread: Channel, *, added: str | None = None, removed: str | None = None) -> None:
        """Tell who came to or left a thread; without the members intent the bot hears only of itself."""
        data: Json = {
            "id": thread.id,
            "guild_id": thread.guild_id,
            "member_count": len(thread.thread.members) if thread.thread else 0,
            "added_members": [self._payloads.thread_member(thread, added)] if added else [],
            "removed_member_ids": [removed] if removed else [],
        }
        self._bus.publish("thread_update", {"id": thread.id, "channel_id": thread.id})
        own = self._world.bot.id in (added, removed)
        intent = wire.GUILDS if own else wire.GUILD_MEMBERS
        self._sessions.dispatch("THREAD_MEMBERS_UPDATE", data, intent=intent, guild_id=thread.guild_id)

    def typing(self, channel: Channel, user: User, at: float) -> None:
        """Tell that somebody types."""
        data: Json = {"channel_id": channel.id, "user_id": user.id, "timestamp": int(at)}
        if channel.guild_id:
            data["guild_id"] = channel.guild_id
            data["member"] = member_json(self._world.members[user.id])
        self._bus.publish("typing", data)
        if self._visible(channel):
            intent = wire.GUILD_TYPING if channel.guild_id else wire.DIRECT_TYPING
            self._sessions.dispatch("TYPING_START", data, intent=intent, guild_id=channel.guild_id)

    def reaction(self, message: Message, user: User, name: str, *, added: bool) -> None:
        """Tell of a reaction put on or taken off; people see it as an update of the message."""
        channel = self._world.channels[message.channel_id]
        data: Json = {
            "user_id": user.id,
            "channel_id": channel.id,
            "message_id": message.id,
            "emoji": {"id": None, "name": name},
            "burst": False,
            "type": 0,
        }
        if added:
            data["message_author_id"] = message.author.id
        if channel.guild_id:
            data["guild_id"] = channel.guild_id
            if added:
                data["member"] = member_json(self._world.members[user.id])
        self._bus.publish("message_update", self._payloads.message_event(message))
        intent = wire.GUILD_REACTIONS if channel.guild_id else wire.DIRECT_REACTIONS
        event = "MESSAGE_REACTION_ADD" if added else "MESSAGE_REACTION_REMOVE"
        self._sessions.dispatch(event, data, intent=intent, guild_id=channel.guild_id)

    def pins_changed(self, message: Message) -> None:
        """Tell that the pinned messages of a channel changed."""
        channel = self._world.channels[message.channel_id]
        self._bus.publish("message_update", self._payloads.message_event(message))
        data: Json = {"channel_id": channel.id, "last_pin_timestamp": None}
        if channel.guild_id:
            data["guild_id"] = channel.guild_id
        self._sessions.dispatch("CHANNEL_PINS_UPDATE", data, intent=wire.GUILDS, guild_id=channel.guild_id)

    def interaction(self, data: Json, guild_id: str | None) -> list[Session]:
        """Hand an interaction to the bot; returns the connected sessions that got it."""
        return self._sessions.dispatch("INTERACTION_CREATE", data, intent=wire.NO_INTENT, guild_id=guild_id)

    def publish(self, kind: str, data: Json) -> None:
        """Tell people only."""
        self._bus.publish(kind, data)

    def _visible(self, channel: Channel) -> bool:
        return bool(compute(self._world, self._world.bot, channel))


_THREAD_IDS = ("id", "guild_id", "parent_id", "type")
