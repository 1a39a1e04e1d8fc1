"""What things look like in Discord's JSON: one function per kind of object.

``Payloads`` turns the world's objects into the shapes that Discord's published description asks for and discord.py
reads. It adds nothing of its own and changes nothing; addresses of attachments are signed anew each time they are
shown, since Discord's expire as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.discord.ids import stamp
from sandbox.discord.permissions import compute
from sandbox.discord.pictures import size_of
from sandbox.discord.profiles import guild_json, member_json, user_json
from sandbox.discord.world import (
    COMPONENTS_V2,
    DM,
    EPHEMERAL,
    HAS_THREAD,
    PRIVATE_THREAD,
    THREAD_STARTER,
    Channel,
    Message,
    StoredFile,
    User,
    World,
)

Json = dict[str, Any]


class Payloads:
    """Shows channels, messages and the guild of one world; ``sign`` gives a file its address."""

    def __init__(self, world: World, sign: Callable[[StoredFile], str]) -> None:
        self._world = world
        self._sign = sign

    def channel(self, channel: Channel, *, viewer: User | None = None) -> Json:
        """Show a channel, thread or direct message; with the viewer's permissions when one is given."""
        if channel.type == DM:
            others = [user_json(user) for user in channel.recipients if not user.bot]
            return {
                "id": channel.id,
                "type": DM,
                "flags": 0,
                "recipients": others,
                "last_message_id": channel.last_message_id,
            }
        shown: Json = {
            "id": channel.id,
            "type": channel.type,
            "guild_id": channel.guild_id,
            "name": channel.name,
            "parent_id": channel.parent_id,
            "last_message_id": channel.last_message_id,
            "rate_limit_per_user": 0,
            "flags": 0,
        }
        shown.update(self._thread_part(channel) if channel.thread else _channel_part(channel))
        if viewer is not None:
            shown["permissions"] = str(compute(self._world, viewer, channel))
        return shown

    def _thread_part(self, channel: Channel) -> Json:
        thread = channel.thread
        if thread is None:
            raise ValueError("this channel is no thread")
        metadata: Json = {
            "archived": thread.archived,
            "locked": thread.locked,
            "auto_archive_duration": thread.auto_archive_minutes,
            "archive_timestamp": stamp(thread.archive_at),
            "create_timestamp": stamp(thread.created_at),
        }
        if channel.type == PRIVATE_THREAD:
            metadata["invitable"] = thread.invitable
        part: Json = {
            "owner_id": thread.owner_id,
            "message_count": min(thread.total_messages, 50),
            "total_message_sent": thread.total_messages,
            "member_count": min(len(thread.members), 50),
            "thread_metadata": metadata,
        }
        if self._world.bot.id in thread.members:
            part["member"] = self.thread_member(channel, self._world.bot.id)
        return part

    def thread_member(self, channel: Channel, user_id: str) -> Json:
        """Show who joined a thread, and when."""
        joined = channel.thread.members[user_id] if channel.thread else 0.0
        return {"id": channel.id, "user_id": user_id, "join_timestamp": stamp(joined), "flags": 0}

    def file(self, stored: StoredFile) -> Json:
        """Show an attachment with a fresh address."""
        url = self._sign(stored)
        shown: Json = {
            "id": stored.id,
            "filename": stored.filename,
            "size": len(stored.content),
            "url": url,
            "proxy_url": url,
            "content_type": stored.content_type,
        }
        if stored.description:
            shown["description"] = stored.description
        if stored.ephemeral:
            shown["ephemeral"] = True
        if (size := size_of(stored.content)) is not None:
            shown["width"], shown["height"] = size
        if stored.duration_s is not None and stored.waveform is not None:
            shown["duration_secs"], shown["waveform"] = stored.duration_s, stored.waveform
        return shown

    def message(self, message: Message, *, nested: bool = False) -> Json:
        """Show a message as REST answers it; ``nested`` leaves out what it replies to."""
        shown: Json = {
            "id": message.id,
            "channel_id": message.channel_id,
            "type": message.type,
            "content": message.content,
            "author": user_json(message.author),
            "timestamp": stamp(message.created_at),
            "edited_timestamp": stamp(message.edited_at) if message.edited_at else None,
            "mentions": [user_json(user) for user in message.mentions],
            "mention_roles": list(message.mention_roles),
            "mention_everyone": message.mention_everyone,
            "attachments": [self.file(stored) for stored in message.files],
            "embeds": self._addressed(message.embeds, message),
            "components": self._addressed(message.components, message),
            "pinned": message.pinned_at is not None,
            "tts": False,
            "flags": message.flags,
        }
        if message.nonce is not None:
            shown["nonce"] = message.nonce
        if message.poll is not None:
            shown["poll"] = message.poll
        if message.reactions:
            shown["reactions"] = [self._reaction(name, ids) for name, ids in message.reactions.items()]
        self._add_origin(shown, message, nested=nested)
        return shown

    def _addressed(self, node: Any, message: Message) -> Any:
        """Put addresses in the place of ``attachment://name``, which embeds and components point with."""
        if not message.files:
            return node
        if isinstance(node, list):
            return [self._addressed(each, message) for each in node]
        if isinstance(node, dict):
            return {key: self._addressed(each, message) for key, each in node.items()}
        if isinstance(node, str) and node.startswith("attachment://"):
            named = [stored for stored in message.files if stored.filename == node.removeprefix("attachment://")]
            return self._sign(named[0]) if named else node
        return node

    def _add_origin(self, shown: Json, message: Message, *, nested: bool) -> None:
        if message.interaction is not None:
            shown["webhook_id"] = shown["application_id"] = self._world.bot.id
            shown["interaction_metadata"] = message.interaction
        if message.interaction_name is not None and message.interaction is not None:
            shown["interaction"] = {
                "id": message.interaction["id"],
                "type": message.interaction["type"],
                "name": message.interaction_name,
                "user": message.interaction["user"],
            }
        if message.reference is not None:
            self._add_reference(shown, message.reference, message, nested=nested)
        thread = self._world.channels.get(message.id)
        if message.flags & HAS_THREAD and thread and not nested:
            shown["thread"] = self.channel(thread)

    def _add_reference(self, shown: Json, reference: tuple[str, str], message: Message, *, nested: bool) -> None:
        channel_id, message_id = reference
        channel = self._world.channels.get(channel_id)
        shown["message_reference"] = {"type": 0, "channel_id": channel_id}
        if message_id:
            shown["message_reference"]["message_id"] = message_id
        if channel and channel.guild_id:
            shown["message_reference"]["guild_id"] = channel.guild_id
        if message_id and not nested:
            target = channel.messages.get(message_id) if channel else None
            if target or message.type != THREAD_STARTER:
                shown["referenced_message"] = self.message(target, nested=True) if target else None

    def _reaction(self, name: str, user_ids: list[str]) -> Json:
        return {
            "emoji": {"id": None, "name": name},
            "count": len(user_ids),
            "count_details": {"burst": 0, "normal": len(user_ids)},
            "burst_colors": [],
            "me_burst": False,
            "me": self._world.bot.id in user_ids,
        }

    def message_event(self, message: Message) -> Json:
        """Show a message as the gateway carries it: with the guild and the author's member."""
        shown = self.message(message)
        channel = self._world.channels[message.channel_id]
        if channel.guild_id is None:
            return shown
        shown["guild_id"] = channel.guild_id
        member = self._world.members.get(message.author.id)
        if member is not None and message.interaction is None:
            shown["member"] = member_json(member, with_user=False)
        for mention in shown["mentions"]:
            mentioned = self._world.members.get(mention["id"])
            if mentioned is not None:
                mention["member"] = member_json(mentioned, with_user=False)
        return shown

    def without_content(self, shown: Json) -> Json:
        """Return what a bot without the message content intent sees of a message."""
        hidden = {**shown, "content": "", "embeds": [], "attachments": [], "components": []}
        hidden.pop("poll", None)
        referenced = hidden.get("referenced_message")
        if referenced and referenced["author"]["id"] != self._world.bot.id:
            hidden["referenced_message"] = self.without_content(referenced)
        return hidden

    def guild_event(self) -> Json:
        """Show the guild as GUILD_CREATE carries it: channels, members and active threads with it."""
        bot = self._world.bot
        visible = [t for t in self._world.threads() if t.thread and not t.thread.archived]
        return {
            **guild_json(self._world),
            "joined_at": stamp(self._world.members[bot.id].joined_at),
            "large": False,
            "unavailable": False,
            "member_count": len(self._world.members),
            "members": [member_json(self._world.members[bot.id])],
            "channels": [self.channel(channel) for channel in self._world.guild_channels()],
            "threads": [self.channel(thread) for thread in visible if compute(self._world, bot, thread)],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }


def is_ephemeral(message: Message) -> bool:
    """Whether only one user sees this message."""
    return bool(message.flags & EPHEMERAL)


def is_v2(flags: int) -> bool:
    """Whether a message is made of components only."""
    return bool(flags & COMPONENTS_V2)


def _channel_part(channel: Channel) -> Json:
    return {
        "position": channel.position,
        "topic": channel.topic,
        "nsfw": False,
        "permission_overwrites": [
            {
                "id": overwrite.target_id,
                "type": 1 if overwrite.is_member else 0,
                "allow": str(overwrite.allow),
                "deny": str(overwrite.deny),
            }
            for overwrite in channel.overwrites
        ],
    }
