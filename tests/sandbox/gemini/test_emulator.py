"""The emulator as the control interface and the page see it: counts, diary, events, reset, keys."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

import aiohttp
import pytest
from google.genai import errors

from sandbox.clock import SandboxClock
from sandbox.events import Event, EventBus
from sandbox.gemini import GeminiEmulator
from sandbox.gemini.diary import Diary
from tests.sandbox.gemini.conftest import MODEL, Running, Start, until

SPEC = re.compile(r"(north|east|south|west)-[12]@\1:(AQ\.[\w-]{50}|AIza[\w-]{35})")


def test_eight_keys_in_four_projects_are_made_from_the_seed() -> None:
    """The form is Google's, the same seed gives the same keys, another seed others."""

    def specs(seed: int) -> list[str]:
        return GeminiEmulator(SandboxClock(), EventBus(), seed=seed).key_specs()

    assert len(specs(1)) == 8
    assert all(SPEC.fullmatch(spec) for spec in specs(1))
    assert specs(1) == specs(1)
    assert not set(specs(1)) & set(specs(2))


async def test_counts_add_up_with_the_diary(running: Running) -> None:
    """Requests are the generate requests received; errors are those that put a key or the service in the wrong."""
    running.emulator.set_faults([{"kind": "503", "keys": ["a2"]}, {"kind": "safety", "keys": ["b1"]}])
    for number, label in enumerate(["a1", "a2", "b1", "a2", "b2"]):
        with suppress(errors.APIError):
            await running.ask(f"#q-{number}", label)
    await running.client().aio.models.count_tokens(model=MODEL, contents="not counted")
    diary = [entry for entry in running.emulator.diary() if entry["path"].endswith(":generateContent")]
    for state in running.emulator.state():
        own = [entry for entry in diary if entry["key"] == state["label"]]
        assert state["requests"] == len(own)
        assert state["errors"] == sum(entry["outcome"] == "503" for entry in own)
        assert state["in_flight"] == 0
    assert running.key("a2")["kinds"] == {"503": 2}


async def test_an_entry_tells_the_whole_request(running: Running) -> None:
    """When, who, what, how it ended, and what was said."""
    await running.stream("Hi #q-5")
    entry = running.last()
    assert entry["path"] == f"/v1/models/{MODEL}:streamGenerateContent"
    expected = {"key": "a1", "project": "alpha", "model": MODEL, "method": "POST", "status": 200, "stream": True}
    assert {name: entry[name] for name in expected} == expected
    assert entry["turns"] == [{"role": "user", "text": "Hi #q-5", "parts": ["text"]}]
    assert "Hi #q-5" in entry["body"]
    assert entry["outcome"] == "ok"
    assert entry["seconds"] >= 0


async def test_an_entry_tells_instructions_and_safety(running: Running) -> None:
    """The standing instruction as text, the thresholds by category."""
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}]
    await running.ask("Hi #q-6", system_instruction="Be brief.", safety_settings=safety)
    entry = running.last()
    assert entry["system"] == "Be brief."
    assert entry["safety"] == {"HARM_CATEGORY_HARASSMENT": "BLOCK_ONLY_HIGH"}


def test_the_diary_is_bounded_by_entries_and_by_characters() -> None:
    """The oldest leave first."""
    diary = Diary(max_entries=3, max_characters=1_000)
    for number in range(5):
        entry = diary.open(at=0.0, key="k", project="p", path="/", method="POST")
        diary.received(entry, {"contents": [{"parts": [{"text": str(number)}]}]})
    assert [entry["id"] for entry in diary.documents()] == [3, 4, 5]
    big = diary.open(at=0.0, key="k", project="p", path="/", method="POST")
    diary.received(big, {"contents": [{"parts": [{"text": "x" * 2_000}]}]})
    assert [entry["id"] for entry in diary.documents()] == [6]


async def test_changes_are_published(running: Running) -> None:
    """A finished request and the keys, and never a secret."""
    with running.bus.subscribe() as events:
        running.emulator.set_faults([{"kind": "leaked", "keys": ["a2"]}])
        await running.ask("Hi")
        seen: list[Event] = []
        async with asyncio.timeout(5):
            async for event in events:
                seen.append(event)
                kinds = [one.kind for one in seen]
                if "gemini_request" in kinds and kinds.count("keys") >= 2:
                    break
    request = next(event.data for event in seen if event.kind == "gemini_request")
    assert (request["key"], request["status"], "body" in request) == ("a1", 200, False)
    last = [event for event in seen if event.kind == "keys"][-1]
    states = {key["label"]: (key["state"], key["requests"]) for key in last.data["keys"]}
    assert states["a1"] == ("live", 1)
    assert states["a2"][0] == "leaked"
    assert not any(secret in str(seen) for secret in running.secrets.values())


async def test_a_burst_of_changes_is_few_events(running: Running) -> None:
    """At most five a second, and the last one shows the end."""
    with running.bus.subscribe() as events:
        for _ in range(200):
            running.emulator.set_faults([])
        running.emulator.set_faults([{"kind": "hang"}])
        shown: list[str] = []
        async with asyncio.timeout(5):
            async for event in events:
                shown.append(event.data["keys"][0]["state"])
                if shown[-1] == "hanging":
                    break
    assert len(shown) <= 3


async def test_reset_starts_afresh(running: Running) -> None:
    """Faults, counts, quota and diary are gone; the keys are the same."""
    specs = running.emulator.key_specs()
    running.emulator.set_quota("alpha", rpm=1)
    await running.ask("Hi")
    running.emulator.set_faults([{"kind": "500"}])
    running.emulator.reset()
    assert running.emulator.faults() == []
    assert running.emulator.diary() == []
    assert running.key()["requests"] == 0
    assert (await running.ask("Hi")).text
    assert running.emulator.key_specs() == specs


async def test_closing_does_not_wait_for_hanging_requests(start: Start) -> None:
    """The hanging client is cut off at once."""
    running = await start()
    running.emulator.set_faults([{"kind": "hang"}])
    task = asyncio.create_task(running.ask("Hi"))
    await until(lambda: running.key()["in_flight"])
    async with asyncio.timeout(5):
        await running.runner.cleanup()
        with pytest.raises(aiohttp.ClientConnectionError):
            await task
