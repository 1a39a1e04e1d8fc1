"""What users, members, roles and the guild look like in Discord's JSON.

Plain functions, one per kind, with every field that Discord's published description requires. Channels and messages
are ``payloads``'.
"""

from __future__ import annotations

from typing import Any

from sandbox.discord.ids import stamp
from sandbox.discord.world import Member, Role, User, World

Json = dict[str, Any]


def user_json(user: User) -> Json:
    """Show a user."""
    return {
        "id": user.id,
        "username": user.username,
        "global_name": user.global_name,
        "discriminator": "0000" if user.bot else "0",
        "avatar": None,
        "public_flags": 0,
        "flags": 0,
        "bot": user.bot,
        "primary_guild": None,
    }


def member_json(member: Member, *, with_user: bool = True) -> Json:
    """Show a member; inside a message the user stands beside it."""
    shown: Json = {
        "roles": list(member.role_ids),
        "joined_at": stamp(member.joined_at),
        "flags": 0,
        "avatar": None,
        "banner": None,
        "nick": None,
        "pending": False,
        "premium_since": None,
        "communication_disabled_until": None,
        "mute": False,
        "deaf": False,
    }
    if with_user:
        shown["user"] = user_json(member.user)
    return shown


def role_json(role: Role) -> Json:
    """Show a role."""
    shown: Json = {
        "id": role.id,
        "name": role.name,
        "permissions": str(role.permissions),
        "position": role.position,
        "color": role.color,
        "colors": {"primary_color": role.color, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": role.bot_id is not None,
        "mentionable": role.mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    if role.bot_id:
        shown["tags"] = {"bot_id": role.bot_id}
    return shown


def guild_json(world: World) -> Json:
    """Show the guild as GET /guilds/{id} answers it."""
    return {
        **_GUILD_DEFAULTS,
        "id": world.guild_id,
        "name": world.guild_name,
        "owner_id": world.owner_id,
        "roles": [role_json(role) for role in world.roles.values()],
    }


_GUILD_DEFAULTS: Json = {
    "icon": None,
    "description": None,
    "home_header": None,
    "splash": None,
    "discovery_splash": None,
    "features": [],
    "banner": None,
    "application_id": None,
    "region": "us-west",
    "afk_channel_id": None,
    "afk_timeout": 300,
    "system_channel_id": None,
    "system_channel_flags": 0,
    "widget_enabled": False,
    "widget_channel_id": None,
    "verification_level": 0,
    "default_message_notifications": 0,
    "mfa_level": 0,
    "explicit_content_filter": 0,
    "max_presences": None,
    "max_members": 500_000,
    "max_stage_video_channel_users": 50,
    "max_video_channel_users": 25,
    "vanity_url_code": None,
    "premium_tier": 0,
    "premium_subscription_count": 0,
    "preferred_locale": "en-US",
    "rules_channel_id": None,
    "safety_alerts_channel_id": None,
    "public_updates_channel_id": None,
    "premium_progress_bar_enabled": False,
    "nsfw": False,
    "nsfw_level": 0,
    "emojis": [],
    "stickers": [],
    "incidents_data": None,
}
