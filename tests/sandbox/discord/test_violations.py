"""Every kind of violation, tripped by a client that misbehaves: exactly it, and nothing else.

``CASES`` holds one misbehaviour per kind; a test compares it with the table of kinds, so that none goes untried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sandbox.discord import KINDS
from tests.sandbox.discord.conftest import Json, Raw, RawGateway, Server, ServerMaker, until

ASK: Json = {"name": "ask", "description": "ask", "options": []}
PICK: Json = {
    "name": "pick",
    "description": "pick",
    "options": [{"name": "model", "description": "m", "type": 3, "autocomplete": True}],
}
QUIET: Json = {"allowed_mentions": {"parse": []}}


async def ask(raw: Raw) -> Json:
    """Call /ask and return the interaction as the bot gets it."""
    await raw.register(ASK)
    gateway = await raw.ready_gateway()
    raw.server.emulator.invoke(raw.server.channel("general"), name="ask", user="Mina")
    return await gateway.event("INTERACTION_CREATE")


async def send(raw: Raw, **body: Any) -> tuple[int, Any]:
    return await raw.call("POST", f"/channels/{raw.server.channel('general')}/messages", {**QUIET, **body})


async def expired(raw: Raw, interaction: Json) -> None:
    """Wait until an interaction is over."""
    while True:
        shown = await raw.server.emulator.interaction(interaction["id"], wait_s=1)
        if shown["expired"]:
            return


async def ack_missing(raw: Raw) -> None:
    await expired(raw, await ask(raw))


async def ack_late(raw: Raw) -> None:
    interaction = await ask(raw)
    await expired(raw, interaction)
    status, body = await raw.respond(interaction, 5)
    assert (status, body["code"]) == (404, 10062)


async def second_response(raw: Raw) -> None:
    interaction = await ask(raw)
    await raw.respond(interaction, 5)
    status, body = await raw.respond(interaction, 4, {"content": "again"})
    assert (status, body["code"]) == (400, 40060)


async def token_expired(raw: Raw) -> None:
    interaction = await ask(raw)
    await raw.respond(interaction, 5)
    raw.server.ahead_s = 901
    path = raw.hook(interaction, "/messages/@original")
    status, body = await raw.call("PATCH", path, {"content": "late"})
    assert (status, body["code"]) == (401, 50027)


async def autocomplete_choices(raw: Raw) -> None:
    await raw.register(PICK)
    gateway = await raw.ready_gateway()
    emulator, general = raw.server.emulator, raw.server.channel("general")
    asking = asyncio.create_task(emulator.autocomplete(general, name="pick", options={}, focused="model", user="Mina"))
    interaction = await gateway.event("INTERACTION_CREATE")
    many = [{"name": str(n), "value": str(n)} for n in range(26)]
    status, body = await raw.respond(interaction, 8, {"choices": many})
    assert (status, body["code"]) == (400, 50035)
    await raw.respond(interaction, 8, {"choices": many[:25]})
    assert len(await asking) == 25


async def ephemeral_by_channel(raw: Raw) -> None:
    interaction = await ask(raw)
    _, body = await raw.respond(interaction, 4, {"content": "secret", "flags": 64})
    message_id = body["resource"]["message"]["id"]
    path = f"/channels/{interaction['channel_id']}/messages/{message_id}"
    assert (await raw.call("PATCH", path, {"content": "louder"}))[0] == 404


async def body_limit(raw: Raw) -> None:
    status, body = await send(raw, content="x" * 2001)
    assert (status, body["code"]) == (400, 50035)
    assert "content" in body["errors"]


async def mention_everyone(raw: Raw) -> None:
    _, body = await send(raw, content="hi @everyone", allowed_mentions={"parse": ["everyone"]})
    assert body["mention_everyone"] is False


async def mention_role(raw: Raw) -> None:
    role = next(r["id"] for r in raw.server.emulator.state()["roles"] if r["name"] == "Member")
    _, body = await send(raw, content=f"<@&{role}>", allowed_mentions={"parse": ["roles"]})
    assert body["mention_roles"] == [role]


async def mention_user(raw: Raw) -> None:
    _, body = await send(raw, content=f"<@{raw.server.user('Mina')}>", allowed_mentions=None)
    assert [user["username"] for user in body["mentions"]] == ["mina"]


async def thread_locked(raw: Raw) -> None:
    general = raw.server.channel("general")
    _, thread = await raw.call("POST", f"/channels/{general}/threads", {"name": "t", "type": 11})
    raw.server.emulator.archive_thread(thread["id"], archived=True, locked=True)
    for _ in range(2):
        status, body = await raw.call("POST", f"/channels/{thread['id']}/messages", {"content": "x", **QUIET})
        assert (status, body["code"]) == (403, 160005)


async def edit_rate(raw: Raw) -> None:
    _, message = await send(raw, content="0")
    path = f"/channels/{message['channel_id']}/messages/{message['id']}"
    statuses = [(await raw.call("PATCH", path, {"content": str(n), **QUIET}))[0] for n in range(6)]
    assert statuses == [200] * 5 + [429]


async def provoked_429(raw: Raw) -> None:
    statuses = [(await send(raw, content=str(n)))[0] for n in range(6)]
    assert statuses == [200] * 5 + [429]


async def provoked_400(raw: Raw) -> None:
    status, body = await send(raw)
    assert (status, body["code"]) == (400, 50006)


async def provoked_401(raw: Raw) -> None:
    for _ in range(2):
        assert (await raw.call("GET", "/users/@me", token="nonsense"))[0] == 401


async def provoked_403(raw: Raw) -> None:
    raw.server.emulator.take_permission(raw.server.channel("general"), "SEND_MESSAGES")
    for _ in range(2):
        status, body = await send(raw, content="x")
        assert (status, body["code"]) == (403, 50013)


async def provoked_404(raw: Raw) -> None:
    status, body = await raw.call("GET", "/channels/123")
    assert (status, body["code"]) == (404, 10003)


async def unknown_route(raw: Raw) -> None:
    assert (await raw.call("POST", "/users/@me/superpowers", {}))[0] == 404


async def frame_rate(raw: Raw) -> None:
    gateway = await raw.ready_gateway()
    for _ in range(120):
        await gateway.send(1, None)
    assert await gateway.closed() == 4008


async def frame_size(raw: Raw) -> None:
    gateway = await raw.ready_gateway()
    await gateway.send(3, {"status": "x" * 4096})
    assert await gateway.closed() == 4002


async def frame_malformed(raw: Raw) -> None:
    gateway = await raw.ready_gateway()
    await gateway.socket.send_str("not json")
    assert await gateway.closed() == 4002


async def identify_rate(raw: Raw) -> None:
    for _ in range(raw.server.emulator._limits.identifies):
        await raw.ready_gateway()
    gateway = await raw.gateway()
    await gateway.identify(raw.server.emulator.bot_token)
    assert (await gateway.until(lambda f: f["op"] == 9))["d"] is False


async def _silent(raw: Raw, gateway: RawGateway) -> None:
    assert await gateway.closed() == 4009


async def heartbeat_missing(raw: Raw) -> None:
    await _silent(raw, await raw.ready_gateway())


async def heartbeat_unanswered(raw: Raw) -> None:
    gateway = await raw.ready_gateway()
    raw.server.emulator.drop_gateway("heartbeat")
    await _silent(raw, gateway)


async def schema_request(raw: Raw) -> None:
    assert (await send(raw, content="x", flags="many?"))[0] == 400


Case = Callable[[Raw], Awaitable[None]]
BUCKETS: Json = {"bucket_scale": 1}
CASES: dict[str, tuple[Case, Json, list[str]]] = {
    "ack_missing": (ack_missing, {"ack_s": 0.05}, []),
    "ack_late": (ack_late, {"ack_s": 0.05}, ["ack_missing"]),
    "second_response": (second_response, {}, []),
    "token_expired": (token_expired, {}, []),
    "autocomplete_choices": (autocomplete_choices, {}, []),
    "ephemeral_by_channel": (ephemeral_by_channel, {}, []),
    "body_limit": (body_limit, {}, []),
    "mention_everyone": (mention_everyone, {}, []),
    "mention_role": (mention_role, {}, []),
    "mention_user": (mention_user, {}, []),
    "thread_locked": (thread_locked, {}, []),
    "edit_rate": (edit_rate, BUCKETS, []),
    "provoked_400": (provoked_400, {}, []),
    "provoked_401": (provoked_401, {}, []),
    "provoked_403": (provoked_403, {}, []),
    "provoked_404": (provoked_404, {}, []),
    "provoked_429": (provoked_429, BUCKETS, []),
    "unknown_route": (unknown_route, {}, []),
    "frame_rate": (frame_rate, {}, []),
    "frame_size": (frame_size, {}, []),
    "frame_malformed": (frame_malformed, {}, []),
    "identify_rate": (identify_rate, {}, []),
    "heartbeat_missing": (heartbeat_missing, {"heartbeat_s": 0.02, "heartbeat_grace_s": 0.02}, []),
    "heartbeat_unanswered": (heartbeat_unanswered, {"heartbeat_grace_s": 0.02}, []),
}
SCHEMA_KINDS = {"schema_request", "schema_answer"}


@pytest.mark.parametrize("kind", CASES)
async def test_a_misbehaving_client_trips_exactly_its_kind(
    make_server: ServerMaker, open_raw: Callable[[Server], Raw], kind: str
):
    """The kind is recorded once, with what it was about and by which request."""
    case, limits, before = CASES[kind]
    server = await make_server(**limits)
    await case(open_raw(server))
    wanted = [*before, kind]
    await until(lambda: [k for k in server.kinds if k not in SCHEMA_KINDS] == wanted, f"{server.kinds}")
    server.expected = server.kinds
    last = [v for v in server.emulator.violations() if v["kind"] == kind][-1]
    assert set(last) == {"kind", "at", "detail", "request"}
    assert last["detail"].startswith(KINDS[kind])
    assert last["request"]


def test_every_kind_has_its_case():
    """The table of kinds and the misbehaviours tried are the same; the description's kinds are tried in test_schema."""
    assert set(KINDS) == set(CASES) | SCHEMA_KINDS
