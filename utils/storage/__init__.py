"""What outlives the process: conversations, statistics of keys, and small facts about the database.

``async with open_storage(url) as storage`` gives ``storage.conversations``, ``storage.statistics`` and
``storage.meta``. SQLite by default, PostgreSQL when the address says so; both behave alike, and one suite of tests
runs on both. Only this room imports SQLAlchemy and Alembic; only ``StorageError`` comes out of it.
"""

from utils.storage.codec import Codec, PlainCodec
from utils.storage.conversations import Conversations
from utils.storage.errors import (
    MissingRowError,
    NewerSchemaError,
    NotOurDatabaseError,
    StorageAccessError,
    StorageAddressError,
    StorageBusyError,
    StorageClosedError,
    StorageDataError,
    StorageError,
    StorageFullError,
    StorageInUseError,
    StorageSetupError,
    StorageUnavailableError,
)
from utils.storage.meta import Meta
from utils.storage.rows import (
    Conversation,
    ConversationKind,
    KeyMinute,
    KeyTotal,
    Role,
    StatisticsRow,
    StoredAttachment,
    StoredMessage,
    Turn,
    TurnState,
    UsageDay,
)
from utils.storage.statistics import Statistics
from utils.storage.storage import Storage, open_storage

__all__ = [
    "Codec",
    "Conversation",
    "ConversationKind",
    "Conversations",
    "KeyMinute",
    "KeyTotal",
    "Meta",
    "MissingRowError",
    "NewerSchemaError",
    "NotOurDatabaseError",
    "PlainCodec",
    "Role",
    "Statistics",
    "StatisticsRow",
    "Storage",
    "StorageAccessError",
    "StorageAddressError",
    "StorageBusyError",
    "StorageClosedError",
    "StorageDataError",
    "StorageError",
    "StorageFullError",
    "StorageInUseError",
    "StorageSetupError",
    "StorageUnavailableError",
    "StoredAttachment",
    "StoredMessage",
    "Turn",
    "TurnState",
    "UsageDay",
    "open_storage",
]
