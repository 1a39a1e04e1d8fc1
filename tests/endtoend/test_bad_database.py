"""The database fails while people talk: every question is answered, or told why, and all is well again afterwards.

The bot is a process of its own whose system calls fail on order (``badday``); the lock is held by another process. What
must hold for each fault, whether it comes before a question or in the middle of an answer: within thirty seconds there
is the answer or one sentence, never both and never two; no turn is left half stored; the next question after the fault
is answered without a restart.
"""

from __future__ import annotations

import asyncio
import errno
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.badday import Machine
from tests.endtoend.conftest import StartBot
from tests.endtoend.processes import CURSOR, Control, eventually, text_of

_SENTENCE = "database"
_LONGEST_S = 30.0

#: By name: what writing fails with, and reading.
FAULTS = {"full": (errno.ENOSPC, 0), "read-only": (errno.EROFS, 0), "gone": (errno.EIO, errno.EIO)}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the bot of this test keeps what it stores."""
    return tmp_path / "data" / "sandbox.db"


def turns(database: Path) -> list[dict[str, Any]]:
    """Read the turns from outside, with how many questions and answers each has."""
    counted = "(SELECT count(*) FROM messages m WHERE m.turn_id = t.id AND role = ? AND replaced_at IS NULL)"
    query = f"SELECT state, error_kind, delivered_at, {counted} AS asked, {counted} AS answers FROM turns t ORDER BY id"  # noqa: S608 - our own words
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query, ("user", "model"))]


async def all_whole(database: Path, *, states: list[str]) -> None:
    """Wait until the turns have these states, each delivered, and none is half stored."""

    async def look() -> bool:
        found = turns(database)
        return [turn["state"] for turn in found] == states and all(turn["delivered_at"] for turn in found)

    await eventually(look)
    for turn in turns(database):
        assert turn["asked"] == 1
        assert turn["answers"] == (turn["state"] == "answered")


async def told(control: Control, interaction: str) -> str:
    """Give what the asker reads in the end: one message, in time."""
    found = await control.answered(interaction, seconds=_LONGEST_S)
    assert len(found) == 1
    return text_of(found[0])


async def said_after(control: Control, channel: str, content: str) -> list[dict[str, Any]]:
    """Say something and give what the bot says to it, once it is whole."""
    before = {message["id"] for message in await control.messages(channel)}
    said = await control.say(channel, content)

    async def look() -> list[dict[str, Any]]:
        new = [m for m in await control.messages(channel) if m["id"] not in {*before, said["id"]}]
        return [] if any(m["content"].endswith(CURSOR) for m in new) else new

    return list(await eventually(look, seconds=_LONGEST_S))


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_question_in_a_fault_is_told_why_and_the_next_is_answered(
    control: Control, start_bot: StartBot, machine: Machine, database: Path, fault: str
) -> None:
    """A command, a direct message and a mention each get one sentence; talk among people gets none."""
    bot = await start_bot(**machine.environment())
    assert "#q-1" in await control.ask("hello #q-1")
    general, direct = await control.channel(), await control.channel("Mina")
    before = len(await control.messages(general))

    write, read = FAULTS[fault]
    machine.order(write=write, read=read)
    assert _SENTENCE in await told(control, await control.command("ask", {"prompt": "hello #q-2"}))
    assert [_SENTENCE in m["content"] for m in await said_after(control, direct, "hello #q-3")] == [True]
    mention = f"<@{(await control.get('state'))['bot']['id']}>"
    await control.say(general, "what a day")
    assert [_SENTENCE in m["content"] for m in await said_after(control, general, f"{mention} hello #q-4")] == [True]

    machine.order()
    assert "#q-5" in await control.ask("hello #q-5")
    assert "#q-6" in (await said_after(control, direct, "hello #q-6"))[0]["content"]
    answers = [m for m in (await control.messages(general))[before:] if m["author"].get("bot")]
    assert sum("#q-5" in m["content"] for m in answers) == 1
    await all_whole(database, states=["answered"] * 3)
    assert "Traceback" not in bot.text, bot.text


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_answer_in_the_middle_of_a_fault_is_whole_and_is_stored_later(
    control: Control, start_bot: StartBot, machine: Machine, database: Path, fault: str
) -> None:
    """The person reads the whole answer and nothing else; once the database is back it is the turn's."""
    bot = await start_bot(**machine.environment())
    await control.send("PUT", "gemini/faults", [{"kind": "slow", "factor": 2}])
    interaction = await control.command("ask", {"prompt": "write 150 words #q-1"})

    async def begun() -> bool:
        return any(CURSOR in str(one.get("content")) for one in await control.responses(interaction))

    await eventually(begun)
    write, read = FAULTS[fault]
    machine.order(write=write, read=read)
    answer = await told(control, interaction)
    assert "#q-1" in answer
    assert _SENTENCE not in answer
    assert [turn["state"] for turn in turns(database)] == ["answering"]

    machine.order()
    await all_whole(database, states=["answered"])
    await control.send("PUT", "gemini/faults", [])
    assert await told(control, interaction) == answer
    assert "Traceback" not in bot.text, bot.text


@asynccontextmanager
async def locked(database: Path) -> AsyncIterator[Callable[[], None]]:
    """Hold the database's lock in another process; gives what ends it."""
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
    )
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(database), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert await holder.stdout.readline() == b"locked\n"
    try:
        yield holder.stdin.close
    finally:
        holder.stdin.close()
        await holder.wait()


async def test_a_database_that_another_process_locks_for_ten_seconds(
    control: Control, start_bot: StartBot, database: Path
) -> None:
    """What is asked in the lock is acknowledged in time and told why; what was being answered is whole and kept."""
    await start_bot()
    await control.send("PUT", "gemini/faults", [{"kind": "slow", "factor": 2}])
    running = await control.command("ask", {"prompt": "write 150 words #q-1"})

    async def begun() -> bool:
        return any(CURSOR in str(one.get("content")) for one in await control.responses(running))

    await eventually(begun)
    async with locked(database) as unlock:
        asyncio.get_running_loop().call_later(10.0, unlock)
        waiting = await control.command("ask", {"prompt": "hello #q-2"})
        assert _SENTENCE in await told(control, waiting)
        assert (await control.get(f"interactions/{waiting}"))["acknowledged_ms"] < 3000
        assert "#q-1" in await told(control, running)
    assert "#q-3" in await control.ask("hello #q-3")
    await all_whole(database, states=["answered"] * 2)
