"""How people call the bot: commands, context menus, autocomplete, buttons, menus and forms.

``Calling`` checks what Discord's client would check (may this user use the command here, are the options complete, is
the button there and enabled) and makes the interaction. Names are the commands' own, with spaces before subcommands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sandbox.discord.commands import CHAT, MESSAGE_MENU, SUBCOMMAND, SUBGROUP, USER_MENU, Commands
from sandbox.discord.errors import ActionError
from sandbox.discord.hub import Hub
from sandbox.discord.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL_SUBMIT, Interaction, Interactions
from sandbox.discord.options import Filler
from sandbox.discord.people import People
from sandbox.discord.permissions import Permission, compute
from sandbox.discord.sizes import walk
from sandbox.discord.world import Channel, FileTuple, Message, User

Json = dict[str, Any]
_BUTTON, _LINK_STYLE = 2, 5
USER_INSTALL = 1


class Calling:
    """Makes interactions out of what people do."""

    def __init__(self, hub: Hub, commands: Commands, interactions: Interactions, people: People) -> None:
        self._hub = hub
        self._commands = commands
        self._interactions = interactions
        self._people = people

    def invoke(
        self,
        channel_id: str,
        name: str,
        options: Json,
        user: str,
        *,
        locale: str | None = None,
        target: str | None = None,
        files: Sequence[FileTuple] = (),
    ) -> Interaction:
        """Call a chat command, or with ``target`` (a message's or user's id) a context menu."""
        caller, channel, command, path = self._found(channel_id, name, user, menu=target is not None)
        filler = Filler(self._hub, channel, files)
        data = _head(command, channel)
        if target is not None:
            data["target_id"] = self._target(command, channel, target, filler)
        else:
            leaf = _leaf(command, path)
            data["options"] = _nested(path, filler.options(leaf.get("options") or [], options))
        if filler.resolved:
            data["resolved"] = filler.resolved
        return self._interactions.create(COMMAND, caller, channel, data, locale=locale, name=name)

    async def autocomplete(
        self, channel_id: str, name: str, options: Json, focused: str, user: str, *, locale: str | None = None
    ) -> list[Json]:
        """Ask the bot for choices of the option being typed; raises ActionError when it does not answer in time."""
        caller, channel, command, path = self._found(channel_id, name, user, menu=False)
        defined = _leaf(command, path).get("options") or []
        if not any(option["name"] == focused and option.get("autocomplete") for option in defined):
            raise ActionError(f"The option {focused!r} of {name!r} has no autocomplete.")
        filled = Filler(self._hub, channel, ()).options(defined, {focused: "", **options}, focused=focused)
        data = {**_head(command, channel), "options": _nested(path, filled)}
        made = self._interactions.create(AUTOCOMPLETE, caller, channel, data, locale=locale, name=name)
        while not made.responses and not made.expired:
            await made.changed.wait()
        if not made.responses or isinstance(made.responses[0], Message):
            raise ActionError("The bot did not offer any choices in time.")
        return list(made.responses[0]["choices"])

    def press(
        self,
        custom_id: str,
        user: str,
        message_id: str | None,
        interaction_id: str | None,
        values: Sequence[Any] | None,
    ) -> Interaction:
        """Press a button or choose in a menu of a message."""
        presser = self._people.user(user)
        message = self._pressed(message_id, interaction_id)
        channel = self._people.channel(message.channel_id, presser)
        if message.only_for not in (None, presser.id):
            raise ActionError(f"{presser.name} cannot see this message.")
        component = next((c for c in walk(message.components) if c.get("custom_id") == custom_id), None)
        if component is None:
            raise ActionError(f"The message has no button or menu {custom_id!r}.")
        if component.get("disabled") or component.get("style") == _LINK_STYLE:
            raise ActionError("This cannot be pressed.")
        filler = Filler(self._hub, channel, ())
        data: Json = {"custom_id": custom_id, "component_type": component["type"], "id": component.get("id", 1)}
        if component["type"] != _BUTTON:
            data["values"] = filler.select(component, values or ())
        if filler.resolved:
            data["resolved"] = filler.resolved
        extra = {"interacted_message_id": message.id}
        return self._interactions.create(COMPONENT, presser, channel, data, source=message, extra=extra)

    def _pressed(self, message_id: str | None, interaction_id: str | None) -> Message:
        if message_id is not None:
            return self._people.message(message_id)
        original = self._interaction(interaction_id).original
        if original is None:
            raise ActionError("The interaction has no message yet.")
        return original

    def _interaction(self, interaction_id: str | None) -> Interaction:
        found = self._interactions.find(str(interaction_id))
        if found is None:
            raise ActionError(f"There is no interaction {interaction_id}.")
        return found

    def submit(
        self, interaction_id: str, custom_id: str | None, values: Json, user: str, files: Sequence[FileTuple]
    ) -> Interaction:
        """Send the form that an interaction opened."""
        opened = self._interaction(interaction_id)
        sender = self._people.user(user)
        modal = opened.modal
        if modal is None or sender is not opened.user or custom_id not in (None, modal["custom_id"]):
            raise ActionError("No such form is open for this user.")
        filler = Filler(self._hub, opened.channel, files)
        data: Json = {"custom_id": modal["custom_id"], "components": filler.modal_fields(modal, values)}
        if filler.resolved:
            data["resolved"] = filler.resolved
        extra = {"triggering_interaction_metadata": opened.metadata}
        opened.modal = None
        return self._interactions.create(
            MODAL_SUBMIT, sender, opened.channel, data, locale=opened.locale, source=opened.source, extra=extra
        )

    def _found(self, channel_id: str, name: str, user: str, *, menu: bool) -> tuple[User, Channel, Json, list[str]]:
        caller = self._people.user(user)
        channel = self._people.channel(channel_id, caller)
        command, path = self._lookup(channel, name, menu=menu)
        self._check_allowed(caller, channel, command)
        return caller, channel, command, path

    def _lookup(self, channel: Channel, name: str, *, menu: bool) -> tuple[Json, list[str]]:
        seen = self._commands.seen_in(channel.guild_id)
        if menu:
            command = next((c for c in seen if c["type"] != CHAT and c["name"] == name), None)
            path: list[str] = []
        else:
            first, *path = name.removeprefix("/").split()
            command = next((c for c in seen if c["type"] == CHAT and c["name"] == first), None)
        if command is None:
            names = ", ".join(sorted(c["name"] for c in seen)) or "none"
            raise ActionError(f"There is no command {name!r} here; registered are: {names}.")
        return command, path

    def _check_allowed(self, caller: User, channel: Channel, command: Json) -> None:
        contexts = command.get("contexts")
        here = self._hub.world.context(channel)
        installs = command.get("integration_types") or [0]
        if self._hub.world.is_private(channel) and USER_INSTALL not in installs:
            raise ActionError(f"The command {command['name']!r} is not installed for {caller.name}.")
        in_dm_refused = not channel.guild_id and not command.get("dm_permission", True)
        if in_dm_refused or (contexts is not None and here not in contexts):
            raise ActionError(f"The command {command['name']!r} cannot be used here.")
        if not channel.guild_id:
            return
        bits = compute(self._hub.world, caller, channel)
        needed = command["default_member_permissions"]
        opened = command["name"] in self._hub.faults.open_commands
        if not bits & Permission.USE_APPLICATION_COMMANDS or (
            needed is not None and not opened and not _has(bits, needed)
        ):
            raise ActionError(f"{caller.name} may not use the command {command['name']!r}.")

    def _target(self, command: Json, channel: Channel, target: str, filler: Filler) -> str:
        if command["type"] == USER_MENU:
            user = self._hub.world.find_user(target)
            if user is None:
                raise ActionError(f"There is no user {target!r}.")
            return filler.point_at_user(user)
        if command["type"] == MESSAGE_MENU and target in channel.messages:
            return filler.point_at_message(channel.messages[target])
        raise ActionError(f"There is no message {target} in this channel.")


async def wait_for_answer(interaction: Interaction, seconds: float) -> None:
    """Wait until there is something to read of an interaction, or it expired, or that many real seconds passed."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not interaction.has_something_to_show() and not interaction.expired:
        left = until - loop.time()
        if left <= 0:
            return
        try:
            await asyncio.wait_for(interaction.changed.wait(), left)
        except TimeoutError:
            return


def _has(bits: int, needed: str) -> bool:
    wanted = int(needed) or int(Permission.ADMINISTRATOR)
    return bits & wanted == wanted


def _head(command: Json, channel: Channel) -> Json:
    head: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
    if "guild_id" in command:
        head["guild_id"] = channel.guild_id
    return head


def _leaf(command: Json, path: list[str]) -> Json:
    node = command
    for step in path:
        inner = [o for o in node.get("options") or [] if o["type"] in (SUBCOMMAND, SUBGROUP) and o["name"] == step]
        if not inner:
            raise ActionError(f"The command {command['name']!r} has no subcommand {step!r}.")
        node = inner[0]
    if any(o["type"] in (SUBCOMMAND, SUBGROUP) for o in node.get("options") or []):
        raise ActionError(f"The command {command['name']!r} needs one of its subcommands.")
    return node


def _nested(path: list[str], options: list[Json]) -> list[Json]:
    for depth, step in reversed(list(enumerate(path))):
        innermost = depth == len(path) - 1
        options = [{"name": step, "type": SUBCOMMAND if innermost else SUBGROUP, "options": options}]
    return options
