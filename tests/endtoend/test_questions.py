"""A person asks and is answered, whatever happens to the keys."""

from __future__ import annotations

import sys
import time
from collections import Counter

import pytest

from tests.endtoend.conftest import StartBot
from tests.endtoend.processes import Control, text_of


async def test_ask_is_answered_with_streamed_text(control: Control, start_bot: StartBot) -> None:
    """/ask is acknowledged within the platform's 3 seconds and its answer carries the question's id."""
    await start_bot()
    interaction = await control.command("ask", {"prompt": "Say hello #q-1"})
    await control.answered(interaction)
    seen = await control.get(f"interactions/{interaction}")
    assert seen["acknowledged_ms"] < 3000
    assert "#q-1" in seen["responses"][-1]["content"]


@pytest.mark.timeout(400)  # two hundred answers one after another, each written as a person would see it
async def test_two_hundred_questions_over_eight_keys_of_which_four_are_broken(
    control: Control, start_bot: StartBot
) -> None:
    """Every answer carries its own question's id, no question waits longer than the hung key's limit, figures agree."""
    first_byte_s = 2.0
    await start_bot(GEMINI_POOL_FIRST_BYTE_S=str(first_byte_s))
    channel = await control.channel()
    labels = [key["label"] for key in (await control.get("state"))["keys"]]
    assert len(labels) == 8
    faults = [
        {"keys": [labels[0]], "kind": "invalid"},
        {"keys": [labels[2]], "kind": "503"},
        {"keys": [labels[3]], "kind": "hang"},
    ]
    await control.send("PUT", "gemini/faults", faults)
    slowest = 0.0
    for number in range(200):
        if number == 60:
            await control.send("PUT", "gemini/faults", [*faults, {"keys": [labels[1]], "kind": "leaked"}])
        begun = time.monotonic()
        text = await control.ask(f"Question #q-{number}", channel=channel)
        slowest = max(slowest, time.monotonic() - begun)
        assert f"Answer to #q-{number}:" in text
    # the limit of the hung key, and what an answer of the emulator takes to be written and shown
    assert slowest <= first_byte_s + 3.0
    await _figures_agree_with_the_diary(control)


async def _figures_agree_with_the_diary(control: Control) -> None:
    diary = [
        entry for entry in await control.get("gemini/diary") if entry["model"] and "enerateContent" in entry["path"]
    ]
    asked = Counter(entry["key"] for entry in diary)
    wrong = Counter(entry["key"] for entry in diary if entry["outcome"] != "ok")
    failed = wrong.total()
    shown = text_of((await control.answered(await control.command("api-key-stats", {}, user="Ada")))[-1])
    pool = text_of((await control.answered(await control.command("pool-stats", {}, user="Ada")))[-1])
    state = await control.get("state")
    assert {key["label"]: key["requests"] for key in state["keys"]} == dict(asked)
    assert str(len(diary)) in shown.replace(",", "")
    assert str(failed) in shown
    assert str(len(diary)) in pool.replace(",", "")
    for label, count in asked.items():
        # NAME  STATE  REQUESTS  ERROR RATE  ...
        row = next(line.split() for line in shown.splitlines() if line.split()[:1] == [label])
        assert int(row[2].replace(",", "")) == count, row
        assert row[3] == f"{wrong[label] / count:.0%}", row


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_a_thousand_questions_with_the_limits_as_they_are(control: Control, start_bot: StartBot) -> None:
    """The same keys broken, for a thousand questions at the shipped limits; prints how long the slowest waited."""
    await start_bot()
    channel = await control.channel()
    labels = [key["label"] for key in (await control.get("state"))["keys"]]
    broken = zip(labels, ("invalid", "leaked", "503", "hang"), strict=False)
    await control.send("PUT", "gemini/faults", [{"keys": [label], "kind": kind} for label, kind in broken])
    waits = []
    for number in range(1000):
        begun = time.monotonic()
        assert f"Answer to #q-{number}:" in await control.ask(f"Question #q-{number}", channel=channel)
        waits.append(time.monotonic() - begun)
    waits.sort()
    sys.stdout.write(f"\nmedian {waits[500]:.2f} s, p99 {waits[990]:.2f} s, slowest {waits[-1]:.2f} s\n")
    assert waits[-1] <= 10.0 + 3.0
    await _figures_agree_with_the_diary(control)
