"""Everything that can go wrong with what is kept, as one tree.

StorageError
├── StorageSetupError           what the operator must mend before the program can run
│   ├── StorageAddressError     DATABASE_URL is not understood
│   ├── StorageAccessError      the folder, file or server does not let us in
│   ├── StorageInUseError       another process owns the file
│   ├── NotOurDatabaseError     the file is no database, or another program's
│   ├── StorageKeyError         the master key is missing or cannot be used
│   └── NewerSchemaError        the database was written by a newer version
├── StorageUnavailableError     it may work again later by itself or after a hand
│   ├── StorageBusyError        another program holds a lock on the database
│   └── StorageFullError        no room is left on the disk
├── StorageDataError            what is stored cannot be read back, or cannot be stored as it is
│   └── MissingRowError         the row that is referred to is not stored (any more)
└── StorageClosedError          the storage was closed

Each message is one English sentence that says what to do. No message and no cause holds a password, a statement's
parameters or a person's text. ``code`` is the database's own name for the fault ("SQLITE_FULL", "53100"), or None.
``border`` alone makes these from foreign errors; nothing of SQLAlchemy, sqlite3 or asyncpg comes out of this package.
"""

from __future__ import annotations


class StorageError(Exception):
    """Base of all that this package raises; ``code`` is the database's own name for the fault, or None."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class StorageSetupError(StorageError):
    """The operator must mend something before the program can run."""


class StorageAddressError(StorageSetupError):
    """The database's address is not understood."""


class StorageAccessError(StorageSetupError):
    """The folder, the file or the server does not let us in."""


class StorageInUseError(StorageSetupError):
    """Another process owns the database file."""


class NotOurDatabaseError(StorageSetupError):
    """The file is not a database, or it holds another program's tables."""


class StorageKeyError(StorageSetupError):
    """The master key that the database needs is missing or cannot be used."""


class NewerSchemaError(StorageSetupError):
    """The database was written by a newer version of this program."""


class StorageUnavailableError(StorageError):
    """The database cannot be used now."""


class StorageBusyError(StorageUnavailableError):
    """Another program holds a lock on the database."""


class StorageFullError(StorageUnavailableError):
    """No room is left where the database lies."""


class StorageDataError(StorageError):
    """What is stored cannot be read back, or what is given cannot be stored."""


class MissingRowError(StorageDataError):
    """The row that is referred to is not stored (any more)."""


class StorageClosedError(StorageError):
    """The storage was closed; a closed storage answers nothing more."""

    def __init__(self) -> None:
        super().__init__("The storage is closed; open it again before reading or writing.")
