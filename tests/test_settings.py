"""Configuration: where it comes from, what is refused, and that `.env.example` tells the truth about it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from utils.settings import (
    POOL_NAMES,
    Settings,
    SettingsError,
    environment,
    gemini_secrets,
    has_gemini_keys,
    load_settings,
    without_gemini_keys,
)

ROOT = Path(__file__).parents[1]


def test_the_environment_overlays_the_file_and_is_never_written(tmp_path, monkeypatch):
    """A variable of the process wins over `.env`; reading leaves the process environment as it was."""
    (tmp_path / ".env").write_text("LOG_LEVEL=DEBUG\nGEMINI_API_KEY=a$b${HOME}c\nEMPTY\n", encoding="utf-8")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    before = dict(os.environ)
    values = environment(tmp_path)
    assert values["LOG_LEVEL"] == "ERROR"
    assert values["GEMINI_API_KEY"] == "a$b${HOME}c", "a secret with a dollar sign arrives as it stands"
    assert "EMPTY" not in values
    assert dict(os.environ) == before


def test_the_working_folder_is_read_when_no_folder_is_named(tmp_path, monkeypatch):
    """Without a folder, `.env` of the working folder is read, not one beside the code."""
    (tmp_path / ".env").write_text("GEMINI_MODEL=gemini-x", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GEMINI_MODEL", raising=False)
    assert environment()["GEMINI_MODEL"] == "gemini-x"


def test_an_unreadable_file_is_one_sentence(tmp_path):
    """A `.env` that is no text is named, without a word of its content."""
    (tmp_path / ".env").write_bytes(b"DISCORD_TOKEN=\xff\xfe\x00secret")
    with pytest.raises(SettingsError, match="readable UTF-8 text file") as caught:
        environment(tmp_path)
    assert "secret" not in str(caught.value)


def test_defaults_serve_an_empty_environment():
    """With nothing configured there is a valid object: no token, SQLite, the intent asked for."""
    settings = load_settings({})
    assert settings.discord_token is None
    assert settings.database_url == "sqlite:///data/bot.db"
    assert settings.message_content_intent is True
    assert settings.admin_ids == frozenset()
    assert (settings.retention_days, settings.master_keys) == (30, None)


def test_every_field_is_read_from_its_variable():
    """All fields take their value from the variable of the same name, in the forms people write."""
    settings = load_settings(
        {
            "DISCORD_TOKEN": " abc.def ",
            "DATABASE_URL": "postgresql://u:pw@h/n",
            "MESSAGE_CONTENT_INTENT": "off",
            "GEMINI_MODEL": "gemini-4-carbon",
            "LOG_LEVEL": "debug",
            "MASTER_KEY_FILE": "/run/secrets/master",
            "MASTER_KEYS": "bWFzdGVy",
            "RETENTION_DAYS": "0",
            "ADMIN_IDS": "1, 2 3,",
            "UNKNOWN": "x",
        }
    )
    assert settings.discord_token is not None
    assert settings.discord_token.reveal() == "abc.def"
    assert settings.message_content_intent is False
    assert (settings.gemini_model, settings.log_level) == ("gemini-4-carbon", "DEBUG")
    assert settings.admin_ids == {1, 2, 3}
    assert (settings.master_key_file, settings.retention_days) == (Path("/run/secrets/master"), 0)
    assert settings.master_keys is not None
    assert settings.master_keys.reveal() == "bWFzdGVy"


def test_the_process_environment_is_not_read_behind_the_back(monkeypatch):
    """Settings are made of what is given and of nothing else."""
    monkeypatch.setenv("GEMINI_MODEL", "from-the-environment")
    assert load_settings({}).gemini_model == "gemini-4-hydrogen"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISCORD_TOKEN", "secr3t\nvalue"),
        ("DISCORD_TOKEN", "secr3t värde"),
        ("MESSAGE_CONTENT_INTENT", "secr3t"),
        ("GEMINI_MODEL", "secr3t model"),
        ("LOG_LEVEL", "secr3t"),
        ("ADMIN_IDS", "secr3t"),
        ("RETENTION_DAYS", "secr3t"),
        ("RETENTION_DAYS", "-1"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_variable(name, value):
    """The sentence names the variable and what to write; what was written stays out of it."""
    with pytest.raises(SettingsError, match=f"^{name} is not valid: write .+\\.$") as caught:
        load_settings({name: value})
    assert "secr3t" not in str(caught.value)
    assert caught.value.__context__ is None


def test_settings_are_frozen_and_show_no_secret():
    """A field cannot be changed, and neither the token nor the database's password shows in `repr`."""
    settings = load_settings(
        {"DISCORD_TOKEN": "tok-en.value", "DATABASE_URL": "postgresql://u:pass-word@h/n", "MASTER_KEYS": "mas-ter"}
    )
    assert "mas-ter" not in repr(settings)
    assert "tok-en" not in repr(settings)
    assert "pass-word" not in repr(settings)
    with pytest.raises(ValidationError):
        settings.log_level = "DEBUG"


def test_the_example_file_names_exactly_what_is_read():
    """`.env.example` and the code name the same variables, each after a comment."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    pairs = dict(re.findall(r"^([A-Z0-9_]+)=(.*)$", text, flags=re.MULTILINE))
    assert set(pairs) == {field.upper() for field in Settings.model_fields} | POOL_NAMES
    assert load_settings(pairs) == load_settings({})
    for name in Settings.model_fields:
        above = text.split(f"\n{name.upper()}=")[0].rsplit("\n\n", 1)[-1]
        assert above.lstrip().startswith("#"), f"{name.upper()} has no comment"


def test_keys_are_seen_taken_out_and_known_as_secrets():
    """All forms of keys count as keys; without them nothing of the Gemini configuration is left."""
    variables = {
        "GEMINI_API_KEYS": "north@alpha:key-one, key-two",
        "GEMINI_API_KEY_12": "key-three",
        "GEMINI_API_KEY_12_PROJECT": "alpha",
        "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:1",
        "GEMINI_POOL_ALERT_WEBHOOK": "https://hooks.example/token",
        "GEMINI_MODEL": "m",
    }
    assert has_gemini_keys(variables)
    assert not has_gemini_keys({"GEMINI_API_KEYS": " ", "GEMINI_API_KEY_1_PROJECT": "alpha"})
    assert {secret.reveal() for secret in gemini_secrets(variables)} == {
        "key-one",
        "key-two",
        "key-three",
        "https://hooks.example/token",
    }
    assert without_gemini_keys(variables) == {"GEMINI_MODEL": "m"}
