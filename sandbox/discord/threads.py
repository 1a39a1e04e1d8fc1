"""What happens to threads: opened, joined, renamed, archived, locked, deleted.

``Threads`` keeps Discord's rules (page topics/threads): a thread from a message has its id, one per message;
archived threads wake when something is said, unless they are locked; owners may rename and archive, only Manage Threads
may lock or touch the threads of others. It changes the world and announces the change.
"""

from __future__ import annotations

from typing import Any

from sandbox.discord.errors import ApiError, invalid_form, missing_access, missing_permissions
from sandbox.discord.hub import Hub
from sandbox.discord.permissions import Permission, compute, may
from sandbox.discord.sizes import units
from sandbox.discord.world import (
    GUILD_TEXT,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    THREAD_CREATED,
    THREAD_STARTER,
    Channel,
    Message,
    ThreadState,
    User,
)

Json = dict[str, Any]
_ARCHIVE_MINUTES = (60, 1440, 4320, 10080)


class Threads:
    """The one place where threads change."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def open_from(self, user: User, message: Message, body: Json) -> Channel:
        """Open a public thread from a message."""
        channel = self._hub.world.channels[message.channel_id]
        self._need(user, channel, Permission.CREATE_PUBLIC_THREADS, Permission.READ_MESSAGE_HISTORY)
        self._check_parent(channel)
        if message.id in self._hub.world.channels:
            raise ApiError(400, 160004, "A thread has already been created for this message")
        thread = self._open(user, channel, body, message.id, PUBLIC_THREAD)
        self._system(thread, user, THREAD_STARTER, "", (channel.id, message.id))
        return thread

    def open_alone(self, user: User, channel: Channel, body: Json) -> Channel:
        """Open a thread without a message: public (11) or private (12)."""
        kind = int(body.get("type") or PRIVATE_THREAD)
        if kind not in (PUBLIC_THREAD, PRIVATE_THREAD):
            raise invalid_form([("type", "Value must be one of {11, 12}.")], kind="provoked_400")
        private = kind == PRIVATE_THREAD
        self._need(user, channel, Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS)
        self._check_parent(channel)
        thread = self._open(user, channel, body, self._hub.ids.next(), kind)
        if not private:
            self._system(channel, user, THREAD_CREATED, thread.name, (thread.id, ""))
        return thread

    def _need(self, user: User, channel: Channel, *needed: Permission) -> None:
        if not compute(self._hub.world, user, channel):
            raise missing_access(channel.id)
        if channel.guild_id and not may(self._hub.world, user, channel, *needed):
            raise missing_permissions(channel.id)

    def _check_parent(self, channel: Channel) -> None:
        if channel.type != GUILD_TEXT:
            raise ApiError(400, 50024, "Cannot execute action on this channel type")

    def _open(self, user: User, channel: Channel, body: Json, thread_id: str, kind: int) -> Channel:
        name, minutes = self._checked_name(body), self._checked_minutes(body, 1440)
        now = self._hub.clock.now()
        state = ThreadState(
            user.id,
            now,
            now,
            auto_archive_minutes=minutes,
            invitable=bool(body.get("invitable", True)),
            members={user.id: now},
        )
        thread = Channel(thread_id, kind, channel.guild_id, name, parent_id=channel.id, thread=state)
        self._hub.world.channels[thread.id] = thread
        self._hub.announce.thread_created(thread)
        return thread

    def _system(self, channel: Channel, author: User, kind: int, text: str, about: tuple[str, str]) -> None:
        now = self._hub.clock.now()
        message = Message(self._hub.ids.next(), channel.id, author, text, now, type=kind, reference=about)
        channel.messages[message.id] = message
        self._hub.announce.message_created(message)

    def _checked_name(self, body: Json) -> str:
        name = str(body.get("name") or "").strip()
        if not 1 <= units(name) <= self._hub.limits.thread_name:
            sentence = f"Must be between 1 and {self._hub.limits.thread_name} in length."
            raise invalid_form([("name", sentence)])
        return name

    def _checked_minutes(self, body: Json, default: int) -> int:
        minutes = int(body.get("auto_archive_duration") or default)
        if minutes not in _ARCHIVE_MINUTES:
            raise invalid_form(
                [("auto_archive_duration", "Value must be one of {60, 1440, 4320, 10080}.")], kind="provoked_400"
            )
        return minutes

    def join(self, thread: Channel, user: User) -> None:
        """Make a user a member of a thread, as saying something in it does."""
        if thread.thread is None or user.id in thread.thread.members:
            return
        thread.thread.members[user.id] = self._hub.clock.now()
        self._hub.announce.thread_members(thread, added=user.id)

    def leave(self, thread: Channel, user: User) -> None:
        """Take a user out of a thread."""
        if thread.thread and thread.thread.members.pop(user.id, None) is not None:
            self._hub.announce.thread_members(thread, removed=user.id)

    def wake(self, thread: Channel) -> None:
        """Re-open an archived thread because something is said in it; the update goes out before the message."""
        if thread.thread and thread.thread.archived:
            self.set_state(thread, archived=False)

    def set_state(self, thread: Channel, *, archived: bool | None = None, locked: bool | None = None) -> None:
        """Archive, re-open, lock or unlock a thread, and tell of it."""
        state = thread.thread
        if state is None:
            raise ValueError("this channel is no thread")
        if archived is not None and archived != state.archived:
            state.archived, state.archive_at = archived, self._hub.clock.now()
        if locked is not None:
            state.locked = locked
        self._hub.announce.channel_updated(thread)

    def change(self, user: User, thread: Channel, body: Json) -> None:
        """Change a thread as a user asks by PATCH; raises ApiError when that user may not."""
        state = thread.thread
        if state is None:
            raise ValueError("this channel is no thread")
        self._need(user, thread)
        manager = may(self._hub.world, user, thread, Permission.MANAGE_THREADS)
        if not manager and (state.owner_id != user.id or body.get("locked") is not None or state.locked):
            raise missing_permissions(thread.id)
        reopens = body.get("archived") is False
        if state.archived and not reopens and set(body) - {"archived", "locked"}:
            raise ApiError(400, 50083, "Thread is archived", pardon=f"archived:{thread.id}")
        if "name" in body:
            thread.name = self._checked_name(body)
        state.auto_archive_minutes = self._checked_minutes(body, state.auto_archive_minutes)
        self.set_state(thread, archived=body.get("archived"), locked=body.get("locked"))

    def delete(self, thread: Channel) -> None:
        """Take a thread away with all that is in it."""
        self._hub.announce.channel_deleted(thread)
        self._hub.world.channels.pop(thread.id, None)
