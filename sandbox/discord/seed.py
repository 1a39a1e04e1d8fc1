"""The world at the start: one guild, its channels and roles, people in five languages, and the bot.

The same seed gives the same ids. Ada owns the server and the application and is an administrator; the others are
members. Everybody has a direct message with the bot. #staff is seen by administrators and the bot.
"""

from __future__ import annotations

from sandbox.discord.ids import Snowflakes, made_at
from sandbox.discord.permissions import MEMBER_BITS, Permission
from sandbox.discord.world import DM, GUILD_TEXT, Channel, Member, Overwrite, Role, User, World

_PEOPLE = (
    ("ada", "Ada", "en-US"),
    ("mina", "Mina", "en-US"),
    ("xiaomei", "小美", "zh-TW"),
    ("jiwoo", "지우", "ko"),
    ("dewi", "Dewi", "id"),
    ("ivan", "Иван", "ru"),
)
_CHANNELS = (
    ("general", "Talk about anything, or mention the bot"),
    ("questions", "Ask with /ask, or open a chat with /chat"),
    ("media", "Pictures and files to ask about"),
    ("staff", "For administrators"),
)
_BOT_BITS = MEMBER_BITS & ~int(Permission.CHANGE_NICKNAME | Permission.SEND_POLLS)


def first_world(ids: Snowflakes) -> World:
    """Build the world that every sandbox begins with."""
    guild_id, bot = ids.fixed(), User(ids.fixed(), "Gemini", None, bot=True)
    people = [User(ids.fixed(), username, shown, locale) for username, shown, locale in _PEOPLE]
    world = World(
        guild_id, "Sandbox", people[0].id, people[0].id, bot, users={user.id: user for user in [*people, bot]}
    )
    admin, member, app = ids.fixed(), ids.fixed(), ids.fixed()
    for role in (
        Role(guild_id, "@everyone", MEMBER_BITS, 0),
        Role(member, "Member", 0, 1, color=0x4E7AC7, mentionable=True),
        Role(app, "Gemini", _BOT_BITS, 2, bot_id=bot.id),
        Role(admin, "Admin", int(Permission.ADMINISTRATOR), 3, color=0xC7774E),
    ):
        world.roles[role.id] = role
    joined = made_at(guild_id)
    for user in people:
        world.members[user.id] = Member(user, [admin] if user is people[0] else [member], joined)
    world.members[bot.id] = Member(bot, [app], joined)
    _add_channels(world, ids, app)
    return world


def _add_channels(world: World, ids: Snowflakes, app_role: str) -> None:
    for position, (name, topic) in enumerate(_CHANNELS):
        channel = Channel(ids.fixed(), GUILD_TEXT, world.guild_id, name, position=position, topic=topic)
        if name == "staff":
            view = int(Permission.VIEW_CHANNEL)
            channel.overwrites = [
                Overwrite(world.guild_id, is_member=False, deny=view),
                Overwrite(app_role, is_member=False, allow=view),
            ]
        world.channels[channel.id] = channel
    for user in list(world.users.values()):
        if not user.bot:
            channel = Channel(ids.fixed(), DM, None, user.name, recipients=[user, world.bot])
            world.channels[channel.id] = channel
