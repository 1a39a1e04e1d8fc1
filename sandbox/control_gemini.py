"""The control interface's rows about the emulated Gemini: faults, what to do to one key, quota, diary.

``key_faults`` is the pure part: what a person does to a key, as a change of the list of faults. What always holds: an
action on a key replaces what was done to it by itself before, and leaves faults about other keys, projects and models
in force; ``heal`` takes the key out of every fault that names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from sandbox.control_body import read_body, read_json
from sandbox.control_guard import ControlError
from sandbox.gemini import GeminiEmulator

Json = dict[str, Any]

#: What a person can do to a key, and the fault that it is; heal is the absence of all of them.
ACTIONS: Mapping[str, Json | None] = {
    "kill": {"kind": "invalid"},
    "leak": {"kind": "leaked"},
    "throttle": {"kind": "429"},
    "slow": {"kind": "slow", "factor": 8},
    "hang": {"kind": "hang"},
    "flap": {"kind": "503", "probability": 0.5},
    "heal": None,
}


def key_faults(faults: Sequence[Json], label: str, action: str) -> list[Json]:
    """The list of faults after an action on one key; raises ControlError for an unknown action."""
    if action not in ACTIONS:
        raise ControlError(f"action must be one of {', '.join(ACTIONS)}.")
    kept: list[Json] = []
    for fault in faults:
        named = fault.get("keys") or []
        if label not in named:
            kept.append(fault)
        elif others := [one for one in named if one != label]:
            kept.append({**fault, "keys": others})
    done = ACTIONS[action]
    # first in the list: the first fault that matches a request is the one that strikes
    return kept if done is None else [{**done, "keys": [label]}, *kept]


class GeminiRoutes:
    """The handlers; ``emulator`` is None when this sandbox runs without its Gemini."""

    def __init__(self, emulator: GeminiEmulator | None) -> None:
        self._emulator = emulator

    def routes(self) -> list[web.RouteDef]:
        """The rows of the table."""
        return [
            web.get("/_sandbox/gemini/faults", self._get_faults),
            web.put("/_sandbox/gemini/faults", self._put_faults),
            web.get("/_sandbox/gemini/diary", self._diary),
            web.put("/_sandbox/gemini/quota", self._put_quota),
            web.post("/_sandbox/gemini/keys", self._make_key),
            web.post("/_sandbox/gemini/keys/{label}", self._act),
        ]

    @property
    def _gemini(self) -> GeminiEmulator:
        if self._emulator is None:
            raise ControlError("This sandbox runs without its Gemini; start it with --parts all.", 404)
        return self._emulator

    async def _get_faults(self, _request: web.Request) -> web.Response:
        return web.json_response(self._gemini.faults())

    async def _put_faults(self, request: web.Request) -> web.Response:
        return self._set(await read_json(request))

    async def _act(self, request: web.Request) -> web.Response:
        label = request.match_info["label"]
        if label not in {key["label"] for key in self._gemini.state()}:
            raise ControlError(f"No emulated key is called {label!r}; GET /_sandbox/state lists them.", 404)
        action = (await read_body(request)).text("action")
        return self._set(key_faults(self._gemini.faults(), label, action))

    async def _make_key(self, _request: web.Request) -> web.Response:
        return web.json_response({"secret": self._gemini.make_key()})

    def _set(self, faults: object) -> web.Response:
        try:
            self._gemini.set_faults(faults)
        except ValueError as error:
            raise ControlError(_sentence(error)) from error
        return web.json_response(self._gemini.faults())

    async def _put_quota(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        project = body.text("project")
        if project not in {key["project"] for key in self._gemini.state()}:
            raise ControlError(f"No emulated project is called {project!r}; GET /_sandbox/state lists them.", 404)
        limits = {name: body.optional_count(name) for name in ("rpm", "tpm", "rpd")}
        self._gemini.set_quota(project, body.optional_text("model"), **limits)
        return web.json_response(self._gemini.state())

    async def _diary(self, _request: web.Request) -> web.Response:
        return web.json_response(self._gemini.diary())


def _sentence(error: ValueError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
