"""The tables, as the program means them.

A database gets them through ``migrations``, never from here; a test holds both equal. What always holds: words of
people (texts, names, titles, instructions, error details, file names and bytes) are ``LargeBinary`` and pass a codec;
every row about a person carries its user and its guild, both indexed, so that it can be found for deletion; ids are
ours and known before the insert (``ids``). Discord's ids are 64-bit. In ``usage_days`` guild 0 means no guild, since
a primary key takes no NULL.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

NO_GUILD = 0

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite makes a primary key the table's own order only when its type is spelled INTEGER
_ID = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[int]:
    return Column("id", _ID, primary_key=True, autoincrement=False)


def _counts() -> tuple[Column[int] | Column[float], ...]:
    return (
        Column("requests", BigInteger, nullable=False),
        Column("errors", BigInteger, nullable=False),
        Column("seconds", Double, nullable=False),
        Column("timed", BigInteger, nullable=False),
        Column("input_tokens", BigInteger, nullable=False),
        Column("output_tokens", BigInteger, nullable=False),
    )


_DIRECT = text("kind = 'dm'")
_OWED = text("delivered_at IS NULL")

conversations = Table(
    "conversations",
    metadata,
    _id(),
    Column("kind", String(16), nullable=False),
    Column("guild_id", BigInteger, index=True),
    Column("channel_id", BigInteger, nullable=False),
    Column("owner_id", BigInteger, nullable=False, index=True),
    Column("model", Text),
    Column("temperature", Double),
    Column("instructions", LargeBinary),
    Column("title", LargeBinary),
    Column("created_at", Double, nullable=False),
    Column("options", Text),
    Column("parent_id", _ID, index=True),
    Column("parent_turn_id", _ID),
    Column("seen_id", BigInteger, index=True),
    Column("summary", LargeBinary),
    Column("summary_turn_id", _ID),
    Column("revision", Integer, nullable=False, server_default="0"),
    Index("ix_conversations_channel_id_id", "channel_id", "id"),
    # two messages at once, or two processes, must not open two conversations in one channel of direct messages
    Index("uq_conversations_dm", "channel_id", unique=True, sqlite_where=_DIRECT, postgresql_where=_DIRECT),
)

turns = Table(
    "turns",
    metadata,
    _id(),
    Column("conversation_id", _ID, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("source_id", BigInteger, nullable=False, unique=True),
    Column("user_id", BigInteger, nullable=False, index=True),
    Column("guild_id", BigInteger, index=True),
    Column("channel_id", BigInteger, nullable=False),
    Column("user_name", LargeBinary, nullable=False),
    Column("locale", String(16), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("asked_at", Double, nullable=False),
    Column("answer_channel_id", BigInteger),
    Column("answer_message_id", BigInteger),
    Column("model", Text),
    Column("error_kind", String(64)),
    Column("error_detail", LargeBinary),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("seconds", Double),
    Column("ended_at", Double),
    Column("more_message_ids", Text),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("finish_reason", String(32)),
    Column("delivered_at", Double),
    Column("owner", String(64)),
    Column("lease_until", Double),
    Column("token", LargeBinary),
    Index("ix_turns_conversation_id_id", "conversation_id", "id"),
    Index("ix_turns_answer_message_id", "answer_message_id"),
    Index("ix_turns_owed", "id", sqlite_where=_OWED, postgresql_where=_OWED),
)

# A message's place in its conversation is (turn_id, position): ids of turns grow with the time of asking, so a history
# is in order even where a second question came before the first answer. Within a turn come the messages that ask, then
# its answers, of which at most one is not replaced.
messages = Table(
    "messages",
    metadata,
    _id(),
    Column("conversation_id", _ID, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("turn_id", _ID, ForeignKey("turns.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("user_id", BigInteger, nullable=False, index=True),
    Column("guild_id", BigInteger, index=True),
    Column("role", String(16), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("source_id", BigInteger),
    Column("user_name", LargeBinary),
    Column("replaced_at", Double),
    Index("uq_messages_source_id", "source_id", unique=True),
    Index("uq_messages_turn_id_position", "turn_id", "position", unique=True),
    Index("ix_messages_conversation_id_turn_id_position", "conversation_id", "turn_id", "position"),
)

attachments = Table(
    "attachments",
    metadata,
    _id(),
    Column("message_id", _ID, ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("user_id", BigInteger, nullable=False, index=True),
    Column("guild_id", BigInteger, index=True),
    Column("name", LargeBinary, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("uq_attachments_message_id_position", "message_id", "position", unique=True),
)

usage_days = Table(
    "usage_days",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False, index=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("requests", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

key_minutes = Table(
    "key_minutes",
    metadata,
    Column("minute", BigInteger, primary_key=True, autoincrement=False),
    Column("fingerprint", String(64), primary_key=True),
    Column("model", Text, primary_key=True),
    *_counts(),
    sqlite_with_rowid=False,
)

key_minute_kinds = Table(
    "key_minute_kinds",
    metadata,
    Column("minute", BigInteger, primary_key=True, autoincrement=False),
    Column("fingerprint", String(64), primary_key=True),
    Column("model", Text, primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("count", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

key_totals = Table(
    "key_totals",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("model", Text, primary_key=True),
    *_counts(),
    sqlite_with_rowid=False,
)

key_total_kinds = Table(
    "key_total_kinds",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("model", Text, primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("count", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

key_states = Table(
    "key_states",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("document", Text, nullable=False),
    sqlite_with_rowid=False,
)

meta = Table(
    "meta",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)
