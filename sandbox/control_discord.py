"""The control interface's rows about the emulated Discord: what people say, press and fill in, and what came of it.

Each handler reads the request, asks the emulator, and shows its answer; what may be done is the emulator's to judge
(its ``ActionError`` becomes one sentence). Messages, embeds and modals are in Discord's own shape.
"""

from __future__ import annotations

import math
from typing import Any

from aiohttp import web

from sandbox.control_body import read_body
from sandbox.control_guard import ControlError
from sandbox.discord import DiscordEmulator

_LONGEST_WAIT_S = 60.0
_DROPS = ("close", "reconnect", "invalid", "heartbeat")
_MEMBERSHIPS = ("in", "out", "outage")


class DiscordRoutes:
    """The handlers; ``emulator`` is None when this sandbox runs without its Discord."""

    def __init__(self, emulator: DiscordEmulator | None) -> None:
        self._emulator = emulator

    def routes(self) -> list[web.RouteDef]:
        """The rows of the table."""
        channel = "/_sandbox/channels/{channel}"
        return [
            web.get(f"{channel}/messages", self._messages),
            web.post(f"{channel}/messages", self._say),
            web.patch(f"{channel}/messages/{{message}}", self._edit),
            web.delete(f"{channel}/messages/{{message}}", self._delete),
            web.post(f"{channel}/commands", self._invoke),
            web.post(f"{channel}/autocomplete", self._autocomplete),
            web.get("/_sandbox/interactions/{id}", self._interaction),
            web.post("/_sandbox/components", self._press),
            web.post("/_sandbox/modals", self._submit),
            web.get("/_sandbox/discord/diary", self._diary),
            web.post("/_sandbox/discord/drop", self._drop),
            web.put("/_sandbox/discord/membership", self._set_membership),
            web.get("/_sandbox/violations", self._violations),
        ]

    @property
    def _discord(self) -> DiscordEmulator:
        if self._emulator is None:
            raise ControlError("This sandbox runs without its Discord; start it with --parts all.", 404)
        return self._emulator

    async def _messages(self, request: web.Request) -> web.Response:
        return web.json_response(self._discord.messages(request.match_info["channel"]))

    async def _say(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        message = self._discord.say(
            request.match_info["channel"],
            content=body.text("content", ""),
            user=body.text("user"),
            files=body.files,
            reply_to=body.optional_text("reply_to"),
            voice=body.fields.get("voice") is True,
        )
        return web.json_response(message)

    async def _edit(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        message = self._discord.edit_message(
            self._message_id(request), content=body.text("content"), user=body.text("user")
        )
        return web.json_response(message)

    async def _delete(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        self._discord.delete_message(self._message_id(request), user=body.text("user"))
        return web.Response(status=204)

    def _message_id(self, request: web.Request) -> str:
        place = request.match_info
        if all(message["id"] != place["message"] for message in self._discord.messages(place["channel"])):
            raise ControlError(f"There is no message {place['message']} in channel {place['channel']}.", 404)
        return place["message"]

    async def _invoke(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        interaction_id = self._discord.invoke(
            request.match_info["channel"],
            name=body.text("name"),
            options=body.mapping("options"),
            user=body.text("user"),
            locale=body.optional_text("locale"),
            target=body.optional_text("target"),
            files=body.files,
        )
        return web.json_response({"interaction_id": interaction_id})

    async def _autocomplete(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        choices = await self._discord.autocomplete(
            request.match_info["channel"],
            name=body.text("name"),
            options=body.mapping("options"),
            focused=body.text("focused"),
            user=body.text("user"),
            locale=body.optional_text("locale"),
        )
        return web.json_response({"choices": choices})

    async def _interaction(self, request: web.Request) -> web.Response:
        found = await self._discord.interaction(request.match_info["id"], wait_s=_wait(request))
        return web.json_response(found)

    async def _press(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        interaction_id = self._discord.press(
            message_id=body.optional_text("message_id"),
            interaction_id=body.optional_text("interaction_id"),
            custom_id=body.text("custom_id"),
            values=_values(body.fields.get("values")),
            user=body.text("user"),
        )
        return web.json_response({"interaction_id": interaction_id})

    async def _submit(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        interaction_id = self._discord.submit(
            interaction_id=body.text("interaction_id"),
            custom_id=body.optional_text("custom_id"),
            values=body.mapping("values"),
            user=body.text("user"),
            files=body.files,
        )
        return web.json_response({"interaction_id": interaction_id})

    async def _diary(self, _request: web.Request) -> web.Response:
        return web.json_response(self._discord.diary())

    async def _violations(self, _request: web.Request) -> web.Response:
        return web.json_response(self._discord.violations())

    async def _drop(self, request: web.Request) -> web.Response:
        kind = (await read_body(request)).text("kind", "close")
        if kind not in _DROPS:
            raise ControlError(f"kind must be one of {', '.join(_DROPS)}.")
        self._discord.drop_gateway(kind)
        return web.Response(status=204)

    async def _set_membership(self, request: web.Request) -> web.Response:
        state = (await read_body(request)).text("state")
        if state not in _MEMBERSHIPS:
            raise ControlError(f"state must be one of {', '.join(_MEMBERSHIPS)}.")
        self._discord.set_membership(state)
        return web.Response(status=204)


def _wait(request: web.Request) -> float:
    text = request.query.get("wait", "0")
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _LONGEST_WAIT_S:
        raise ControlError(f"wait must be a number of seconds from 0 to {_LONGEST_WAIT_S:.0f}.")
    return seconds


def _values(found: Any) -> list[str]:
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(value, str) for value in found):
        raise ControlError("values must be a list of texts.")
    return found
