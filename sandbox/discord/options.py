"""From what a person fills in to what Discord's client sends: options, targets, modal fields.

``Filler`` turns ``{name: value}`` into the typed options of a registered command, and ``{custom_id: value}`` into the
fields of a modal, and collects what they point at (users, channels, roles, attachments, messages) as ``resolved``.
Whatever Discord's client would not let a person send is an ``ActionError`` with one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sandbox.discord.drafts import content_type
from sandbox.discord.errors import ActionError
from sandbox.discord.hub import Hub
from sandbox.discord.profiles import member_json, role_json, user_json
from sandbox.discord.sizes import units, walk
from sandbox.discord.world import Channel, FileTuple, Message, StoredFile, Upload, User

Json = dict[str, Any]

STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = 3, 4, 5, 6, 7, 8, 9, 10, 11
_FILE = re.compile(r"files\[(\d+)\]")
_CHECKBOX, _FILE_UPLOAD, _RADIO, _TEXT_INPUT = 23, 19, 21, 4


class Filler:
    """Fills in one command, component or modal; ``resolved`` grows as values are given."""

    def __init__(self, hub: Hub, channel: Channel, files: Sequence[FileTuple]) -> None:
        self._hub = hub
        self._channel = channel
        self._files = [Upload(*upload) for upload in files]
        self.resolved: dict[str, Json] = {}

    def options(self, defined: list[Json], given: Json, *, focused: str | None = None) -> list[Json]:
        """Return the options of a command; with ``focused`` (autocomplete) nothing needs to be complete."""
        unknown = set(given) - {option["name"] for option in defined}
        if unknown:
            raise ActionError(f"The command has no option {min(unknown)!r}.")
        filled = []
        for option in defined:
            name = option["name"]
            if name not in given or given[name] is None:
                if option.get("required") and focused is None:
                    raise ActionError(f"The option {name!r} has to be filled in.")
                continue
            partial = focused is not None
            value = given[name] if partial and name == focused else self._value(option, given[name], partial=partial)
            entry: Json = {"name": name, "type": option["type"], "value": value}
            if name == focused:
                entry["focused"] = True
            filled.append(entry)
        return filled

    def _value(self, option: Json, value: Any, *, partial: bool) -> Any:
        kind = option["type"]
        if kind == STRING:
            return self._text(option, str(value), partial=partial)
        if kind in (INTEGER, NUMBER):
            return self._number(option, value)
        if kind == BOOLEAN:
            if not isinstance(value, bool):
                raise ActionError(f"The option {option['name']!r} is either true or false.")
            return value
        if kind == ATTACHMENT:
            return self.attach(str(value))
        return self._point(option["name"], kind, str(value))

    def _text(self, option: Json, value: str, *, partial: bool) -> str:
        choices = [choice["value"] for choice in option.get("choices") or []]
        if choices and value not in choices:
            raise ActionError(f"The option {option['name']!r} has no choice {value!r}.")
        longest = option.get("max_length", self._hub.limits.string_option)
        if not partial and not option.get("min_length", 0) <= units(value) <= longest:
            shortest = option.get("min_length", 0)
            raise ActionError(f"The option {option['name']!r} takes {shortest} to {longest} characters.")
        return value

    def _number(self, option: Json, value: Any) -> int | float:
        wanted = int if option["type"] == INTEGER else (int, float)
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise ActionError(f"The option {option['name']!r} takes a number.")
        low, high = option.get("min_value", value), option.get("max_value", value)
        if not low <= value <= high:
            raise ActionError(f"The option {option['name']!r} takes a number from {low} to {high}.")
        choices = [choice["value"] for choice in option.get("choices") or []]
        if choices and value not in choices:
            raise ActionError(f"The option {option['name']!r} has no choice {value!r}.")
        return float(value) if option["type"] == NUMBER else int(value)

    def attach(self, value: str) -> str:
        """Take the file that ``files[n]`` names in, and return the attachment's id."""
        hit = _FILE.fullmatch(value)
        if not hit or int(hit.group(1)) >= len(self._files):
            raise ActionError(f"{value!r} names no file that was handed in; files[0] is the first one.")
        upload = self._files[int(hit.group(1))]
        if len(upload.content) > self._hub.limits.file_bytes:
            raise ActionError(f"{upload.filename} is larger than {self._hub.limits.file_bytes} bytes.")
        stored = StoredFile(
            self._hub.ids.next(),
            self._channel.id,
            upload.filename,
            content_type(upload),
            upload.content,
            ephemeral=True,
        )
        self._hub.world.files[stored.id] = stored
        self._resolve("attachments", stored.id, self._hub.payloads.file(stored))
        return stored.id

    def _point(self, name: str, kind: int, value: str) -> str:
        world = self._hub.world
        user = world.find_user(value) if kind in (USER, MENTIONABLE) else None
        if user is not None:
            return self.point_at_user(user)
        role = next((r for r in world.roles.values() if value in (r.id, r.name)), None)
        if kind in (ROLE, MENTIONABLE) and role is not None:
            self._resolve("roles", role.id, role_json(role))
            return role.id
        channel = next((c for c in world.channels.values() if value in (c.id, c.name)), None)
        if kind == CHANNEL and channel is not None:
            self._resolve("channels", channel.id, self._hub.payloads.channel(channel, viewer=world.bot))
            return channel.id
        raise ActionError(f"The option {name!r} points at {value!r}, which does not exist.")

    def point_at_user(self, user: User) -> str:
        """Put a user (and the member) into what is pointed at."""
        self._resolve("users", user.id, user_json(user))
        member = self._hub.world.members.get(user.id)
        if member is not None and self._channel.guild_id:
            self._resolve("members", user.id, {**member_json(member, with_user=False), "permissions": "0"})
        return user.id

    def point_at_message(self, message: Message) -> str:
        """Put a message into what is pointed at."""
        self._resolve("messages", message.id, self._hub.payloads.message(message))
        return message.id

    def _resolve(self, group: str, object_id: str, shown: Json) -> None:
        self.resolved.setdefault(group, {})[object_id] = shown

    def select(self, component: Json, values: Sequence[Any]) -> list[str]:
        """Return the values of a select, checked against what it offers."""
        low, high = int(component.get("min_values", 1)), int(component.get("max_values", 1))
        if not low <= len(values) <= high:
            raise ActionError(f"This menu takes {low} to {high} choices.")
        offered = [option["value"] for option in component.get("options") or []]
        kinds = {5: USER, 6: ROLE, 7: MENTIONABLE, 8: CHANNEL}
        if component["type"] in kinds:
            return [self._point("values", kinds[component["type"]], str(value)) for value in values]
        missing = [str(value) for value in values if str(value) not in offered]
        if missing:
            raise ActionError(f"This menu does not offer {missing[0]!r}.")
        return [str(value) for value in values]

    def modal_fields(self, modal: Json, values: Json) -> list[Json]:
        """Return the components of a modal's submission."""
        fields = [c for c in walk(modal.get("components") or []) if c.get("custom_id")]
        unknown = set(values) - {c["custom_id"] for c in fields}
        if unknown:
            raise ActionError(f"The form has no field {min(unknown)!r}.")
        return [self._outer(number, component, values) for number, component in enumerate(modal["components"], 1)]

    def _outer(self, number: int, component: Json, values: Json) -> Json:
        shown: Json = {"id": number, "type": component["type"]}
        if "component" in component:
            shown["component"] = self._field(100 + number, component["component"], values)
        elif "components" in component:
            shown["components"] = [self._field(100 + number, c, values) for c in component["components"]]
        return shown

    def _field(self, number: int, component: Json, values: Json) -> Json:
        custom_id, kind = component["custom_id"], component["type"]
        shown: Json = {"id": number, "type": kind, "custom_id": custom_id}
        value = values.get(custom_id)
        if kind == _TEXT_INPUT:
            shown["value"] = self._typed(component, str(value if value is not None else component.get("value") or ""))
        elif kind == _CHECKBOX:
            shown["value"] = bool(value)
        elif kind == _RADIO:
            shown["value"] = value
        else:
            shown["values"] = self._chosen(component, value)
        return shown

    def _typed(self, component: Json, text: str) -> str:
        longest = int(component.get("max_length") or self._hub.limits.text_input)
        if not text and component.get("required", True):
            raise ActionError(f"The field {component['custom_id']!r} has to be filled in.")
        if units(text) > longest or (text and units(text) < int(component.get("min_length") or 0)):
            raise ActionError(f"The field {component['custom_id']!r} has the wrong length.")
        return text

    def _chosen(self, component: Json, value: Any) -> list[str]:
        chosen = value if isinstance(value, list) else [] if value is None else [value]
        if not chosen and component.get("required", True) and int(component.get("min_values", 1)) > 0:
            raise ActionError(f"The field {component['custom_id']!r} has to be filled in.")
        if component["type"] == _FILE_UPLOAD:
            return [self.attach(str(each)) for each in chosen]
        return self.select(component, chosen) if chosen else []
