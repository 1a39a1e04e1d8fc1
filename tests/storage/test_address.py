"""DATABASE_URL is understood in every usual form, and a wrong one gets a sentence without the password."""

from __future__ import annotations

from pathlib import Path

import pytest

from utils.storage import StorageAddressError
from utils.storage.address import PostgresAddress, SqliteAddress, parse_address


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sqlite:///data/bot.db", Path.cwd() / "data/bot.db"),
        ("sqlite+aiosqlite:///data/bot.db", Path.cwd() / "data/bot.db"),
        ("sqlite:////var/lib/bot.db", Path("/var/lib/bot.db")),
        (" data/bot.db ", Path.cwd() / "data/bot.db"),
        ("/var/lib/a b?#%20.db", Path("/var/lib/a b?#%20.db")),
        ("~/bot.db", Path.home() / "bot.db"),
    ],
)
def test_a_file_is_named_by_url_or_path(text: str, path: Path):
    assert parse_address(text) == SqliteAddress(path)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg2"])
def test_a_server_is_named_in_the_ways_hosting_services_write_it(scheme: str):
    address = parse_address(f"{scheme}://ann:s3cret@db.example:5433/bot?sslmode=require")
    assert isinstance(address, PostgresAddress)
    assert address.place == "bot on db.example"
    assert (address.url.drivername, address.url.port, address.url.password) == ("postgresql+asyncpg", 5433, "s3cret")
    assert dict(address.url.query) == {"ssl": "require"}
    assert "s3cret" not in repr(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sqlite://",
        "sqlite://data/s3cret.db",
        "sqlite:///:memory:",
        "mysql://ann:s3cret@host/bot",
        "postgresql://ann:s3cret@host",
        "postgresql://ann:s3cret@host:port/bot",
        "postgresql://ann:s3cret@host/bot?s3cret=1",
        "://s3cret",
    ],
)
def test_a_wrong_address_gets_one_sentence_without_the_password(text: str):
    with pytest.raises(StorageAddressError) as refusal:
        parse_address(text)
    message = str(refusal.value)
    assert message.startswith("DATABASE_URL")
    assert message.endswith(".")
    assert "s3cret" not in message
    assert refusal.value.__cause__ is None
