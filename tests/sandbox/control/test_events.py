"""The stream of events: begins with the run, carries what changes, beats while nothing does, ends with the sandbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from sandbox.control_events import EventStream, Presence, frame
from sandbox.events import Event, EventBus


async def read_event(stream: aiohttp.StreamReader) -> tuple[str, Any]:
    """The next event of a stream, comments and settings left out."""
    kind = ""
    async for raw in stream:
        line = raw.decode().rstrip("\n")
        if line.startswith("event: "):
            kind = line[7:]
        elif line.startswith("data: "):
            return kind, json.loads(line[6:])
    raise AssertionError("the stream ended")


async def test_a_reader_is_greeted_and_told_what_changes(client, box, general) -> None:
    """First the run's id, then each change in Discord's shape."""
    async with client.get("/_sandbox/events") as stream:
        assert stream.content_type == "text/event-stream"
        assert await read_event(stream.content) == ("hello", {"run_id": box.run_id})
        await client.post(f"/_sandbox/channels/{general}/messages", json={"content": "行\n二", "user": "Ada"})
        kind, data = await read_event(stream.content)
        while kind != "message_create":
            kind, data = await read_event(stream.content)
        assert (data["content"], data["channel_id"]) == ("行\n二", general)


async def test_a_key_that_is_killed_is_told(client) -> None:
    """The keys' new state follows an action."""
    async with client.get("/_sandbox/events") as stream:
        await read_event(stream.content)
        await client.post("/_sandbox/gemini/keys/north-1", json={"action": "kill"})
        kind, data = await read_event(stream.content)
        assert kind == "keys"
        assert next(key["state"] for key in data["keys"] if key["label"] == "north-1") == "dead"


async def test_a_quiet_stream_beats(client, box) -> None:
    """Without news a comment goes out, so that both ends notice a dead connection."""
    stream = EventStream(EventBus(), Presence(lambda: 0.0), "run", heartbeat_s=0.01)
    chunks = stream._chunks(_never())
    assert await anext(chunks) == b": still here\n\n"
    await stream.close()
    assert [chunk async for chunk in chunks] == []


async def _never() -> AsyncIterator[Event]:
    await asyncio.Event().wait()
    yield Event("never", {})


def test_an_event_is_one_data_line() -> None:
    """Line breaks inside the data cannot end an event early."""
    assert frame(Event("a", {"text": "x\n\nevent: b"})) == b'event: a\ndata: {"text": "x\\n\\nevent: b"}\n\n'


async def test_nobody_is_there_only_when_nobody_is(monkeypatch) -> None:
    """A reader, a living program or a connected bot keep the sandbox from being idle."""
    now, online = [0.0], [False]
    presence = Presence(lambda: now[0], lambda: online[0])
    now[0] = 100.0
    assert presence.idle_s() == 100.0
    with presence.reader():
        assert presence.idle_s() == 0.0
    now[0] = 150.0
    assert presence.idle_s() == 50.0
    online[0] = True
    assert presence.idle_s() == 0.0
    online[0] = False
    child = await asyncio.create_subprocess_exec("sleep", "60")
    presence.register(child.pid)
    now[0] = 200.0
    assert presence.idle_s() == 0.0
    child.kill()
    await child.wait()
    now[0] = 230.0
    assert presence.idle_s() == 30.0
