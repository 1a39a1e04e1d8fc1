"""A process killed in the middle of writing loses nothing that was acknowledged, and its file is whole."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.storage.conftest import Asker
from utils.storage import StorageInUseError, open_storage

_ROOT = Path(__file__).parents[2]


@contextmanager
def _child(path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.storage.child_writer", str(path)]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            yield child
        finally:
            child.kill()


@pytest.mark.parametrize("seed", range(10))
async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path, seed: int):
    path = tmp_path / "bot.db"
    lines = random.Random(seed).randint(1, 200)
    with _child(path) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        said += child.stdout.readlines()
    acknowledged = {line.rstrip("\n") for line in said if line.endswith("\n")}
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        stored = file.execute("SELECT source_id, state FROM turns").fetchall()
    present = {f"asked {source}" for source, _ in stored}
    present |= {f"answered {source}" for source, state in stored if state == "answered"}
    assert len(acknowledged) >= lines
    assert acknowledged - present == set()
    async with open_storage(str(path)) as storage:
        conversation = await storage.conversations.find_conversation(11)
        assert conversation is not None
        history = await storage.conversations.history(conversation.id, max_messages=100_000)
        answered = [source for source, state in stored if state == "answered"]
        assert sorted(message.text for message in history if message.role == "model") == sorted(
            f"{source}!" for source in answered
        )
        assert sum(day.requests for day in await storage.conversations.usage(7)) == len(answered)
        assert len(await storage.conversations.unfinished()) == len(stored) - len(answered)
        await Asker(storage).ask(conversation, "and on it goes")


async def test_a_file_in_use_is_refused_until_its_owner_is_dead(tmp_path: Path):
    """A second process gets a sentence with the ways out; the lock of a killed one is no lock."""
    path = tmp_path / "bot.db"
    with _child(path) as child:
        with pytest.raises(StorageInUseError, match="PostgreSQL server, or the address of the other one's gateway"):
            async with open_storage(str(path)):
                pass
        child.kill()
        child.wait()
        async with open_storage(str(path)) as storage:
            assert await storage.conversations.find_conversation(11) is not None


async def test_a_file_is_refused_to_a_second_storage_of_the_same_process(tmp_path: Path):
    path = str(tmp_path / "bot.db")
    async with open_storage(path):
        with pytest.raises(StorageInUseError):
            async with open_storage(path):
                pass
    async with open_storage(path):
        pass
