"""Where the database is: what people write into DATABASE_URL, understood once.

``parse_address`` gives an ``SqliteAddress`` or a ``PostgresAddress``. Understood are ``sqlite:///data/bot.db`` (from
the working folder), ``sqlite:////var/lib/bot.db`` (absolute), a bare path, ``postgresql://user:password@host/name``
and the same with a driver's name behind ``+``. What always holds: no ``repr`` and no error shows the password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from utils.storage.errors import StorageAddressError

_FORMS = "sqlite:///data/bot.db, a path, or postgresql://user:password@host/name"
#: libpq's spelling on the left, as hosting services hand it out; what asyncpg calls the same on the right
_POSTGRES_OPTIONS = {"host": "host", "port": "port", "ssl": "ssl", "sslmode": "ssl"}


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    """A database file; ``path`` is absolute."""

    path: Path


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A PostgreSQL database; ``place`` is "name on host" for people, ``url`` is for the engine only."""

    place: str
    url: URL = field(repr=False)


def parse_address(text: str) -> SqliteAddress | PostgresAddress:
    """Understand a DATABASE_URL.

    :raises StorageAddressError: it has no form we know, names no file, or asks for an option we do not know.
    """
    text = text.strip()
    if not text:
        raise StorageAddressError(f"DATABASE_URL is empty; write one of {_FORMS}.")
    if "://" not in text:
        return _file(text)
    try:
        url = make_url(text)
    except (SQLAlchemyError, ValueError):
        raise StorageAddressError(f"DATABASE_URL is not understood; write one of {_FORMS}.") from None
    match url.get_backend_name():
        case "sqlite":
            if url.host:
                raise StorageAddressError("DATABASE_URL has two slashes after sqlite: but needs three or four.")
            return _file(url.database or "")
        case "postgresql" | "postgres":
            return _server(url)
        case _:
            raise StorageAddressError(f"DATABASE_URL names a database that is not supported; write one of {_FORMS}.")


def _file(name: str) -> SqliteAddress:
    if not name or name == ":memory:" or "\0" in name:
        raise StorageAddressError("DATABASE_URL must name a file, such as sqlite:///data/bot.db.")
    return SqliteAddress(Path(name).expanduser().absolute())


def _server(url: URL) -> PostgresAddress:
    query: dict[str, str | tuple[str, ...]] = {}
    for name, value in url.query.items():
        if name not in _POSTGRES_OPTIONS:
            known = ", ".join(_POSTGRES_OPTIONS)
            raise StorageAddressError(f"DATABASE_URL has an option that is not known; only {known} are.")
        query[_POSTGRES_OPTIONS[name]] = value
    if not url.database:
        raise StorageAddressError("DATABASE_URL names no database; write postgresql://user:password@host/name.")
    host = url.host or query.get("host") or "localhost"
    shown = host if isinstance(host, str) else ", ".join(host)
    return PostgresAddress(
        place=f"{url.database} on {shown}", url=url.set(drivername="postgresql+asyncpg", query=query)
    )
