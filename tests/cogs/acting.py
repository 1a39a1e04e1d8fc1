"""How everything in the table of ``permissions`` is done, and by whom.

``stage`` sets up a server with its people for one column: somebody with an answer, a chat and a persona of their own,
and somebody else with the same; then, where the column says so, every command is restricted to a role. ``Stage.act``
does what a row says and gives what the bot said to it. What always holds: all goes through the emulated Discord; only
what Discord itself makes impossible (a bot that calls, a button that is not shown) is forged.
"""

from __future__ import annotations

from typing import Any

from cogs.access import restrictable
from sandbox.discord.errors import ActionError
from sandbox.discord.interactions import COMPONENT
from sandbox.discord.permissions import Permission
from sandbox.discord.world import Role
from tests.cogs.conftest import House, until
from tests.cogs.people import response
from tests.cogs.permissions import Row
from tests.cogs.talk import buttons, message, settled
from tests.conversations.samples import OPUS
from utils.i18n import translate

USERS = {"owner": "Ada", "server_owner": "Иван", "manager": "小美", "insider": "Dewi"}
OTHER = "지우"
RESTRICTED = ("owner", "server_owner", "manager", "insider", "outsider", "direct", "guest", "host")
ELSEWHERE = ("guest", "host")
_MARKER = "are you done?"


def people(house: House) -> None:
    """Give everybody their roles, before the bot starts."""
    world = house.discord._parts.hub.world
    world.owner_id = str(house.user_id("Иван"))
    member = next(role.id for role in world.roles.values() if role.name == "Member")
    world.members[str(house.user_id("Ada"))].role_ids = [member]
    for name, bits, user in (("Managers", Permission.MANAGE_GUILD, "小美"), ("Insiders", 0, "Dewi")):
        role = Role(house.discord._parts.hub.ids.next(), name, int(bits), 1)
        world.roles[role.id] = role
        world.members[str(house.user_id(user))].role_ids.append(role.id)


class Stage:
    """One column's person, ``user``, in their ``place``."""

    def __init__(self, house: House, column: str) -> None:
        self.house = house
        self.column = column
        self.user = USERS.get(column, "Mina")
        self.other = "Dewi" if column in ELSEWHERE else OTHER
        self.place = house.channel("general")
        self.chat: str | None = None
        self.other_chat: str | None = None
        self.answers: dict[str, dict[str, Any]] = {}
        self.target = self.question = ""

    async def set_up(self) -> None:
        """Let both talk with the bot, then restrict everything."""
        house, column = self.house, self.column
        if column == "direct":
            self.place = house.channel("Mina")
        elif column in ELSEWHERE:
            pair = ("Mina", "Dewi") if column == "host" else ("Dewi", "Mina")
            self.place = house.discord.open_foreign(*pair)
        await self._talk()
        if column in RESTRICTED:
            world = house.discord._parts.hub.world
            role = next(int(role.id) for role in world.roles.values() if role.name == "Insiders")
            for name in restrictable(house.bot.tree):
                await house.preferences.restrict(int(house.discord.guild_id), "command", name, role)
        house.discord.faults.open_commands.update(c["name"] for c in house.discord.state()["commands"])
        if column == "bot":
            user = house.discord._parts.hub.world.find_user(self.user)
            assert user is not None
            user.bot = True

    async def _talk(self) -> None:
        house = self.house
        self.answers["own"] = await self._asked(self.user)
        if self.column != "direct":
            self.answers["other"] = await self._asked(self.other)
        files = [("a.ogg", "audio/ogg", OPUS)]
        self.target = house.discord.say(self.place, content="", user=self.user, files=files, voice=True)["id"]
        if self.column == "direct":
            await self._replied(self.target)
        await house.storage.personas.create(house.user_id(self.user), name="mine", instructions="x", most=9)
        made = await house.storage.personas.create(house.user_id(self.other), name="theirs", instructions="x", most=9)
        assert made is not None
        await house.storage.personas.share(made, int(house.discord.guild_id), frozenset())
        if self.column in ELSEWHERE:
            return
        said = house.discord.say(self.place, content=f"{house.mention} a question #q-1", user=self.user)
        self.question = said["id"]
        await self._replied(self.question)
        if self.column == "direct":
            self.chat = self.place
            return
        self.chat = await self._opened(self.user)
        self.other_chat = await self._opened(self.other)

    async def _asked(self, user: str) -> dict[str, Any]:
        given = {"prompt": "a word #q-3"}
        found = self.house.discord.invoke(self.place, name="ask", user=user, options=given, locale="en-US")
        return await response(self.house, found)

    async def _opened(self, user: str) -> str:
        before = {thread["id"] for thread in self.house.discord.state()["threads"]}
        found = self.house.discord.invoke(self.place, name="chat", user=user, locale="en-US")
        await response(self.house, found)
        return str(next(t["id"] for t in self.house.discord.state()["threads"] if t["id"] not in before))

    async def footprint(self) -> object:
        """Give all that a refusal must leave as it is."""
        house, guild_id = self.house, int(self.house.discord.guild_id)
        asked = [entry for entry in house.generated() if _MARKER not in str(entry["turns"])]
        personas = await house.storage.personas.within_reach(house.user_id(self.user), guild_id)
        shared = await house.storage.personas.within_reach(house.user_id(self.other), guild_id)
        kept = await house.storage.settings.get(guild_id), await house.storage.limits.of_guild(guild_id)
        counted = house.pool.get_api_key_stats()["total_keys"], len(house.discord.state()["threads"])
        return len(asked), personas, shared, kept, counted, await house.storage.audit.newest(1)

    async def act(self, row: Row) -> str:
        """Do what a row says; gives what the bot said, "" for nothing. Raises ActionError where it is not offered."""
        whose, _, what = row.act.partition(" ")
        if row.act in ("message", "change", "thread message"):
            return await self._say(row.act)
        if row.act in ("in own chat", "in other chat"):
            return await self._command(row, self.chat if row.act == "in own chat" else self.other_chat)
        if row.act == "menu":
            target = self.answers["own"]["id"] if row.command.startswith("Why") else self.target
            return await self._command(row, self.place, target=target)
        if row.act == "delete":
            return await self._delete()
        if whose in ("own", "other"):
            return await self._press(self.answers.get(whose), what)
        return await self._command(row, self.place)

    def options(self, row: Row) -> dict[str, Any]:
        """Give a row's options with the names of what is there."""
        key = self.house.gemini.key_specs()[0].partition("@")[0]
        return {name: key if value == "{key}" else value for name, value in row.options.items()}

    async def _command(self, row: Row, place: str | None, *, target: str | None = None) -> str:
        if place is None:
            raise ActionError("There is no such chat here.")
        found = self.house.discord.invoke(
            place, name=row.command, user=self.user, options=self.options(row), target=target, locale="en-US"
        )
        answer = await response(self.house, found)
        if "custom_id" in answer:
            sent = self.house.discord.submit(interaction_id=found, values=dict(row.form), user=self.user)
            answer = await response(self.house, sent)
        return _words(answer)

    async def _press(self, under: dict[str, Any] | None, action: str) -> str:
        if under is None:
            raise ActionError("There is no such answer here.")
        world = self.house.discord._parts.hub.world
        source, user = world.find_message(under["id"]), world.find_user(self.user)
        assert source is not None
        assert user is not None
        turn = next(iter(buttons(under).values())).rpartition(":")[2]
        custom_id = f"turn:{action}:{turn}"
        # discord.py passes over what is not under the message, where Stop stands only for a moment
        before, source.components = source.components, _row(custom_id)
        planted = source.components
        data = {"custom_id": custom_id, "component_type": 2, "id": 2}
        extra = {"interacted_message_id": source.id}
        made = self.house.discord._parts.interactions.create(
            COMPONENT, user, world.channels[self.place], data, locale="en-US", source=source, extra=extra
        )
        await until(lambda: made.acknowledged_ms is not None and not self.house.bot.running.count)
        if source.components is planted:
            source.components = before
        told = (await self.house.discord.interaction(made.id))["responses"]
        return " ".join(one["content"] for one in told) or "done"

    async def _delete(self) -> str:
        found = self.house.discord.invoke(self.place, name="my-data delete", user=self.user, locale="en-US")
        asked = await response(self.house, found)
        ids = [part["custom_id"] for row in asked["components"] for part in row["components"]]
        if not ids:
            raise ActionError("There is no button.")
        self.house.discord.press(custom_id=ids[0], user=self.user, interaction_id=found)
        return await until(lambda: self._ended(asked))

    def _ended(self, asked: dict[str, Any]) -> str:
        user = self.house.discord._parts.hub.world.find_user(self.user)
        under_way = translate("privacy.delete.running", user.locale if user is not None else "en-US")
        content = str(message(self.house, self.place, asked["id"])["content"])
        return "" if content in (asked["content"], under_way) or self.house.bot.running.count else content

    async def _say(self, act: str) -> str:
        house = self.house
        if self.column in ELSEWHERE or (act == "thread message" and self.column == "direct"):
            raise ActionError("The bot does not hear anybody here.")
        asked = len(house.generated())
        if act == "change":
            house.discord.edit_message(self.question, content=f"{house.mention} another question", user=self.user)
            said_id = self.question
        else:
            place, text = (self.chat, "a word") if act == "thread message" else (self.place, f"{house.mention} a word")
            said_id = house.discord.say(str(place), content=text, user=self.user)["id"]
        if self.column == "bot" or (self.column == "outsider" and act == "thread message"):
            # passed over without a word
            await settled(house)
            return "" if act == "change" else self._reply_to(said_id)
        if act == "change":
            await until(lambda: len(house.generated()) > asked or self._reply_to(said_id, begins="Here only"))
            await until(lambda: not house.bot.running.count)
            return self._reply_to(said_id, begins="Here only") or "done"
        return await self._replied(said_id)

    async def _replied(self, message_id: str) -> str:
        found = await until(lambda: self._reply_to(message_id))
        await until(lambda: not self.house.bot.running.count)
        return found

    def _reply_to(self, message_id: str, *, begins: str = "") -> str:
        world = self.house.discord._parts.hub.world
        for channel in world.channels.values():
            for one in channel.messages.values():
                is_reply = one.reference is not None and one.reference[1] == message_id
                if is_reply and one.author is world.bot and one.content.startswith(begins):
                    return one.content
        return ""


def _row(custom_id: str) -> list[dict[str, Any]]:
    button = {"type": 2, "id": 2, "style": 2, "custom_id": custom_id, "label": "x", "disabled": False}
    return [{"type": 1, "id": 1, "components": [button]}]


def _words(answer: dict[str, Any]) -> str:
    embeds = [f"{embed.get('title')} {embed.get('description')}" for embed in answer.get("embeds") or []]
    files = [file["filename"] for file in answer.get("attachments") or []]
    return " ".join([answer.get("content") or "", *embeds, *files]).strip()
