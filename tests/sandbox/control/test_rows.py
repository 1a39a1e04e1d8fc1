"""Every row of the control interface does what it says, and bad input is one sentence with a 4xx."""

from __future__ import annotations

import io
import json

import aiohttp
import pytest

from sandbox.control_body import MAX_JSON


async def test_the_state_names_everything_there_is(client, box) -> None:
    """Guild, channels, people with roles and language, keys with project and state, the parts that run."""
    async with client.get("/_sandbox/state") as answer:
        state = await answer.json()
    assert state["run_id"] == box.run_id
    assert {"general", "questions"} <= {one["name"] for one in state["channels"]}
    assert {"id", "name", "roles", "locale"} <= state["users"][0].keys()
    assert len(state["keys"]) == 8
    assert {"label", "project", "state", "requests", "errors", "in_flight", "quota"} <= state["keys"][0].keys()
    assert state["parts"] == {"gemini": True, "discord": True}
    assert state["bot"]["online"] is False


async def test_the_addresses_are_complete_and_loopback(client, box) -> None:
    """A program finds both emulators, the keys and the token in one answer."""
    async with client.get("/_sandbox/addresses") as answer:
        found = await answer.json()
    assert found["run_id"] == box.run_id
    for name in ("page", "gemini_base_url", "discord_api", "discord_gateway", "discord_cdn"):
        assert "://127.0.0.1:" in found[name]
    assert all("@" in key and ":" in key for key in found["gemini_keys"])
    assert found["discord_token"] == box.discord.bot_token


async def test_what_a_user_says_is_read_edited_and_deleted(client, general) -> None:
    """A message is answered in Discord's shape, found in the channel, changed by its author and deleted."""
    path = f"/_sandbox/channels/{general}/messages"
    async with client.post(path, json={"content": "hello", "user": "Mina"}) as answer:
        said = await answer.json()
    assert (said["content"], said["author"]["global_name"]) == ("hello", "Mina")
    async with client.post(path, json={"content": "hi", "user": "Ada", "reply_to": said["id"]}) as answer:
        assert (await answer.json())["referenced_message"]["id"] == said["id"]
    async with client.patch(f"{path}/{said['id']}", json={"content": "hello all", "user": "Mina"}) as answer:
        assert (await answer.json())["content"] == "hello all"
    async with client.delete(f"{path}/{said['id']}", json={"user": "Mina"}) as answer:
        assert answer.status == 204
    async with client.get(path) as answer:
        assert [message["content"] for message in await answer.json()] == ["hi"]


async def test_files_come_along_as_multipart(client, general) -> None:
    """Numbered files arrive in their order with name and type, and can be fetched from the emulated file server."""
    form = aiohttp.FormData()
    form.add_field("payload_json", json.dumps({"content": "two files", "user": "Ada"}))
    form.add_field("files[1]", b"second", filename="b.txt", content_type="text/plain")
    form.add_field("files[0]", "第一".encode(), filename="甲.txt", content_type="text/plain")
    path = f"/_sandbox/channels/{general}/messages"
    async with client.post(path, data=form, headers={"X-Sandbox": "1"}) as answer:
        said = await answer.json()
    assert [file["size"] for file in said["attachments"]] == [6, 6]
    async with aiohttp.ClientSession() as other, other.get(said["attachments"][0]["url"]) as answer:
        assert (await answer.read()).decode() == "第一"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("channels/1/messages", {"content": "x", "user": "Ada"}),
        ("channels/{general}/messages", {"content": "x", "user": "Nobody"}),
        ("channels/{general}/messages", {"content": "x"}),
        ("channels/{general}/messages", {"content": ["x"], "user": "Ada"}),
        ("channels/{general}/messages", {"content": "", "user": "Ada"}),
        ("channels/{general}/commands", {"name": "nothing", "user": "Ada"}),
        ("channels/{general}/commands", {"name": "ask", "options": [], "user": "Ada"}),
        ("channels/{general}/autocomplete", {"name": "ask", "focused": "model", "user": "Ada"}),
        ("components", {"message_id": "1", "custom_id": "x", "user": "Ada"}),
        ("components", {"message_id": "1", "custom_id": "x", "user": "Ada", "values": "x"}),
        ("modals", {"interaction_id": "1", "custom_id": "x", "values": {}, "user": "Ada"}),
        ("discord/drop", {"kind": "explode"}),
        ("gemini/keys/north-1", {"action": "explode"}),
        ("gemini/keys/nobody-9", {"action": "kill"}),
        ("programs", {"pid": -1}),
        ("programs", {}),
        ("stop", {"run_id": "another"}),
    ],
)
async def test_a_wrong_request_is_one_sentence(client, general, path, body) -> None:
    """Unknown channels, users, commands and keys, wrong types and missing fields: a 4xx and what to do."""
    async with client.post(f"/_sandbox/{path.format(general=general)}", json=body) as answer:
        assert 400 <= answer.status < 500
        sentence = (await answer.json())["error"]
    assert sentence.endswith(".")
    assert "Traceback" not in sentence


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"[1]", b'"text"', b"null", b"[" * 100_000])
async def test_bad_json_is_one_sentence(client, raw) -> None:
    """What is not a JSON object is refused before anything happens."""
    async with client.post("/_sandbox/reset2", data=raw, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 404
    async with client.put("/_sandbox/clock", data=raw, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"].endswith(".")


async def test_huge_bodies_are_refused(client, general) -> None:
    """More JSON than a person writes, and more file than the platform takes, is a 413 with a sentence."""
    path = f"/_sandbox/channels/{general}/messages"
    letter = io.BytesIO(json.dumps({"content": "x" * MAX_JSON, "user": "Ada"}).encode())
    async with client.post(path, data=letter, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 413
    form = aiohttp.FormData()
    form.add_field("payload_json", json.dumps({"content": "big", "user": "Ada"}))
    form.add_field("files[0]", io.BytesIO(b"x" * (26 * 1024 * 1024)), filename="big.bin")
    async with client.post(path, data=form, headers={"X-Sandbox": "1"}) as answer:
        assert answer.status == 413
        assert "25 MiB" in (await answer.json())["error"]


@pytest.mark.parametrize("names", [("files[1]",), ("file",), ("files[x]",)])
async def test_misnumbered_files_are_refused(client, general, names) -> None:
    """A form whose files have a gap or another name is refused."""
    form = aiohttp.FormData()
    form.add_field("payload_json", json.dumps({"content": "x", "user": "Ada"}))
    for name in names:
        form.add_field(name, b"x", filename="x.txt")
    async with client.post(f"/_sandbox/channels/{general}/messages", data=form, headers={"X-Sandbox": "1"}) as answer:
        assert answer.status == 400


@pytest.mark.parametrize("wait", ["x", "-1", "nan", "inf", "61"])
async def test_a_wait_that_is_no_length_is_refused(client, wait) -> None:
    """Only a number of seconds up to a minute can be waited."""
    async with client.get(f"/_sandbox/interactions/1?wait={wait}") as answer:
        assert answer.status == 400
        assert (await answer.json())["error"].startswith("wait must be")


async def test_faults_are_listed_set_and_refused_whole(client) -> None:
    """A good list is in force and answered back; a bad one changes nothing."""
    faults = [{"keys": ["north-1"], "kind": "503", "probability": 0.5}]
    async with client.put("/_sandbox/gemini/faults", json=faults) as answer:
        assert await answer.json() == faults
    async with client.put("/_sandbox/gemini/faults", json=[{"kind": "nonsense"}]) as answer:
        assert answer.status == 400
    async with client.get("/_sandbox/gemini/faults") as answer:
        assert await answer.json() == faults


async def test_quota_is_set_by_project(client) -> None:
    """A project's limits change; an unknown project or a negative limit is a sentence."""
    async with client.put("/_sandbox/gemini/quota", json={"project": "north", "rpm": 5}) as answer:
        assert answer.status == 200
    for body in ({"project": "atlantis", "rpm": 5}, {"project": "north", "rpm": -1}, {"project": "north", "rpm": "5"}):
        async with client.put("/_sandbox/gemini/quota", json=body) as answer:
            assert 400 <= answer.status < 500


async def test_time_runs_as_fast_as_it_is_told(client, box) -> None:
    """The speed is set and answered; a speed that is none is refused."""
    async with client.put("/_sandbox/clock", json={"speed": 60}) as answer:
        assert (await answer.json())["speed"] == 60
    assert box.clock.speed == 60
    for speed in (0, -1, 1e9, True, "fast", None):
        async with client.put("/_sandbox/clock", json={"speed": speed}) as answer:
            assert answer.status == 400


async def test_a_reset_starts_afresh(client, general) -> None:
    """Messages and faults are gone; the run and the people stay."""
    await client.post(f"/_sandbox/channels/{general}/messages", json={"content": "x", "user": "Ada"})
    await client.put("/_sandbox/gemini/faults", json=[{"kind": "503"}])
    async with client.post("/_sandbox/reset", json={}) as answer:
        assert answer.status == 204
    async with client.get("/_sandbox/gemini/faults") as answer:
        assert await answer.json() == []
    async with client.get(f"/_sandbox/channels/{general}/messages") as answer:
        assert await answer.json() == []


async def test_diaries_and_violations_are_lists(client, box) -> None:
    """A request to the emulated Gemini is in its diary; nobody broke a rule yet."""
    async with aiohttp.ClientSession() as other:
        await other.get(f"{box.gemini_url}/v1beta/models")
    async with client.get("/_sandbox/gemini/diary") as answer:
        assert [entry["path"] for entry in await answer.json()] == ["/v1beta/models"]
    for path in ("discord/diary", "violations"):
        async with client.get(f"/_sandbox/{path}") as answer:
            assert await answer.json() == []


async def test_the_bot_can_be_thrown_out_and_taken_in(client) -> None:
    """The membership is set by a word; another one is refused in a sentence."""
    for state in ("out", "in", "outage", "in"):
        answer = await client.put("/_sandbox/discord/membership", json={"state": state})
        assert answer.status == 204
    answer = await client.put("/_sandbox/discord/membership", json={"state": "away"})
    assert answer.status == 400


async def test_a_key_is_made_that_the_bot_is_not_told_of(client, box) -> None:
    """The emulated Gemini takes it at once; it is in the state, and not in the addresses for the bot."""
    async with client.post("/_sandbox/gemini/keys", json={}) as answer:
        secret = (await answer.json())["secret"]
    async with aiohttp.ClientSession() as other:
        answered = await other.get(f"{box.gemini_url}/v1beta/models", headers={"x-goog-api-key": secret})
        assert answered.status == 200
    async with client.get("/_sandbox/addresses") as answer:
        assert secret not in await answer.text()
    async with client.get("/_sandbox/state") as answer:
        assert "spare-1" in await answer.text()
