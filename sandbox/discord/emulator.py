"""The Discord emulator as a whole: one aiohttp application, what people do in it, and what they can see.

``DiscordEmulator`` composes REST, gateway and file server over one ``Hub`` and is all that the rest of the sandbox has
to know. It starts nothing by itself: ``app()`` is served by whoever owns the port, who then tells the address by
``listening``. A reset makes a new world with the same people; registered commands and the bot's token stay, since they
belong to the application and a running bot would not send them again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from sandbox.clock import SandboxClock
from sandbox.discord.calling import Calling, wait_for_answer
from sandbox.discord.commands import Commands
from sandbox.discord.diary import Diary
from sandbox.discord.errors import ActionError
from sandbox.discord.faults import Faults
from sandbox.discord.followups import Followups
from sandbox.discord.gateway import Connection
from sandbox.discord.hub import Hub
from sandbox.discord.interactions import Interactions
from sandbox.discord.limits import DiscordLimits
from sandbox.discord.messages import Messages
from sandbox.discord.people import People
from sandbox.discord.rest.application import ApplicationRoutes
from sandbox.discord.rest.channels import ChannelRoutes
from sandbox.discord.rest.interactions import InteractionRoutes
from sandbox.discord.rest.messages import MessageRoutes
from sandbox.discord.rest.routes import Router
from sandbox.discord.rest.server import RestServer
from sandbox.discord.schema import SchemaCheck
from sandbox.discord.threads import Threads
from sandbox.discord.world import DM, FileTuple
from sandbox.events import EventBus

Json = dict[str, Any]
_BODY_ROOM = 1024 * 1024


class _Parts:
    """One run's composition; a reset makes another."""

    def __init__(self, hub: Hub, commands: Commands, schema: SchemaCheck | None) -> None:
        self.hub = hub
        self.diary = Diary()
        threads = Threads(hub)
        messages = Messages(hub, threads)
        self.interactions = Interactions(hub, messages)
        self.people = People(hub, messages, threads)
        self.calling = Calling(hub, commands, self.interactions, self.people)
        tables = (
            ApplicationRoutes(hub, commands),
            ChannelRoutes(hub, messages, threads),
            MessageRoutes(hub, messages),
            InteractionRoutes(hub, self.interactions, Followups(hub, self.interactions, messages)),
        )
        router = Router(route for table in tables for route in table.routes())
        self.rest = RestServer(hub, router, self.diary, schema)


class DiscordEmulator:
    """A Discord on this machine, for one bot and a handful of people."""

    def __init__(
        self,
        clock: SandboxClock,
        bus: EventBus,
        *,
        limits: DiscordLimits | None = None,
        seed: int = 0,
        schema: SchemaCheck | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._limits = limits or DiscordLimits()
        self._seed = seed
        self._schema = schema
        self._monotonic = monotonic
        self._commands = Commands(self._limits)
        self._parts = self._compose()

    def _compose(self) -> _Parts:
        hub = Hub(self._clock, self._bus, self._limits, self._seed, monotonic=self._monotonic)
        return _Parts(hub, self._commands, self._schema)

    def app(self) -> web.Application:
        """Return the application to serve: REST, gateway and files on one port."""
        room = self._limits.request_bytes + _BODY_ROOM
        app = web.Application(client_max_size=room)
        app.router.add_route("*", "/api/{version:v9|v10}/{tail:.*}", self._rest)
        app.router.add_get("/gateway", self._gateway)
        app.router.add_get("/gateway/", self._gateway)
        app.router.add_get("/attachments/{channel_id}/{attachment_id}/{name}", self._file)
        app.router.add_get("/{kind:avatars|embed|icons}/{tail:.*}", self._avatar)
        app.on_shutdown.append(self._shut_down)
        return app

    def listening(self, base_url: str) -> None:
        """Take the emulator's own address, such as ``http://127.0.0.1:8767``."""
        self._parts.hub.cdn.base_url = base_url.rstrip("/")

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        return await self._parts.rest.handle(request)

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        try:
            connection = Connection(self._parts.hub, socket, request.query.get("compress"))
        except ValueError:
            await socket.close(code=4012)
            return socket
        await connection.run()
        return socket

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._parts.hub.cdn.serve(request, self._parts.hub.world.files.get)

    async def _avatar(self, request: web.Request) -> web.StreamResponse:
        return self._parts.hub.cdn.avatar(request)

    async def _shut_down(self, _: web.Application) -> None:
        self._parts.hub.sessions.drop_all()

    @property
    def bot_token(self) -> str:
        """The token that the bot logs in with; the same for the same seed."""
        return self._parts.hub.token

    @property
    def faults(self) -> Faults:
        """The scripted faults in force."""
        return self._parts.hub.faults

    @property
    def guild_id(self) -> str:
        """The id of the one guild."""
        return self._parts.hub.world.guild_id

    def reset(self) -> None:
        """Begin anew: an empty world, no violations, no faults; connected bots are dropped and come back."""
        base_url = self._parts.hub.cdn.base_url
        self._parts.hub.sessions.drop_all()
        self._parts = self._compose()
        self.listening(base_url)
        self._bus.publish("reset", {})

    # What can be seen.

    def state(self) -> Json:
        """Return guild, channels, threads, users, commands and the bot, JSON-ready."""
        world, payloads = self._parts.hub.world, self._parts.hub.payloads
        users = [
            {
                "id": user.id,
                "name": user.name,
                "username": user.username,
                "locale": user.locale,
                "bot": user.bot,
                "roles": [world.roles[role_id].name for role_id in world.members[user.id].role_ids],
            }
            for user in world.users.values()
            if user.id in world.members
        ]
        directs = [{**payloads.channel(c), "name": c.name} for c in world.channels.values() if c.type == DM]
        return {
            "guilds": [{"id": world.guild_id, "name": world.guild_name, "owner_id": world.owner_id}],
            "channels": [*(payloads.channel(c) for c in world.guild_channels()), *directs],
            "threads": [
                {**payloads.channel(thread), "member_ids": sorted(thread.thread.members) if thread.thread else []}
                for thread in world.threads()
            ],
            "users": users,
            "roles": [{"id": role.id, "name": role.name, "color": role.color} for role in world.roles.values()],
            "commands": self._commands.seen_in(world.guild_id),
            "bot": {
                "id": world.bot.id,
                "name": world.bot.name,
                "online": self._parts.hub.sessions.online(),
                "identified": self._parts.hub.identifies.asked,
            },
        }

    def messages(self, channel_id: str) -> list[Json]:
        """Return the messages of a channel, oldest first; ephemeral ones have flag 64 and ``only_for``."""
        channel = self._parts.people.channel(channel_id)
        shown = []
        for message in channel.messages.values():
            event = self._parts.hub.payloads.message_event(message)
            shown.append({**event, "only_for": message.only_for} if message.only_for else event)
        return shown

    def violations(self) -> list[Json]:
        """Return what the bot did against the rules, oldest first."""
        return self._parts.hub.violations.all()

    def diary(self) -> list[Json]:
        """Return every request received, oldest first."""
        return self._parts.diary.all()

    async def interaction(self, interaction_id: str, wait_s: float = 0) -> Json:
        """Return an interaction's state; waits up to ``wait_s`` real seconds for something to read."""
        found = self._parts.interactions.find(str(interaction_id))
        if found is None:
            raise ActionError(f"There is no interaction {interaction_id}.")
        await wait_for_answer(found, wait_s)
        return found.shown(self._parts.hub.payloads)

    # What people do. Users are named by id or name; mistakes are an ActionError with one sentence.

    def come(self, name: str, *, locale: str = "en-US") -> str:
        """Let somebody new come into the server; returns the user's id."""
        return self._parts.people.come(name, locale).id

    def say(
        self,
        channel_id: str,
        *,
        content: str,
        user: str,
        files: Sequence[FileTuple] = (),
        reply_to: str | None = None,
        voice: bool = False,
    ) -> Json:
        """Say something; ``files`` are (filename, content type, bytes). Returns the message.

        ``voice``: the one file is a sound and sent as a voice message.
        """
        message = self._parts.people.say(channel_id, content, user, files, reply_to, voice=voice)
        return self._parts.hub.payloads.message_event(message)

    def edit_message(self, message_id: str, *, content: str, user: str) -> Json:
        """Change one's own message."""
        message = self._parts.people.edit_message(message_id, content, user)
        return self._parts.hub.payloads.message_event(message)

    def delete_message(self, message_id: str, *, user: str | None = None) -> None:
        """Delete a message, as its author or (without a user) as a moderator."""
        self._parts.people.delete_message(message_id, user)

    def archive_thread(self, thread_id: str, *, archived: bool = True, locked: bool | None = None) -> None:
        """Archive or re-open a thread, and lock or unlock it."""
        self._parts.people.archive_thread(thread_id, archived=archived, locked=locked)

    def open_thread(self, message_id: str, *, name: str, user: str) -> Json:
        """Open a thread from a message, as a person does."""
        return self._parts.hub.payloads.channel(self._parts.people.open_thread(message_id, name, user))

    def delete_channel(self, channel_id: str) -> None:
        """Delete a thread or channel."""
        self._parts.people.delete_channel(channel_id)

    def open_private(self, *users: str) -> str:
        """Let people talk among themselves, without the bot; returns the channel's id."""
        return self._parts.people.open_private(users).id

    def open_foreign(self, *users: str) -> str:
        """Let people talk in a server that the bot is not in, the first of them its owner; returns the channel's id."""
        return self._parts.people.open_foreign(users).id

    def type_in(self, channel_id: str, *, user: str) -> None:
        """Show that a person types."""
        self._parts.people.type_in(channel_id, user)

    def take_permission(self, channel_id: str, *names: str) -> None:
        """Deny the bot permissions in a channel, such as ``SEND_MESSAGES``."""
        self._parts.people.set_permission(channel_id, names, allowed=False)

    def give_permission(self, channel_id: str, *names: str) -> None:
        """Allow the bot permissions in a channel."""
        self._parts.people.set_permission(channel_id, names, allowed=True)

    def invoke(
        self,
        channel_id: str,
        *,
        name: str,
        options: Json | None = None,
        user: str,
        locale: str | None = None,
        target: str | None = None,
        files: Sequence[FileTuple] = (),
    ) -> str:
        """Call a command or (with ``target``) a context menu; returns the interaction's id."""
        made = self._parts.calling.invoke(
            channel_id, name, options or {}, user, locale=locale, target=target, files=files
        )
        return made.id

    async def autocomplete(
        self, channel_id: str, *, name: str, options: Json, focused: str, user: str, locale: str | None = None
    ) -> list[Json]:
        """Return the bot's choices for the option being typed."""
        return await self._parts.calling.autocomplete(channel_id, name, options, focused, user, locale=locale)

    def press(
        self,
        *,
        custom_id: str,
        user: str,
        message_id: str | None = None,
        interaction_id: str | None = None,
        values: Sequence[Any] | None = None,
    ) -> str:
        """Press a button or choose in a menu; returns the interaction's id."""
        return self._parts.calling.press(custom_id, user, message_id, interaction_id, values).id

    def submit(
        self,
        *,
        interaction_id: str,
        values: Json,
        user: str,
        custom_id: str | None = None,
        files: Sequence[FileTuple] = (),
    ) -> str:
        """Send the form that an interaction opened; returns the new interaction's id."""
        return self._parts.calling.submit(interaction_id, custom_id, values, user, files).id

    def set_membership(self, state: str) -> None:
        """Put the bot ``in`` its server, ``out`` of it, or let the server have an ``outage``."""
        self._parts.hub.membership.set(state)

    def drop_gateway(self, kind: str = "close") -> None:
        """Disturb the gateway: ``close`` (lost), ``reconnect`` (op 7), ``invalid`` (op 9), ``heartbeat`` (op 1)."""
        disturb = {
            "close": Connection.lose,
            "reconnect": Connection.ask_reconnect,
            "invalid": Connection.invalidate,
            "heartbeat": Connection.ask_heartbeat,
        }.get(kind)
        if disturb is None:
            raise ActionError("A gateway drop is one of close, reconnect, invalid, heartbeat.")
        for session in self._parts.hub.sessions.connected():
            if isinstance(session.wire, Connection):
                disturb(session.wire)
