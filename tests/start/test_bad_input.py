"""What keeps the bot from starting: one sentence that says what to do, an exit code, no traceback, no secret."""

from __future__ import annotations

import os
import socket
import sqlite3

import discord
import pytest

from bot import explain, main
from sandbox.server import ServerOptions, running
from tests.start.conftest import only_sentence

TOKEN = "canary-token-of-the-bot"
KEY = "canary-key-of-gemini"
BOTH = {"DISCORD_TOKEN": TOKEN, "GEMINI_API_KEY": KEY}


@pytest.fixture
def start(tmp_path, monkeypatch, capsys):
    """Give what runs the bot's main function in an environment of its own; answers code and stderr."""

    def run(*arguments: str, **variables: str) -> tuple[int, str]:
        monkeypatch.chdir(tmp_path)
        here = {"PATH": os.defpath, "DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}"}
        monkeypatch.setattr(os, "environ", here | variables)
        code = main(arguments)
        out, errors = capsys.readouterr()
        assert "canary" not in out + errors
        return code, only_sentence(errors)

    return run


@pytest.mark.parametrize(
    ("arguments", "variables", "named"),
    [
        ((), {}, ".env.example"),
        ((), {"GEMINI_API_KEYS": KEY}, "--sandbox discord"),
        (("--auto",), {"DISCORD_TOKEN": TOKEN}, "--sandbox gemini"),
        ((), {"DISCORD_TOKEN": "canary\ntoken", "GEMINI_API_KEYS": KEY}, "DISCORD_TOKEN"),
        ((), {**BOTH, "GEMINI_API_KEYS": "canary\nkey"}, "GEMINI_API_KEYS"),
        ((), {**BOTH, "GEMINI_API_KEY_1": "canary-ключ"}, "GEMINI_API_KEY_1"),
        ((), {**BOTH, "LOG_LEVEL": "canary"}, "LOG_LEVEL"),
        ((), {**BOTH, "RETENTION_DAYS": "canary"}, "RETENTION_DAYS"),
        ((), {**BOTH, "MASTER_KEYS": "canary-master-key"}, "Entry 1 of MASTER_KEYS"),
        ((), {**BOTH, "MASTER_KEY_FILE": "/dev/null/key"}, "/dev/null/key"),
        ((), {**BOTH, "MASTER_KEY_FILE": "master.key"}, "MASTER_KEY_FILE"),
        ((), {**BOTH, "DATABASE_URL": "mysql://u:canary-password@host/name"}, "DATABASE_URL"),
        ((), {**BOTH, "DATABASE_URL": "sqlite:////dev/null/bot.db"}, "/dev/null"),
        (("--sandbox-url", "http://127.0.0.1:9"), {}, "--sandbox-url"),
    ],
)
def test_a_wrong_configuration_is_named(start, arguments, variables, named):
    """Exit code 2 and the name of what has to be mended."""
    code, sentence = start(*arguments, **variables)
    assert code == 2
    assert named in sentence


def test_a_newer_database_is_named(start, tmp_path):
    """A database that a newer version wrote is left alone."""
    path = tmp_path / "newer.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.commit()
    database.close()
    code, sentence = start(**BOTH, DATABASE_URL=f"sqlite:///{path}")
    assert code == 2
    assert "newer" in sentence


async def test_a_process_ends_with_the_code_and_the_sentence(launch):
    """What main answers is what the shell sees."""
    code, out, errors = await (await launch()).end()
    assert code == 2
    assert out == ""
    assert "DISCORD_TOKEN" in only_sentence(errors)


async def test_a_taken_port_is_named(launch):
    """When the page's port is taken, the sentence names it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, errors = await (await launch("--sandbox", "--port", str(port))).end()
    assert code == 2
    assert str(port) in only_sentence(errors)


async def test_a_refused_token_is_named_after_one_try(launch):
    """A token that Discord refuses: one attempt, exit code 2, the variable's name."""
    async with running(ServerOptions(port=0)) as box:
        assert box.discord is not None
        box.discord.faults.refuse_token()
        code, _, errors = await (await launch("--sandbox-url", box.page_url)).end()
        assert len(box.discord.diary()) == 1
    assert code == 2
    assert "DISCORD_TOKEN" in only_sentence(errors)


async def test_a_refused_intent_names_the_switch(launch):
    """A message-content intent that is not allowed: the sentence names what to do instead."""
    async with running(ServerOptions(port=0)) as box:
        assert box.discord is not None
        box.discord.faults.refuse_intent("message_content")
        code, _, errors = await (await launch("--sandbox-url", box.page_url)).end()
        assert code == 2
        assert "MESSAGE_CONTENT_INTENT=off" in only_sentence(errors)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (discord.ClientException(), 1, "cannot be reached"),
        (ConnectionRefusedError(), 1, "cannot be reached"),
        (TimeoutError(), 1, "cannot be reached"),
        (discord.LoginFailure("secret"), 2, "DISCORD_TOKEN"),
        (discord.PrivilegedIntentsRequired(None), 2, "MESSAGE_CONTENT_INTENT=off"),
        (ZeroDivisionError("secret"), 1, "unexpected"),
    ],
)
def test_every_error_at_the_start_has_a_sentence(error, code, words):
    """Whatever comes, there is an exit code that is not 0 and a sentence without the error's own text."""
    given, sentence = explain(error)
    assert given == code
    assert words in sentence
    assert "secret" not in sentence
