"""Conversations with their turns, messages and attachments; statistics and states of keys; usage by user and day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id() -> sa.Column:
    return sa.Column("id", ID, nullable=False, autoincrement=False)


def _counts() -> tuple[sa.Column, ...]:
    return (
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("timed", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
    )


def _key(*, minute: bool, kind: bool) -> tuple[sa.Column, ...]:
    columns = [
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
    ]
    if minute:
        columns.insert(0, sa.Column("minute", sa.BigInteger(), nullable=False))
    if kind:
        columns += [
            sa.Column("kind", sa.String(64), nullable=False),
            sa.Column("count", sa.BigInteger(), nullable=False),
        ]
    return tuple(columns)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete="CASCADE")


def _primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def upgrade() -> None:
    _conversations()
    _messages()
    _usage()
    _keys()


def _conversations() -> None:
    op.create_table(
        "conversations",
        _id(),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("temperature", sa.Double()),
        sa.Column("instructions", sa.LargeBinary()),
        sa.Column("title", sa.LargeBinary()),
        sa.Column("created_at", sa.Double(), nullable=False),
        _primary("conversations", "id"),
    )
    op.create_index("ix_conversations_guild_id", "conversations", ["guild_id"])
    op.create_index("ix_conversations_owner_id", "conversations", ["owner_id"])
    op.create_index("ix_conversations_channel_id_id", "conversations", ["channel_id", "id"])
    op.create_table(
        "turns",
        _id(),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("user_name", sa.LargeBinary(), nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("answer_channel_id", sa.BigInteger()),
        sa.Column("answer_message_id", sa.BigInteger()),
        sa.Column("model", sa.Text()),
        sa.Column("error_kind", sa.String(64)),
        sa.Column("error_detail", sa.LargeBinary()),
        sa.Column("input_tokens", sa.BigInteger()),
        sa.Column("output_tokens", sa.BigInteger()),
        sa.Column("seconds", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        _primary("turns", "id"),
        _refers("turns", "conversation_id", "conversations"),
        sa.UniqueConstraint("source_id", name="uq_turns_source_id"),
    )
    op.create_index("ix_turns_user_id", "turns", ["user_id"])
    op.create_index("ix_turns_guild_id", "turns", ["guild_id"])
    op.create_index("ix_turns_state", "turns", ["state"])
    op.create_index("ix_turns_conversation_id_id", "turns", ["conversation_id", "id"])


def _messages() -> None:
    op.create_table(
        "messages",
        _id(),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("turn_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        _primary("messages", "id"),
        _refers("messages", "conversation_id", "conversations"),
        _refers("messages", "turn_id", "turns"),
    )
    op.create_index("ix_messages_user_id", "messages", ["user_id"])
    op.create_index("ix_messages_guild_id", "messages", ["guild_id"])
    op.create_index("uq_messages_turn_id_position", "messages", ["turn_id", "position"], unique=True)
    op.create_index(
        "ix_messages_conversation_id_turn_id_position", "messages", ["conversation_id", "turn_id", "position"]
    )
    op.create_table(
        "attachments",
        _id(),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("mime_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _primary("attachments", "id"),
        _refers("attachments", "message_id", "messages"),
    )
    op.create_index("ix_attachments_user_id", "attachments", ["user_id"])
    op.create_index("ix_attachments_guild_id", "attachments", ["guild_id"])
    op.create_index("uq_attachments_message_id_position", "attachments", ["message_id", "position"], unique=True)


def _usage() -> None:
    op.create_table(
        "usage_days",
        sa.Column("user_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("day", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        _primary("usage_days", "user_id", "guild_id", "day"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_usage_days_guild_id", "usage_days", ["guild_id"])


def _keys() -> None:
    op.create_table(
        "key_minutes",
        *_key(minute=True, kind=False),
        *_counts(),
        _primary("key_minutes", "minute", "fingerprint", "model"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "key_minute_kinds",
        *_key(minute=True, kind=True),
        _primary("key_minute_kinds", "minute", "fingerprint", "model", "kind"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "key_totals",
        *_key(minute=False, kind=False),
        *_counts(),
        _primary("key_totals", "fingerprint", "model"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "key_total_kinds",
        *_key(minute=False, kind=True),
        _primary("key_total_kinds", "fingerprint", "model", "kind"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "key_states",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        _primary("key_states", "scope"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        _primary("meta", "name"),
        sqlite_with_rowid=False,
    )
