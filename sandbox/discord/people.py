"""What people do in chat: say, edit, delete, archive, and what an administrator changes under the bot's feet.

``People`` acts as a user with that user's permissions; whatever Discord's client would refuse is an ``ActionError``.
Changes that the bot can learn of only by running into them (a deleted message, a locked thread, a lost permission)
are pardoned once in the list of violations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sandbox.discord.errors import ActionError, ApiError
from sandbox.discord.hub import Hub
from sandbox.discord.messages import Messages
from sandbox.discord.permissions import Permission, compute
from sandbox.discord.threads import Threads
from sandbox.discord.voice import as_voice_message
from sandbox.discord.world import (
    DM,
    GUILD_TEXT,
    VOICE_MESSAGE,
    Channel,
    FileTuple,
    Member,
    Message,
    Overwrite,
    Upload,
    User,
)

Json = dict[str, Any]
_T = TypeVar("_T")


class People:
    """The users of the emulated Discord."""

    def __init__(self, hub: Hub, messages: Messages, threads: Threads) -> None:
        self._hub = hub
        self._messages = messages
        self._threads = threads

    def user(self, id_or_name: str) -> User:
        """Find a person by id or name; raises ActionError when there is none."""
        user = self._hub.world.find_user(id_or_name)
        if user is None or user.bot:
            names = ", ".join(u.name for u in self._hub.world.users.values() if not u.bot)
            raise ActionError(f"There is no user {id_or_name!r}; there are {names}.")
        return user

    def come(self, name: str, locale: str) -> User:
        """Let somebody new come into the server; raises ActionError when there is somebody of that name."""
        if self._hub.world.find_user(name) is not None:
            raise ActionError(f"There is a {name!r} already.")
        user = User(self._hub.ids.next(), name.casefold(), name, locale)
        self._hub.world.users[user.id] = user
        self._hub.world.members[user.id] = Member(user, [], self._hub.clock.now())
        return user

    def channel(self, channel_id: str, user: User | None = None) -> Channel:
        """Find a channel, one that ``user`` can see when given; raises ActionError."""
        channel = self._hub.world.channels.get(str(channel_id))
        if channel is None:
            raise ActionError(f"There is no channel {channel_id}.")
        if user is not None and not compute(self._hub.world, user, channel):
            raise ActionError(f"{user.name} cannot see this channel.")
        return channel

    def message(self, message_id: str) -> Message:
        """Find a message anywhere; raises ActionError."""
        message = self._hub.world.find_message(str(message_id))
        if message is None:
            raise ActionError(f"There is no message {message_id}.")
        return message

    def say(
        self,
        channel_id: str,
        content: str,
        user: str,
        files: Sequence[FileTuple],
        reply_to: str | None,
        *,
        voice: bool = False,
    ) -> Message:
        """Say something in a channel, thread or direct message; ``voice`` sends the one sound as a voice message."""
        author = self.user(user)
        channel = self.channel(channel_id, author)
        body: Json = {"content": content}
        if reply_to is not None:
            body["message_reference"] = {"message_id": str(reply_to)}
        uploads = [Upload(*upload) for upload in files]
        if voice:
            uploads = [as_voice_message(content, uploads)]
            body["flags"] = VOICE_MESSAGE
        return _politely(lambda: self._messages.send(author, channel, body, uploads))

    def edit_message(self, message_id: str, content: str, user: str) -> Message:
        """Change one's own message."""
        message = self.message(message_id)
        _politely(lambda: self._messages.edit(self.user(user), message, {"content": content}, []))
        return message

    def delete_message(self, message_id: str, user: str | None = None) -> None:
        """Delete a message; without a user a moderator does it."""
        message = self.message(message_id)
        self._hub.violations.pardon(f"gone:{message.id}")
        if user is None:
            self._messages.delete(message)
        else:
            _politely(lambda: self._messages.delete_as(self.user(user), message))

    def archive_thread(self, thread_id: str, *, archived: bool, locked: bool | None) -> None:
        """Archive, re-open, lock or unlock a thread, as a moderator may."""
        thread = self.channel(thread_id)
        if thread.thread is None:
            raise ActionError("This channel is no thread.")
        self._hub.violations.pardon(f"archived:{thread.id}")
        if locked:
            self._hub.violations.pardon(f"locked:{thread.id}")
        self._threads.set_state(thread, archived=archived, locked=locked)

    def delete_channel(self, channel_id: str) -> None:
        """Delete a thread or channel."""
        channel = self.channel(channel_id)
        self._hub.violations.pardon(f"gone:{channel.id}")
        for message_id in channel.messages:
            self._hub.violations.pardon(f"gone:{message_id}")
        self._threads.delete(channel)

    def open_thread(self, message_id: str, name: str, user: str) -> Channel:
        """Open a thread from a message."""
        message = self.message(message_id)
        return _politely(lambda: self._messages.open_thread(self.user(user), message, {"name": name}))

    def open_private(self, users: Sequence[str]) -> Channel:
        """Open a direct message between people."""
        recipients = [self.user(user) for user in users]
        name = ", ".join(user.name for user in recipients)
        channel = Channel(self._hub.ids.next(), DM, None, name, recipients=recipients)
        self._hub.world.channels[channel.id] = channel
        return channel

    def open_foreign(self, users: Sequence[str]) -> Channel:
        """Open a channel of a server that the bot is not in, for people of whom the first owns it."""
        recipients = [self.user(user) for user in users]
        channel = Channel(self._hub.ids.next(), GUILD_TEXT, self._hub.ids.next(), "elsewhere", recipients=recipients)
        self._hub.world.channels[channel.id] = channel
        return channel

    def type_in(self, channel_id: str, user: str) -> None:
        """Show that a user types."""
        typist = self.user(user)
        self._hub.announce.typing(self.channel(channel_id, typist), typist, self._hub.clock.now())

    def set_permission(self, channel_id: str, names: Sequence[str], *, allowed: bool) -> None:
        """Take permissions from the bot in a channel, or give them back; names as in ``Permission``."""
        channel = self.channel(channel_id)
        bits = 0
        for name in names:
            bits |= int(Permission[name])
        bot = self._hub.world.bot
        mine = next((o for o in channel.overwrites if o.target_id == bot.id), None)
        if mine is None:
            mine = Overwrite(bot.id, is_member=True)
            channel.overwrites.append(mine)
        mine.deny = mine.deny & ~bits if allowed else mine.deny | bits
        mine.allow = mine.allow | bits if allowed else mine.allow & ~bits
        for each in (channel, *(t for t in self._hub.world.threads() if t.parent_id == channel.id)):
            self._hub.violations.pardon(f"permission:{each.id}")
        self._hub.announce.channel_updated(channel)


def _politely(act: Callable[[], _T]) -> _T:
    try:
        return act()
    except ApiError as error:
        raise ActionError(f"Discord would not allow this: {error.message}.") from error
