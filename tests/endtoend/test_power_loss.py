"""The power goes at random moments of a conversation: only what was synced survives, and every question has one answer.

The bot's writes to its database and log are recorded with their syncs (``badday``). At a random moment it is killed,
and its files become what a disk may hold then: all that was synced, and of the rest each 512-byte sector of each write
and each cut by its own chance, so that unsynced writes are lost, torn and out of order. A new process starts on that.
Not modelled: a disk that lies about its syncs, that damages what was synced, and names of files that are not synced
(SQLite syncs the folder itself); Discord and Gemini stay. That the model can lose something is a test of its own.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.endtoend.badday import Machine
from tests.endtoend.conftest import StartBot
from tests.endtoend.processes import Control, eventually
from tests.endtoend.test_kills import LONGEST_S, Talk

_SCRIPT = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute(f"PRAGMA synchronous = {sys.argv[2]}")
connection.execute("CREATE TABLE IF NOT EXISTS said (number INTEGER)")
for number in range(1_000_000):
    connection.execute("INSERT INTO said VALUES (?)", (number,))
    print(number, flush=True)
"""


async def power_lost_over_and_over(
    control: Control, start_bot: StartBot, machine: Machine, database: Path, *, losses: int, seed: int
) -> None:
    """Lose the power so many times while somebody talks with the bot, and count the answers in the end."""
    dice = random.Random(seed)
    talk = Talk(control, dice)
    environment = machine.environment(recorded=True)
    bot = await start_bot(**environment)
    await talk.begin()
    for _ in range(losses):
        await talk.ask()
        await asyncio.sleep(dice.uniform(0, LONGEST_S))
        await bot.stop(signal.SIGKILL)
        machine.after_power_loss(dice)
        check(database)
        if dice.random() < 0.4:
            await talk.ask()
        bot = await start_bot(**environment)
    await eventually(talk.settled, seconds=60)
    # whatever is doubled is doubled by something that comes late
    await asyncio.sleep(1.0)
    answers = await talk.answers()
    counts = talk.counts(answers)
    # for the table of a long run
    sys.stdout.write(
        json.dumps({"seed": seed, "losses": losses, "questions": counts.total(), "answers": counts}) + "\n"
    )
    assert set(counts) == {1}, (seed, [message["content"][:80] for message in answers])
    await bot.stop()
    with closing(sqlite3.connect(database)) as file:
        whole = "SELECT turn_id FROM messages WHERE role = 'model' AND replaced_at IS NULL GROUP BY turn_id"
        assert file.execute(f"{whole} HAVING count(*) > 1").fetchall() == []
        assert file.execute("SELECT count(*) FROM turns WHERE delivered_at IS NULL").fetchone() == (0,)


def check(database: Path) -> None:
    """Read what the loss left as a new process would, and find it whole."""
    # the shared memory beside the log is no file of the disk's
    database.with_name(f"{database.name}-shm").unlink(missing_ok=True)
    copy = database.with_name("copy.db")
    for ending in ("", "-wal"):
        there = database.with_name(f"{database.name}{ending}")
        if there.exists():
            copy.with_name(f"{copy.name}{ending}").write_bytes(there.read_bytes())
    with closing(sqlite3.connect(copy)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    for left in copy.parent.glob("copy.db*"):
        left.unlink()


@pytest.mark.timeout(400)  # four starts of the bot, and the talk between them
async def test_every_question_has_one_answer_through_losses_of_power(
    control: Control, start_bot: StartBot, machine: Machine, tmp_path: Path
) -> None:
    """Three losses, at moments that are the same each time."""
    database = tmp_path / "data" / "sandbox.db"
    await power_lost_over_and_over(control, start_bot, machine, database, losses=3, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(200, 210))
async def test_every_question_has_one_answer_through_a_hundred_losses_of_power(
    control: Control, start_bot: StartBot, machine: Machine, tmp_path: Path, seed: int
) -> None:
    """The long form."""
    database = tmp_path / "data" / "sandbox.db"
    await power_lost_over_and_over(control, start_bot, machine, database, losses=10, seed=seed)


def lost(library: Path, folder: Path, synchronous: str, seed: int) -> int:
    """Write rows until the power goes; gives how many of those that were acknowledged are not there afterwards."""
    path = folder / "said.db"
    machine = Machine(library, folder, "said.db", "said.db-wal")
    with subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(path), synchronous],
        env=machine.environment(recorded=True),
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        dice = random.Random(seed)
        said = [writer.stdout.readline() for _ in range(dice.randint(1, 300))]
        writer.kill()
        said += writer.stdout.readlines()
    machine.after_power_loss(dice)
    acknowledged = sum(line.endswith("\n") for line in said)
    check(path)
    with closing(sqlite3.connect(path)) as file:
        # the table itself may be lost
        is_there = file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        stored = file.execute("SELECT count(*) FROM said").fetchone()[0] if is_there else 0
    return int(max(0, acknowledged - stored))


def test_the_model_loses_what_was_not_synced_and_nothing_else(badday_library: Path, tmp_path: Path) -> None:
    """Over four losses: nothing with the setting that the bot's storage has, much with the one that SQLite advises."""
    losses = {}
    for synchronous in ("FULL", "NORMAL"):
        folders = [tmp_path / f"{synchronous}-{seed}" for seed in range(4)]
        for folder in folders:
            folder.mkdir()
        losses[synchronous] = [lost(badday_library, folder, synchronous, n) for n, folder in enumerate(folders)]
    assert sum(losses["FULL"]) == 0
    assert sum(losses["NORMAL"]) > 0
