"""Routes of messages in channels, threads and direct messages: send, read, edit, delete, react, pin, type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.discord.errors import invalid_form, unknown_channel
from sandbox.discord.hub import Hub
from sandbox.discord.ids import stamp
from sandbox.discord.messages import Messages
from sandbox.discord.permissions import Permission, send_permission
from sandbox.discord.profiles import user_json
from sandbox.discord.rest.routes import Call, Route
from sandbox.discord.sessions import MESSAGE_CONTENT
from sandbox.discord.world import Channel, Message

_CHANNEL = "/channels/{channel_id}"
_LIST = _CHANNEL + "/messages"
_ONE = _LIST + "/{message_id}"
_REACTIONS = _ONE + "/reactions/{emoji_name}"


class MessageRoutes:
    """Serves the bot's calls about messages."""

    def __init__(self, hub: Hub, messages: Messages) -> None:
        self._hub = hub
        self._messages = messages

    def routes(self) -> Iterable[Route]:
        """Return the table of this resource."""
        return (
            Route("POST", _LIST, self.send, "send"),
            Route("GET", _LIST, self.history, "read"),
            Route("GET", _ONE, self.get, "read"),
            Route("PATCH", _ONE, self.edit, "edit"),
            Route("DELETE", _ONE, self.delete, "delete"),
            Route("POST", _LIST + "/bulk-delete", self.delete_many, "delete"),
            Route("POST", _CHANNEL + "/typing", self.typing, "typing"),
            Route("PUT", _REACTIONS + "/@me", self.react, "reaction"),
            Route("DELETE", _REACTIONS + "/@me", self.unreact, "reaction"),
            Route("GET", _REACTIONS, self.reactors, "read"),
            Route("GET", _LIST + "/pins", self.pins, "read"),
            Route("PUT", _LIST + "/pins/{message_id}", self.pin, "channel"),
            Route("DELETE", _LIST + "/pins/{message_id}", self.unpin, "channel"),
        )

    def _channel(self, call: Call) -> Channel:
        channel = self._hub.world.channels.get(call.ids["channel_id"])
        if channel is None:
            raise unknown_channel(call.ids["channel_id"])
        return channel

    def _found(self, call: Call) -> Message:
        channel = self._channel(call)
        self._messages.need(self._hub.world.bot, channel)
        return self._messages.get(channel, call.ids["message_id"])

    def _shown(self, message: Message) -> dict[str, Any]:
        shown = self._hub.payloads.message(message)
        refused = self._hub.faults.refused_bits() & MESSAGE_CONTENT
        if refused and not self._hub.announce.reads_without_intent(message):
            return self._hub.payloads.without_content(shown)
        return shown

    def send(self, call: Call) -> Any:
        """Send a message."""
        return self._shown(self._messages.send(self._hub.world.bot, self._channel(call), call.body, call.files))

    def history(self, call: Call) -> Any:
        """List messages, newest first."""
        channel = self._channel(call)
        self._messages.need(self._hub.world.bot, channel, Permission.READ_MESSAGE_HISTORY)
        limit = int(call.query.get("limit", "50"))
        if not 1 <= limit <= self._hub.limits.history:
            raise invalid_form([("limit", f"Value must be between 1 and {self._hub.limits.history}.")])
        found = [m for m in channel.messages.values() if m.only_for is None]
        return [self._shown(message) for message in reversed(_window(found, call, limit))]

    def get(self, call: Call) -> Any:
        """Fetch a message."""
        channel = self._channel(call)
        self._messages.need(self._hub.world.bot, channel, Permission.READ_MESSAGE_HISTORY)
        return self._shown(self._messages.get(channel, call.ids["message_id"]))

    def edit(self, call: Call) -> Any:
        """Edit one of the bot's messages."""
        message = self._found(call)
        self._messages.edit(self._hub.world.bot, message, call.body, call.files)
        return self._shown(message)

    def delete(self, call: Call) -> None:
        """Delete a message."""
        self._messages.delete_as(self._hub.world.bot, self._found(call))

    def delete_many(self, call: Call) -> None:
        """Delete up to 100 messages at once."""
        channel = self._channel(call)
        self._messages.need(self._hub.world.bot, channel, Permission.MANAGE_MESSAGES)
        for message_id in call.body.get("messages") or []:
            message = channel.messages.get(str(message_id))
            if message is not None:
                self._messages.delete(message)

    def typing(self, call: Call) -> None:
        """Show that the bot types."""
        channel = self._channel(call)
        self._messages.need(self._hub.world.bot, channel, send_permission(channel))
        self._hub.announce.typing(channel, self._hub.world.bot, self._hub.clock.now())

    def react(self, call: Call) -> None:
        """Put the bot's reaction on a message."""
        self._messages.react(self._hub.world.bot, self._found(call), call.ids["emoji_name"], add=True)

    def unreact(self, call: Call) -> None:
        """Take the bot's reaction off."""
        self._messages.react(self._hub.world.bot, self._found(call), call.ids["emoji_name"], add=False)

    def reactors(self, call: Call) -> Any:
        """List who reacted with an emoji."""
        ids = self._found(call).reactions.get(call.ids["emoji_name"], [])
        return [user_json(self._hub.world.users[user_id]) for user_id in ids]

    def pins(self, call: Call) -> Any:
        """List the pinned messages, newest pin first."""
        channel = self._channel(call)
        self._messages.need(self._hub.world.bot, channel, Permission.READ_MESSAGE_HISTORY)
        pinned = sorted(
            ((m.pinned_at, m) for m in channel.messages.values() if m.pinned_at is not None),
            key=lambda pair: -pair[0],
        )
        items = [{"pinned_at": stamp(at), "message": self._shown(message)} for at, message in pinned]
        return {"items": items, "has_more": False}

    def pin(self, call: Call) -> None:
        """Pin a message."""
        self._messages.pin(self._hub.world.bot, self._found(call), pinned=True)

    def unpin(self, call: Call) -> None:
        """Take a pin out."""
        self._messages.pin(self._hub.world.bot, self._found(call), pinned=False)


def _window(messages: list[Message], call: Call, limit: int) -> list[Message]:
    before, after, around = (int(call.query.get(key) or 0) for key in ("before", "after", "around"))
    if before:
        return [m for m in messages if int(m.id) < before][-limit:]
    if after:
        return [m for m in messages if int(m.id) > after][:limit]
    if around:
        older = [m for m in messages if int(m.id) <= around][-(limit // 2 + 1) :]
        newer = [m for m in messages if int(m.id) > around][: limit - len(older)]
        return older + newer
    return messages[-limit:]
