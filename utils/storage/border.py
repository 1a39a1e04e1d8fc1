"""The one place where foreign errors become ours.

``translating()`` wraps whatever touches a database; ``translate`` names the error by SQLite's result code or by
PostgreSQL's SQLSTATE. What always holds: a ``StorageError`` and whatever is no database's error pass unchanged; the
message says what to do; a cause is kept only when its text cannot hold a parameter's value (asyncpg quotes the
argument it refuses, so the cause of a refused argument is dropped). Engines are made with ``hide_parameters``.
The sentences for faults of the setup are here too, since only the border knows which fault it was.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from utils.storage.errors import (
    MissingRowError,
    NotOurDatabaseError,
    StorageAccessError,
    StorageBusyError,
    StorageDataError,
    StorageError,
    StorageFullError,
    StorageUnavailableError,
)

_Fault = tuple[type[StorageError], str]

_DISK_FULL: _Fault = (StorageFullError, "The disk that holds the database is full; free some room and try again.")
_MISSING: _Fault = (MissingRowError, "This was deleted in the meantime, so nothing can be added to it.")
_REFUSED: _Fault = (StorageDataError, "The database refused a value; this is a fault of the program, so report it.")
_DAMAGED: _Fault = (
    StorageDataError,
    "The database file is damaged; stop the program and restore the file from a backup.",
)
_NOT_A_DATABASE: _Fault = (
    NotOurDatabaseError,
    "The file named by DATABASE_URL is not an SQLite database; name another file.",
)
_NO_FILE: _Fault = (
    StorageAccessError,
    "The database file cannot be opened; check that DATABASE_URL names a file in a folder this user may write to.",
)
_READ_ONLY: _Fault = (
    StorageAccessError,
    "The database file cannot be written to; give this user the right to write to it and to its folder.",
)
_BUSY: _Fault = (
    StorageBusyError,
    "Another program holds the database file locked; close that program and try again.",
)
_IO: _Fault = (
    StorageUnavailableError,
    "The disk that holds the database answers with errors; check the disk, then try again.",
)
_NO_SERVER: _Fault = (
    StorageUnavailableError,
    "The PostgreSQL server cannot be reached; check that it runs and that DATABASE_URL names it rightly.",
)
_NO_LOGIN: _Fault = (
    StorageAccessError,
    "The PostgreSQL server refused the login; check user, password and rights in DATABASE_URL.",
)
_NO_DATABASE: _Fault = (
    StorageAccessError,
    "The PostgreSQL server has no database of the name given in DATABASE_URL; create it first.",
)
_UNKNOWN: _Fault = (
    StorageUnavailableError,
    "The database could not do what was asked; see the log, and try again.",
)

#: By the primary result code of SQLite, https://www.sqlite.org/rescode.html
_SQLITE: dict[int, _Fault] = {
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_IOERR: _IO,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_FULL: _DISK_FULL,
    sqlite3.SQLITE_CANTOPEN: _NO_FILE,
    sqlite3.SQLITE_CONSTRAINT: _REFUSED,
    sqlite3.SQLITE_TOOBIG: _REFUSED,
    sqlite3.SQLITE_NOTADB: _NOT_A_DATABASE,
}

#: By SQLSTATE, the longest matching prefix first, https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES: tuple[tuple[str, _Fault], ...] = (
    ("23503", _MISSING),
    ("42501", _NO_LOGIN),
    ("53100", _DISK_FULL),
    ("3D000", _NO_DATABASE),
    ("08", _NO_SERVER),
    ("22", _REFUSED),
    ("23", _REFUSED),
    ("28", _NO_LOGIN),
    ("53", _NO_SERVER),
    ("57", _NO_SERVER),
)


def translate(error: Exception) -> StorageError | None:
    """Give our error for a database's one, or None when ``error`` is not a database's.

    The answer's cause is the foreign error, unless that may quote a value.
    """
    ours = _name(error)
    if ours is not None and not isinstance(ours, StorageDataError):
        ours.__cause__ = error
    return ours


@contextmanager
def translating() -> Iterator[None]:
    """Let only ``StorageError`` out of the block, besides errors that are no database's.

    :raises StorageError: what ``translate`` makes of the foreign error.
    """
    try:
        yield
    except Exception as error:
        ours = None if isinstance(error, StorageError) else translate(error)
        if ours is None:
            raise
        raise ours from ours.__cause__


def _name(error: Exception) -> StorageError | None:
    source = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(source, sqlite3.Error):
        return _of_sqlite(source)
    state = getattr(source, "sqlstate", None)
    if isinstance(state, str):
        return _of_postgres(state)
    misused, lost = _asyncpg_errors()
    if isinstance(source, misused) and isinstance(source, ValueError):
        return _made(_REFUSED, type(source).__name__)
    if isinstance(source, (OSError, *misused, *lost)):
        return _made(_NO_SERVER, type(source).__name__)
    if isinstance(source, SQLAlchemyError):
        return _made(_UNKNOWN, type(source).__name__)
    return None


def _asyncpg_errors() -> tuple[tuple[type[Exception], ...], tuple[type[Exception], ...]]:
    """Name what asyncpg raises by itself: for a wrong use, and for a lost connection; nothing before it is loaded."""
    # SQLAlchemy loads it with the first PostgreSQL database; a bot with SQLite is spared the time
    loaded = sys.modules.get("asyncpg")
    return ((), ()) if loaded is None else ((loaded.InterfaceError,), (loaded.InternalClientError,))


def _of_sqlite(error: sqlite3.Error) -> StorageError:
    # errors made by the driver itself (a wrong number of parameters, a closed connection) carry no result code
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    if code is None:
        misused = isinstance(error, (sqlite3.InterfaceError, sqlite3.ProgrammingError))
        return _made(_REFUSED if misused else _UNKNOWN, name)
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return _made(_MISSING, name)
    return _made(_SQLITE.get(code & 0xFF, _UNKNOWN), name)


def _of_postgres(state: str) -> StorageError:
    for prefix, fault in _POSTGRES:
        if state.startswith(prefix):
            return _made(fault, state)
    return _made(_UNKNOWN, state)


def _made(fault: _Fault, code: str) -> StorageError:
    kind, sentence = fault
    return kind(sentence, code=code)
