"""What outlives the process: conversations, statistics of keys, and small facts about the database.

``async with open_storage(url, keys=...) as storage`` gives ``storage.conversations``, ``storage.statistics`` and the
other repositories; with ``keys`` people's words are encrypted. SQLite by default, PostgreSQL when the address says so;
both behave alike, and one suite of tests runs on both. Only this room imports SQLAlchemy and Alembic; only
``StorageError`` comes out of it.
"""

from utils.storage.audit import Audit, AuditEntry
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
    StorageKeyError,
    StorageSetupError,
    StorageUnavailableError,
)
from utils.storage.health import DatabaseHealth, HealthCheck
from utils.storage.limits import Amounts, AmountsChange, GuildLimits, Limits, Use, Whom
from utils.storage.meta import Meta
from utils.storage.personas import Persona, Personas
from utils.storage.privacy import Exported, Holdings, Privacy
from utils.storage.reading import Reading
from utils.storage.reencryption import Reencryption
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
from utils.storage.settings import AccessKind, GuildSettings, GuildSettingsStore, SafetyLevel, SettingsChange
from utils.storage.spans import Span, SpanKey, Spans
from utils.storage.statistics import Statistics
from utils.storage.storage import Storage, database_exists, open_storage
from utils.storage.turns import FILES_DUE, Lease
from utils.storage.vault import StoredKey, Vault

__all__ = [
    "FILES_DUE",
    "AccessKind",
    "Amounts",
    "AmountsChange",
    "Audit",
    "AuditEntry",
    "Codec",
    "Conversation",
    "ConversationKind",
    "Conversations",
    "DatabaseHealth",
    "Exported",
    "GuildLimits",
    "GuildSettings",
    "GuildSettingsStore",
    "HealthCheck",
    "Holdings",
    "KeyMinute",
    "KeyTotal",
    "Lease",
    "Limits",
    "Meta",
    "MissingRowError",
    "NewerSchemaError",
    "NotOurDatabaseError",
    "Persona",
    "Personas",
    "PlainCodec",
    "Privacy",
    "Reading",
    "Reencryption",
    "Role",
    "SafetyLevel",
    "SettingsChange",
    "Span",
    "SpanKey",
    "Spans",
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
    "StorageKeyError",
    "StorageSetupError",
    "StorageUnavailableError",
    "StoredAttachment",
    "StoredKey",
    "StoredMessage",
    "Turn",
    "TurnState",
    "UsageDay",
    "Use",
    "Vault",
    "Whom",
    "database_exists",
    "open_storage",
]
