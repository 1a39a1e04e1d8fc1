"""Discord's description as a judge: what fits, what does not, and the known mismatches of discord.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.clock import SandboxClock
from sandbox.discord import KINDS, DiscordEmulator, SchemaCheck
from sandbox.events import EventBus
from tests.sandbox.discord.conftest import BotMaker, Raw, Server
from tests.sandbox.openapi import OPENAPI, schema_check

_MESSAGE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "content": {"type": "string"},
        "message_reference": {"type": "object", "properties": {"message_id": {"type": "string"}}},
        "component": {
            "oneOf": [
                {"properties": {"type": {"const": 1}}},
                {"properties": {"type": {"const": 2}, "label": {"properties": {"text": {"type": "string"}}}}},
            ]
        },
        "attachments": {"items": {"properties": {"id": {"$ref": "#/components/schemas/Id"}}}},
    },
}
_DESCRIPTION: dict[str, Any] = {
    "paths": {
        "/channels/{channel_id}/messages": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": _MESSAGE}}},
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"required": ["colour"]}}}},
                    "4XX": {"$ref": "#/components/responses/Error"},
                },
            }
        },
        "/users/@me": {"get": {"responses": {"200": {}}}},
    },
    "components": {
        "schemas": {"Id": {"type": "string"}},
        "responses": {"Error": {"content": {"application/json": {"schema": {"required": ["code"]}}}}},
    },
}
SEND = ("POST", "/channels/{channel_id}/messages")


@pytest.fixture
def check(tmp_path: Path) -> SchemaCheck:
    """A judge with a small description of its own."""
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(_DESCRIPTION), encoding="utf-8")
    return SchemaCheck(path)


def test_a_request_that_does_not_fit_is_named(check: SchemaCheck):
    """The sentence tells the place."""
    assert check.request(*SEND, {"content": "x"}) == []
    assert check.request(*SEND, {"content": 1}) == ['content: 1 is not of type "string"']
    assert check.request("GET", "/users/@me", {}) == []
    assert check.request("GET", "/nowhere", {}) == ["GET /nowhere is not described"]


def test_an_answer_is_judged_by_its_status(check: SchemaCheck):
    """Errors fall under 4XX; a status that is not described does not fit."""
    assert check.answer(*SEND, 200, {"colour": 1}) == []
    assert check.answer(*SEND, 200, {}) == ['the body: "colour" is a required property']
    assert check.answer(*SEND, 404, {"message": "x"}) == ['the body: "code" is a required property']
    assert check.answer(*SEND, 204, None) == [f"{SEND[0]} {SEND[1]} answers 204, which is not described"]


def test_of_alternatives_the_nearest_one_is_told(check: SchemaCheck):
    """Not the first of them, and not that none fits."""
    [sentence] = check.request(*SEND, {"content": "x", "component": {"type": 2, "label": {"text": 5}}})
    assert sentence == 'component.label.text: 5 is not of type "string"'


def test_numeric_ids_of_discord_py_are_known(check: SchemaCheck):
    """Discord takes them as numbers too."""
    assert check.request(*SEND, {"message_reference": {"message_id": 1}, "attachments": [{"id": 0}]}) == []


async def test_mismatches_become_violations(server: Server, raw: Raw, check: SchemaCheck):
    """Both sides are judged: the client's request and the emulator's own answer."""
    emulator = DiscordEmulator(SandboxClock(), EventBus(), schema=check)
    assert emulator.bot_token == server.emulator.bot_token
    server.emulator._schema = check
    server.emulator.reset()
    status, _ = await raw.call("POST", f"/channels/{server.channel('general')}/messages", {"content": 5})
    assert status == 200
    server.expected = ["schema_request", "schema_answer"]
    assert {kind in KINDS for kind in server.kinds} == {True}


@pytest.mark.skipif(schema_check() is None, reason=f"Discord's description is not at {OPENAPI}")
async def test_every_route_is_described(server: Server, start_bot: BotMaker):
    """No route of the emulator is its own invention."""
    await start_bot(server)
    check = schema_check()
    assert check is not None
    routes = server.emulator._parts.rest._router._routes
    missing = [
        sentence for r in routes for sentence in check.request(r.method, r.template, {}) if "described" in sentence
    ]
    assert missing == []
