"""What happens to messages: sent, edited, deleted, reacted to, pinned; by the bot or by people.

``Messages`` keeps Discord's rules that hold for everyone: who may, what a reply is, that a message re-opens an archived
thread, that a nonce is not used twice. It changes the world and announces the change. Errors are ``ApiError``; whoever
acts for people turns them into sentences.
"""

from __future__ import annotations

from typing import Any

from sandbox.discord import drafts
from sandbox.discord.errors import (
    ApiError,
    invalid_form,
    missing_access,
    missing_permissions,
    unknown_message,
)
from sandbox.discord.hub import Hub
from sandbox.discord.permissions import Permission, compute, may, send_permission
from sandbox.discord.threads import Threads
from sandbox.discord.world import DM, HAS_THREAD, LOADING, REPLY, Channel, Message, Upload, User

Json = dict[str, Any]


class Messages:
    """The one place where messages change."""

    def __init__(self, hub: Hub, threads: Threads) -> None:
        self._hub = hub
        self._threads = threads

    def need(self, user: User, channel: Channel, *needed: Permission) -> None:
        """Raise unless a user sees a channel and has all these permissions there."""
        if not compute(self._hub.world, user, channel):
            raise missing_access(channel.id)
        if channel.type != DM and not may(self._hub.world, user, channel, *needed):
            raise missing_permissions(channel.id)

    def get(self, channel: Channel, message_id: str) -> Message:
        """Find a message by a channel route; ephemeral ones do not exist for it."""
        message = channel.messages.get(message_id)
        if message is None:
            raise unknown_message(message_id)
        if message.only_for is not None:
            raise ApiError(404, 10008, "Unknown Message", kind="ephemeral_by_channel")
        return message

    def send(self, author: User, channel: Channel, body: Json, files: list[Upload]) -> Message:
        """Send a message as its author; a repeated nonce answers the message that is there already."""
        self._check_send(author, channel, body, files)
        drafts.check(self._hub, body, files)
        known = self._same_nonce(author, channel, body)
        if known is not None:
            return known
        message = self._new(author, channel)
        replied = self._refer(message, channel, body)
        message.nonce = str(body["nonce"]) if body.get("nonce") is not None else None
        drafts.apply(self._hub, message, body, files, replied=replied)
        if channel.thread:
            self._threads.wake(channel)
            self._threads.join(channel, author)
        self.publish(message)
        return message

    def _check_send(self, author: User, channel: Channel, body: Json, files: list[Upload]) -> None:
        needed = [send_permission(channel)]
        needed += [Permission.ATTACH_FILES] if files else []
        needed += [Permission.EMBED_LINKS] if body.get("embeds") else []
        self.need(author, channel, *needed)
        locked = channel.thread is not None and channel.thread.locked
        if locked and not may(self._hub.world, author, channel, Permission.MANAGE_THREADS):
            pardon = f"locked:{channel.id}"
            raise ApiError(403, 160005, "This thread is locked", kind="thread_locked", pardon=pardon)

    def _same_nonce(self, author: User, channel: Channel, body: Json) -> Message | None:
        nonce = body.get("nonce")
        if nonce is None or not body.get("enforce_nonce"):
            return None
        since = self._hub.clock.now() - self._hub.limits.nonce_s
        for message in reversed(channel.messages.values()):
            if message.created_at < since:
                return None
            if message.author is author and message.nonce == str(nonce):
                return message
        return None

    def _new(self, author: User, channel: Channel, *, kind: int = 0) -> Message:
        now = self._hub.clock.now()
        return Message(self._hub.ids.next(), channel.id, author, "", now, type=kind)

    def _refer(self, message: Message, channel: Channel, body: Json) -> User | None:
        reference = body.get("message_reference")
        if not reference:
            return None
        target_id = str(reference.get("message_id"))
        target = channel.messages.get(target_id)
        if target is None or target.only_for is not None:
            if reference.get("fail_if_not_exists", True) is False:
                return None
            error = invalid_form([("message_reference", "Unknown message")], kind="provoked_400")
            error.pardon = f"gone:{target_id}"
            raise error
        if not may(self._hub.world, message.author, channel, Permission.READ_MESSAGE_HISTORY):
            raise ApiError(403, 160002, "You cannot reply without permission to read message history")
        message.type, message.reference = REPLY, (channel.id, target_id)
        return target.author

    def system(self, author: User, channel: Channel, kind: int, text: str, reference: tuple[str, str]) -> Message:
        """Post one of Discord's own messages, such as the first one in a thread."""
        message = self._new(author, channel, kind=kind)
        message.content, message.reference = text, reference
        self.publish(message)
        return message

    def publish(self, message: Message) -> None:
        """Put a finished message into its channel and tell of it."""
        channel = self._hub.world.channels[message.channel_id]
        channel.messages[message.id] = message
        if channel.thread and message.only_for is None:
            channel.thread.total_messages += 1
            channel.thread.archive_at = message.created_at
        self._hub.announce.message_created(message)

    def blank(self, author: User, channel: Channel, *, kind: int) -> Message:
        """Return a message that is not published yet."""
        return self._new(author, channel, kind=kind)

    def edit(self, editor: User, message: Message, body: Json, files: list[Upload]) -> None:
        """Edit a message; only its author may, and nothing in an archived thread changes."""
        channel = self._hub.world.channels[message.channel_id]
        if message.author is not editor:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        if channel.thread and channel.thread.archived and message.interaction is None:
            raise ApiError(400, 50083, "Thread is archived", pardon=f"archived:{channel.id}")
        self.rewrite(message, body, files)

    def rewrite(self, message: Message, body: Json, files: list[Upload]) -> None:
        """Change a message's text and parts; one that was only thinking is thereby answered, not edited."""
        drafts.check(self._hub, body, files, flags=message.flags)
        if message.flags & LOADING:
            message.flags &= ~LOADING
        else:
            message.edited_at = self._hub.clock.now()
        channel = self._hub.world.channels[message.channel_id]
        replied = None
        if message.reference and message.type == REPLY:
            target = channel.messages.get(message.reference[1])
            replied = target.author if target else None
        drafts.apply(self._hub, message, body, files, replied=replied)
        self._hub.announce.message_updated(message)

    def delete(self, message: Message) -> None:
        """Take a message away."""
        channel = self._hub.world.channels[message.channel_id]
        channel.messages.pop(message.id, None)
        for stored in message.files:
            self._hub.world.files.pop(stored.id, None)
        self._hub.announce.message_deleted(message)

    def delete_as(self, user: User, message: Message) -> None:
        """Delete one's own message, or another's with Manage Messages."""
        channel = self._hub.world.channels[message.channel_id]
        if message.author is not user:
            self.need(user, channel, Permission.MANAGE_MESSAGES)
            if channel.type == DM:
                raise ApiError(403, 50003, "Cannot execute action on a DM channel")
        self.delete(message)

    def react(self, user: User, message: Message, emoji: str, *, add: bool) -> None:
        """Put a reaction on a message or take it off."""
        channel = self._hub.world.channels[message.channel_id]
        if add:
            self.need(user, channel, Permission.READ_MESSAGE_HISTORY, Permission.ADD_REACTIONS)
        users = message.reactions.setdefault(emoji, [])
        changed = (user.id not in users) if add else (user.id in users)
        if changed:
            (users.append if add else users.remove)(user.id)
        if not users:
            del message.reactions[emoji]
        if changed:
            self._hub.announce.reaction(message, user, emoji, added=add)

    def pin(self, user: User, message: Message, *, pinned: bool) -> None:
        """Pin a message or take the pin out."""
        channel = self._hub.world.channels[message.channel_id]
        self.need(user, channel, Permission.PIN_MESSAGES)
        message.pinned_at = self._hub.clock.now() if pinned else None
        self._hub.announce.pins_changed(message)

    def open_thread(self, user: User, message: Message, body: Json) -> Channel:
        """Open a thread from a message; it has the message's id."""
        thread = self._threads.open_from(user, message, body)
        message.flags |= HAS_THREAD
        self._hub.announce.message_updated(message)
        return thread
