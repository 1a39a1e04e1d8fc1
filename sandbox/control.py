"""The control interface and the page, as one application on the page's port.

``control_app`` joins the rows about the Gemini (``control_gemini``) and the Discord (``control_discord``), the event
stream (``control_events``), and what concerns the sandbox as a whole: its state, its addresses, time, a fresh start,
its end. ``guard`` (``control_guard``) stands before all of it. The page's files are read from ``sandbox/page``
once, before the loop has work; only what was there can be asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.clock import SandboxClock
from sandbox.control_body import MAX_FILES, read_body
from sandbox.control_discord import DiscordRoutes
from sandbox.control_events import EventStream, Presence
from sandbox.control_gemini import GeminiRoutes
from sandbox.control_guard import ControlError, guard, page_headers
from sandbox.discord import DiscordEmulator
from sandbox.events import EventBus
from sandbox.gemini import GeminiEmulator

Json = dict[str, Any]

_PAGE = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_FORM_OVERHEAD = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page, in memory."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Controlled:
    """All that the control interface speaks for; the emulators that this sandbox does without are None."""

    run_id: str
    clock: SandboxClock
    bus: EventBus
    presence: Presence
    gemini: GeminiEmulator | None
    discord: DiscordEmulator | None
    addresses: Callable[[], Mapping[str, Any]]
    stop: Callable[[], None]
    cdn_origin: str | None
    page: Mapping[str, PageFile]


def control_app(sandbox: Controlled) -> web.Application:
    """Build the application for the page's port."""
    app = web.Application(middlewares=[guard], client_max_size=MAX_FILES + _FORM_OVERHEAD)
    app.on_response_prepare.append(page_headers(sandbox.cdn_origin))
    stream = EventStream(sandbox.bus, sandbox.presence, sandbox.run_id)
    app.on_shutdown.append(stream.close)
    whole = _WholeRoutes(sandbox)
    app.add_routes(GeminiRoutes(sandbox.gemini).routes())
    app.add_routes(DiscordRoutes(sandbox.discord).routes())
    app.add_routes(whole.routes())
    app.router.add_get("/_sandbox/events", stream.handle, allow_head=False)
    app.add_routes(_PageRoutes(sandbox.page).routes())
    return app


class _WholeRoutes:
    """The rows about the sandbox as a whole."""

    def __init__(self, sandbox: Controlled) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sandbox/state", self._state),
            web.get("/_sandbox/addresses", self._addresses),
            web.put("/_sandbox/clock", self._set_clock),
            web.post("/_sandbox/reset", self._reset),
            web.post("/_sandbox/programs", self._register),
            web.post("/_sandbox/stop", self._stop),
        ]

    async def _state(self, _request: web.Request) -> web.Response:
        sandbox = self._sandbox
        sandbox.presence.touch()
        discord = sandbox.discord.state() if sandbox.discord else {}
        state: Json = {
            **{name: [] for name in ("guilds", "channels", "threads", "users", "commands")},
            **discord,
            "keys": sandbox.gemini.state() if sandbox.gemini else [],
            "run_id": sandbox.run_id,
            "parts": {"gemini": sandbox.gemini is not None, "discord": sandbox.discord is not None},
            "clock": {"now": sandbox.clock.now(), "speed": sandbox.clock.speed},
        }
        return web.json_response(state)

    async def _addresses(self, _request: web.Request) -> web.Response:
        return web.json_response(self._sandbox.addresses())

    async def _set_clock(self, request: web.Request) -> web.Response:
        clock = self._sandbox.clock
        try:
            clock.set_speed((await read_body(request)).number("speed"))
        except ValueError as error:
            raise ControlError("speed must lie above 0 and at most at 10000.") from error
        self._sandbox.bus.publish("clock", {"now": clock.now(), "speed": clock.speed})
        return web.json_response({"now": clock.now(), "speed": clock.speed})

    async def _reset(self, _request: web.Request) -> web.Response:
        if self._sandbox.gemini is not None:
            self._sandbox.gemini.reset()
        if self._sandbox.discord is not None:
            self._sandbox.discord.reset()
        else:
            # the emulated Discord says it by itself
            self._sandbox.bus.publish("reset", {})
        return web.Response(status=204)

    async def _register(self, request: web.Request) -> web.Response:
        pid = (await read_body(request)).optional_count("pid")
        if not pid:
            raise ControlError("pid must be the id of a process.")
        self._sandbox.presence.register(pid)
        return web.Response(status=204)

    async def _stop(self, request: web.Request) -> web.Response:
        if (await read_body(request)).text("run_id") != self._sandbox.run_id:
            raise ControlError("Another run of the sandbox answers here now; it was left running.", 409)
        self._sandbox.stop()
        return web.Response(status=204)


def read_page() -> Mapping[str, PageFile]:
    """Read the page's files; blocks, so call it outside the loop."""
    found = ((path, _TYPES.get(path.suffix)) for path in _PAGE.rglob("*"))
    return {
        path.relative_to(_PAGE).as_posix(): PageFile(path.read_bytes(), content_type)
        for path, content_type in found
        if content_type is not None
    }


class _PageRoutes:
    """The page's files; looked up in a list of what is there, so that no path can lead elsewhere."""

    def __init__(self, files: Mapping[str, PageFile]) -> None:
        self._files = files

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self._serve), web.get("/{path:[a-z0-9./-]+}", self._serve)]

    async def _serve(self, request: web.Request) -> web.Response:
        file = self._files.get(request.match_info.get("path", "index.html"))
        if file is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "no-cache"}
        return web.Response(body=file.content, content_type=file.content_type, charset="utf-8", headers=headers)
