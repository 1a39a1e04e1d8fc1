"""What exists on the emulated Discord: users, roles, channels, threads, messages and files.

Plain objects that live and change; ids are decimal strings as in Discord's JSON. ``World`` finds them. It holds no
rules: who may do what is in ``permissions``, what an answer looks like in ``payloads``, what happens on a change in
``messages`` and ``threads``. The first world is filled by ``seed``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

GUILD_TEXT = 0
DM = 1
GUILD_CONTEXT, BOT_DM_CONTEXT, PRIVATE_CONTEXT = 0, 1, 2
PUBLIC_THREAD = 11
PRIVATE_THREAD = 12

EPHEMERAL = 1 << 6
LOADING = 1 << 7
HAS_THREAD = 1 << 5
SUPPRESS_EMBEDS = 1 << 2
VOICE_MESSAGE = 1 << 13
COMPONENTS_V2 = 1 << 15

DEFAULT_MESSAGE = 0
REPLY = 19
THREAD_CREATED = 18
SLASH_COMMAND = 20
THREAD_STARTER = 21
MENU_COMMAND = 23


FileTuple = tuple[str, str, bytes]


class Upload(NamedTuple):
    """A file that a user or the bot hands in."""

    filename: str
    content_type: str
    content: bytes


@dataclass(slots=True, eq=False)
class User:
    """An account; ``locale`` is the language of the person's client."""

    id: str
    username: str
    global_name: str | None
    locale: str = "en-US"
    bot: bool = False

    @property
    def name(self) -> str:
        """The name that people see."""
        return self.global_name or self.username


@dataclass(slots=True, eq=False)
class Role:
    """A role; the one with the guild's id is everyone's."""

    id: str
    name: str
    permissions: int
    position: int
    color: int = 0
    mentionable: bool = False
    bot_id: str | None = None


@dataclass(slots=True, eq=False)
class Member:
    """A user in the guild."""

    user: User
    role_ids: list[str]
    joined_at: float


@dataclass(slots=True, eq=False)
class Overwrite:
    """What a channel allows or denies to a role or (``is_member``) to one member."""

    target_id: str
    is_member: bool
    allow: int = 0
    deny: int = 0


@dataclass(slots=True, eq=False)
class ThreadState:
    """What a thread has beyond a channel; ``members`` maps user ids to when they joined."""

    owner_id: str
    created_at: float
    archive_at: float
    auto_archive_minutes: int = 1440
    archived: bool = False
    locked: bool = False
    invitable: bool = True
    members: dict[str, float] = field(default_factory=dict)
    total_messages: int = 0


@dataclass(slots=True, eq=False)
class StoredFile:
    """An attachment's bytes; a voice message's has its length and, in base64, the levels to draw."""

    id: str
    channel_id: str
    filename: str
    content_type: str
    content: bytes
    description: str | None = None
    ephemeral: bool = False
    duration_s: float | None = None
    waveform: str | None = None


@dataclass(slots=True, eq=False)
class Message:
    """A message; ``only_for`` names the one user who sees an ephemeral one."""

    id: str
    channel_id: str
    author: User
    content: str
    created_at: float
    type: int = DEFAULT_MESSAGE
    flags: int = 0
    edited_at: float | None = None
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    files: list[StoredFile] = field(default_factory=list)
    mentions: list[User] = field(default_factory=list)
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    reference: tuple[str, str] | None = None
    interaction: dict[str, Any] | None = None
    interaction_name: str | None = None
    poll: dict[str, Any] | None = None
    nonce: str | None = None
    pinned_at: float | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    only_for: str | None = None


@dataclass(slots=True, eq=False)
class Channel:
    """A text channel, a thread (``thread`` is set) or a direct message (``guild_id`` is None)."""

    id: str
    type: int
    guild_id: str | None
    name: str
    position: int = 0
    topic: str | None = None
    parent_id: str | None = None
    overwrites: list[Overwrite] = field(default_factory=list)
    recipients: list[User] = field(default_factory=list)
    thread: ThreadState | None = None
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def last_message_id(self) -> str | None:
        """The newest message that everyone here can see."""
        return next((m.id for m in reversed(self.messages.values()) if m.only_for is None), None)


@dataclass(slots=True, eq=False)
class World:
    """All that exists, by id."""

    guild_id: str
    guild_name: str
    owner_id: str
    application_owner_id: str
    bot: User
    users: dict[str, User] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)

    def find_user(self, id_or_name: str) -> User | None:
        """Find a user by id, by user name or by the name people see."""
        wanted = str(id_or_name).casefold()
        for user in self.users.values():
            if wanted in (user.id, user.username.casefold(), user.name.casefold()):
                return user
        return None

    def find_message(self, message_id: str) -> Message | None:
        """Find a message in any channel."""
        for channel in self.channels.values():
            if message_id in channel.messages:
                return channel.messages[message_id]
        return None

    def dm_with(self, user: User) -> Channel | None:
        """Find the direct message between the bot and a user."""
        both = (c for c in self.channels.values() if c.type == DM and user in c.recipients and self.bot in c.recipients)
        return next(both, None)

    def is_private(self, channel: Channel) -> bool:
        """Whether people are here by themselves: the bot is let in by an interaction only."""
        return self.is_foreign(channel) or (channel.type == DM and self.bot not in channel.recipients)

    def is_foreign(self, channel: Channel) -> bool:
        """Whether the channel is of a server that the bot is not in."""
        return channel.guild_id not in (None, self.guild_id)

    def context(self, channel: Channel) -> int:
        """Give where an interaction is made: in a server, in the bot's direct messages, or among people."""
        if channel.guild_id is not None:
            return GUILD_CONTEXT
        return PRIVATE_CONTEXT if self.is_private(channel) else BOT_DM_CONTEXT

    def threads(self) -> Iterator[Channel]:
        """All threads of the guild."""
        return (channel for channel in self.channels.values() if channel.thread)

    def guild_channels(self) -> Iterator[Channel]:
        """The guild's channels that are no threads."""
        return (c for c in self.channels.values() if c.guild_id == self.guild_id and c.thread is None)
