"""What the REST interface answers to raw requests: bodies, permissions, commands, users."""

from __future__ import annotations

import io
from collections.abc import Callable

import aiohttp
import pytest

from tests.sandbox.discord.conftest import Json, Raw, Server, ServerMaker

QUIET: Json = {"allowed_mentions": {"parse": []}}


async def test_both_api_versions_are_served(raw: Raw, server: Server):
    """v9 and v10 are spelled the same here; the answer's type has no charset."""
    headers = {"Authorization": f"Bot {server.emulator.bot_token}"}
    for version in ("v9", "v10"):
        async with raw.session.get(f"{server.base}/api/{version}/users/@me", headers=headers) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "application/json"


async def test_limits_travel_in_headers(make_server: ServerMaker, open_raw: Callable[[Server], Raw]):
    """discord.py reads them instead of guessing."""
    server = await make_server(bucket_scale=1)
    raw = open_raw(server)
    url = f"{server.base}/api/v10/channels/{server.channel('general')}/messages"
    headers = {"Authorization": f"Bot {server.emulator.bot_token}"}
    async with raw.session.post(url, json={"content": "x", **QUIET}, headers=headers) as response:
        assert response.headers["X-RateLimit-Limit"] == "5"
        assert response.headers["X-RateLimit-Remaining"] == "4"
        assert float(response.headers["X-RateLimit-Reset-After"]) == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize(
    ("raw_body", "code"),
    [("{", 50109), ("[]", 50006), ('{"embeds": 7}', 50035), ('{"message_reference": {"message_id": "1"}}', 50035)],
)
async def test_malformed_bodies_are_refused(raw: Raw, server: Server, raw_body: str, code: int):
    """Each is 400 with Discord's code and never breaks the emulator."""
    path = f"/channels/{server.channel('general')}/messages"
    status, body = await raw.call("POST", path, data=aiohttp.StringPayload(raw_body, content_type="application/json"))
    assert (status, body["code"]) == (400, code)
    server.expected = server.kinds
    assert [kind for kind in server.kinds if not kind.startswith("schema")] == ["provoked_400"]


async def test_a_request_over_the_limit_is_too_large(raw: Raw, server: Server):
    """A file above 10 MiB is refused with 413."""
    form = aiohttp.FormData()
    form.add_field("payload_json", '{"content": "x", "allowed_mentions": {"parse": []}}')
    form.add_field("files[0]", io.BytesIO(bytes(10 * 1024 * 1024 + 1)), filename="big.bin")
    status, body = await raw.call("POST", f"/channels/{server.channel('general')}/messages", data=form)
    assert (status, body["code"]) == (413, 40005)
    server.expected = ["body_limit"]


async def test_commands_keep_their_ids_by_name(raw: Raw, server: Server):
    """Replacing a set keeps what is there; single commands can be added, changed and removed."""
    app = server.emulator.state()["bot"]["id"]
    base = f"/applications/{app}/commands"
    _, first = await raw.call("PUT", base, [{"name": "a", "description": "one"}])
    _, second = await raw.call("PUT", base, [{"name": "b", "description": "x"}, {"name": "a", "description": "two"}])
    assert second[1]["id"] == first[0]["id"]
    status, added = await raw.call("POST", base, {"name": "c", "description": "three"})
    assert status == 201
    _, changed = await raw.call("PATCH", f"{base}/{added['id']}", {"description": "four"})
    assert (changed["id"], changed["description"]) == (added["id"], "four")
    assert (await raw.call("GET", f"{base}/{added['id']}"))[1]["description"] == "four"
    assert (await raw.call("DELETE", f"{base}/{added['id']}"))[0] == 204
    guild = f"/applications/{app}/guilds/{server.emulator.guild_id}/commands"
    await raw.call("PUT", guild, [{"name": "local", "description": "here"}])
    assert [c["name"] for c in server.emulator.state()["commands"]] == ["local", "b", "a"]


@pytest.mark.parametrize("name", ["Upper", "two words", "sym+bol"])
async def test_command_names_are_checked(raw: Raw, server: Server, name: str):
    """Chat commands are lower case and one word, of any script."""
    app = server.emulator.state()["bot"]["id"]
    status, _ = await raw.call("PUT", f"/applications/{app}/commands", [{"name": name, "description": "d"}])
    assert status == 400
    server.expected = ["provoked_400"]
    status, _ = await raw.call("PUT", f"/applications/{app}/commands", [{"name": "連接池統計", "description": "d"}])
    assert status == 200


async def test_the_surroundings_can_be_fetched(raw: Raw, server: Server):
    """Guild, channels, roles, members and users, as far as the bot sees them."""
    guild = f"/guilds/{server.emulator.guild_id}"
    assert (await raw.call("GET", guild))[1]["name"] == "Sandbox"
    assert len((await raw.call("GET", f"{guild}/channels"))[1]) == 4
    assert {role["name"] for role in (await raw.call("GET", f"{guild}/roles"))[1]} >= {"Admin", "Member"}
    mina = server.user("Mina")
    assert (await raw.call("GET", f"{guild}/members/{mina}"))[1]["user"]["id"] == mina
    assert (await raw.call("GET", f"/users/{mina}"))[1]["username"] == "mina"
    assert (await raw.call("GET", "/gateway"))[1]["url"].startswith("ws://127.0.0.1")


async def test_a_message_of_somebody_else_cannot_be_edited(raw: Raw, server: Server):
    """403 with code 50005."""
    said = server.emulator.say(server.channel("general"), content="mine", user="Mina")
    path = f"/channels/{said['channel_id']}/messages/{said['id']}"
    status, body = await raw.call("PATCH", path, {"content": "ours"})
    assert (status, body["code"]) == (403, 50005)
    server.expected = ["provoked_403"]


async def test_a_followup_before_the_acknowledgement_has_no_webhook(raw: Raw, server: Server):
    """The token works only after the first answer."""
    await raw.register({"name": "ask", "description": "d"})
    gateway = await raw.ready_gateway()
    server.emulator.invoke(server.channel("general"), name="ask", user="Mina")
    interaction = await gateway.event("INTERACTION_CREATE")
    status, body = await raw.call("POST", raw.hook(interaction), {"content": "early", **QUIET})
    assert (status, body["code"]) == (404, 10015)
    server.expected = ["provoked_404"]


@pytest.mark.parametrize(
    "body",
    [{"type": 6}, {"type": 8, "data": {"choices": []}}, {"type": 5, "data": {"flags": 64 | 4}}],
)
async def test_a_first_answer_of_the_wrong_kind_is_refused_and_can_be_mended(raw: Raw, server: Server, body: Json):
    """A refused answer leaves the interaction open."""
    await raw.register({"name": "ask", "description": "d"})
    gateway = await raw.ready_gateway()
    made = server.emulator.invoke(server.channel("general"), name="ask", user="Mina")
    interaction = await gateway.event("INTERACTION_CREATE")
    assert (await raw.respond(interaction, body["type"], body.get("data")))[0] == 400
    assert (await raw.respond(interaction, 4, {"content": "mended", **QUIET}))[0] == 200
    assert (await server.emulator.interaction(made))["responses"][0]["content"] == "mended"
    server.expected = ["provoked_400"]


async def test_answers_are_deleted_by_token(raw: Raw, server: Server):
    """The original is gone for everybody, and is no longer among the responses."""
    await raw.register({"name": "ask", "description": "d"})
    gateway = await raw.ready_gateway()
    made = server.emulator.invoke(server.channel("general"), name="ask", user="Mina")
    interaction = await gateway.event("INTERACTION_CREATE")
    await raw.respond(interaction, 4, {"content": "gone soon", **QUIET})
    assert (await raw.call("DELETE", raw.hook(interaction, "/messages/@original")))[0] == 204
    assert (await server.emulator.interaction(made))["responses"] == []
    assert server.texts(server.channel("general")) == []


async def test_the_diary_keeps_every_request(raw: Raw, server: Server):
    """When, method, path, status and the body in short; never the token."""
    await raw.call("POST", f"/channels/{server.channel('general')}/messages", {"content": "hi", **QUIET})
    entry = server.emulator.diary()[-1]
    assert (entry["method"], entry["status"]) == ("POST", 200)
    assert '"content": "hi"' in entry["body"]
    assert server.emulator.bot_token not in str(server.emulator.diary())


async def test_v2_messages_take_no_content(raw: Raw, server: Server):
    """Content, embeds and polls are refused with the flag, which is never taken off again."""
    path = f"/channels/{server.channel('general')}/messages"
    text = {"type": 10, "content": "hello"}
    status, body = await raw.call("POST", path, {"content": "x", "flags": 32768, "components": [text], **QUIET})
    assert (status, body["code"]) == (400, 50035)
    _, message = await raw.call("POST", path, {"flags": 32768, "components": [text], **QUIET})
    _, edited = await raw.call("PATCH", f"{path}/{message['id']}", {"flags": 0, "components": [text], **QUIET})
    assert edited["flags"] & 32768
    server.expected = ["provoked_400"]


async def test_many_messages_are_deleted_by_a_moderator_only(raw: Raw, server: Server):
    """Bulk deletion needs Manage Messages."""
    general = server.channel("general")
    said = [server.emulator.say(general, content=str(n), user="Mina")["id"] for n in range(3)]
    server.emulator.give_permission(general, "MANAGE_MESSAGES")
    status, _ = await raw.call("POST", f"/channels/{general}/messages/bulk-delete", {"messages": said[:2]})
    assert status == 204
    assert server.texts(general) == ["2"]
