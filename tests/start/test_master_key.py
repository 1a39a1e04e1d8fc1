"""The master key from the start's side: made once, refused where others can read it, renewed by one command."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot import Options, StartError, compose, main
from tests.start.conftest import only_sentence
from utils.gemini_pool import gemini_pool, install_default_pool
from utils.security import Redactor, Secret
from utils.security.masterkeys import MasterKeys
from utils.storage import open_storage

BOTH = {"DISCORD_TOKEN": "canary-token-of-the-bot", "GEMINI_API_KEY": "canary-key-of-gemini"}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Give what runs the bot's main function in an environment of its own; answers code, stdout and stderr."""

    def run(*arguments: str, **variables: str) -> tuple[int, str, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(os, "environ", {"PATH": os.defpath} | variables)
        code = main(arguments)
        out, errors = capsys.readouterr()
        assert "canary" not in out + errors
        return code, out, errors

    return run


def test_a_key_that_others_can_read_stops_the_start(run, tmp_path):
    """Exit code 2 and the command that mends it."""
    MasterKeys(tmp_path / ".keys" / "master.key").create()
    (tmp_path / ".keys" / "master.key").chmod(0o644)
    code, _, errors = run(**BOTH, DATABASE_URL=f"sqlite:///{tmp_path / 'data' / 'bot.db'}")
    assert code == 2
    assert "chmod 600" in only_sentence(errors)


def test_a_new_master_key_is_put_on_top_without_a_start(run, tmp_path):
    """Nothing else is needed or done; the sentence says what to do next, and no key is shown."""
    keys = MasterKeys(tmp_path / ".keys" / "master.key")
    first = keys.create()
    code, out, errors = run("--new-master-key")
    assert (code, errors) == (0, "")
    ring = keys.load()
    assert ring is not None
    assert ring.ids[1:] == first.ids
    assert ring.ids[0] in out
    assert "start the bot" in out
    lines = (tmp_path / ".keys" / "master.key").read_text().splitlines()
    assert not any(line in out for line in lines if not line.startswith("#"))
    assert not (tmp_path / "data").exists()


def test_keys_of_the_environment_are_not_renewed_by_the_command(run):
    """The sentence says where to put a new one."""
    code, _, errors = run("--new-master-key", MASTER_KEYS="canary-key")
    assert code == 2
    assert "MASTER_KEYS" in only_sentence(errors)


async def test_a_start_with_stored_keys_alone_needs_no_key_in_the_environment(tmp_path, monkeypatch):
    """With a token and keys that were added while running, the bot is built; without any it says what is missing."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'data' / 'bot.db'}"
    keys = MasterKeys(tmp_path / ".keys" / "master.key")
    variables = {"DISCORD_TOKEN": "canary-token", "DATABASE_URL": url, "MASTER_KEY_FILE": str(keys.path)}
    monkeypatch.setattr(os, "environ", variables)
    options = Options(part=None, url=None, port=None, keep=False, auto=False)
    async with AsyncExitStack() as stack:
        with pytest.raises(StartError, match="--sandbox gemini"):
            await compose(options, Redactor(), stack)
    assert not keys.path.exists()
    async with open_storage(url, keys=keys) as storage:
        await storage.vault.add(Secret("canary-key", "x"), name="north", project=None, actor_id=1)
    async with AsyncExitStack() as stack:
        stack.callback(install_default_pool, None)
        made, _ = await compose(options, Redactor(), stack)
        assert gemini_pool.get_api_key_stats()["total_keys"] == 1
        await made.close()


async def test_what_people_say_is_encrypted_from_the_first_start_on(launch, control, tmp_path):
    """Without a word of configuration: the key is its owner's only, and no file of the data holds what was said."""
    bot = await launch("--auto", "--port", "0")
    page = await bot.page()
    await bot.line("ready")
    world = control(page)
    body = {"name": "ask", "options": {"prompt": "MARKER #q-1"}, "user": "Mina"}
    general = await world.channel("general")
    await world.send("POST", f"channels/{general}/commands", body)
    await world.said(general, "#q-1")
    bot.signal(signal.SIGTERM)
    await bot.end()
    assert stat.S_IMODE((tmp_path / ".keys" / "sandbox.key").stat().st_mode) == 0o600
    stored = await asyncio.to_thread(_files, tmp_path / "data")
    assert b"MARKER" not in stored
    assert b"messages" in stored


def _files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("sandbox.db*"))
