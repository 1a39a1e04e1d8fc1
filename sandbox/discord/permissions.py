"""Who may do what: Discord's permission bits and how they add up in a channel.

``compute`` follows Discord's page topics/permissions: roles together, then the channel's overwrites for everyone, for
roles and for the member; administrators and the owner have everything; without View Channel nothing is left. A thread
has the permissions of the channel it hangs from. Pure: reads the world, changes nothing.
"""

from __future__ import annotations

from enum import IntFlag

from sandbox.discord.world import PRIVATE_THREAD, Channel, User, World


class Permission(IntFlag):
    """The bits that matter to a chat bot, named as in Discord's documentation."""

    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    CHANGE_NICKNAME = 1 << 26
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    SEND_POLLS = 1 << 49
    PIN_MESSAGES = 1 << 51
    BYPASS_SLOWMODE = 1 << 52


ALL = (1 << 53) - 1
MEMBER_BITS = int(
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.CREATE_PRIVATE_THREADS
    | Permission.READ_MESSAGE_HISTORY
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.ADD_REACTIONS
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CHANGE_NICKNAME
    | Permission.SEND_POLLS
)
_DM_BITS = MEMBER_BITS & ~int(Permission.CREATE_PUBLIC_THREADS | Permission.CREATE_PRIVATE_THREADS)


def compute(world: World, user: User, channel: Channel) -> int:
    """Return the permission bits a user has in a channel, thread or direct message."""
    if channel.guild_id is None:
        return _DM_BITS if user in channel.recipients else 0
    if world.is_foreign(channel):
        return _foreign_bits(user, channel)
    member = world.members.get(user.id)
    if member is None:
        return 0
    base = world.roles[world.guild_id].permissions
    for role_id in member.role_ids:
        base |= world.roles[role_id].permissions
    if user.id == world.owner_id or base & Permission.ADMINISTRATOR:
        return ALL
    bits = _overwritten(world, channel, user.id, member.role_ids, base)
    if not bits & Permission.VIEW_CHANNEL:
        return 0
    if _hidden_thread(channel, user, bits):
        return 0
    return bits


def may(world: World, user: User, channel: Channel, *needed: Permission) -> bool:
    """Whether a user has all of these permissions here."""
    bits = compute(world, user, channel)
    return all(bits & permission for permission in needed)


def send_permission(channel: Channel) -> Permission:
    """Return the permission to send here: threads have one of their own."""
    return Permission.SEND_MESSAGES_IN_THREADS if channel.thread else Permission.SEND_MESSAGES


def _foreign_bits(user: User, channel: Channel) -> int:
    """In a server that the bot is not in, the first of its people owns it."""
    if user not in channel.recipients:
        return 0
    return ALL if user is channel.recipients[0] else MEMBER_BITS


def _overwritten(world: World, channel: Channel, user_id: str, role_ids: list[str], base: int) -> int:
    home = world.channels.get(channel.parent_id or "", channel) if channel.thread else channel
    overwrites = home.overwrites
    for group in ([world.guild_id], role_ids, [user_id]):
        allow = deny = 0
        for overwrite in overwrites:
            if overwrite.target_id in group:
                allow |= overwrite.allow
                deny |= overwrite.deny
        base = base & ~deny | allow
    return base


def _hidden_thread(channel: Channel, user: User, bits: int) -> bool:
    if channel.thread is None or channel.type != PRIVATE_THREAD:
        return False
    return user.id not in channel.thread.members and not bits & Permission.MANAGE_THREADS
