"""Turns of several messages, answers that are made anew, branches, summaries, and who answers a turn until when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DIRECT = sa.text("kind = 'dm'")
OWED = sa.text("delivered_at IS NULL")


def upgrade() -> None:
    op.add_column("conversations", sa.Column("options", sa.Text()))
    op.add_column("conversations", sa.Column("parent_id", ID))
    op.add_column("conversations", sa.Column("parent_turn_id", ID))
    op.add_column("conversations", sa.Column("seen_id", sa.BigInteger()))
    op.add_column("conversations", sa.Column("summary", sa.LargeBinary()))
    op.add_column("conversations", sa.Column("summary_turn_id", ID))
    op.add_column("conversations", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("turns", sa.Column("more_message_ids", sa.Text()))
    op.add_column("turns", sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("turns", sa.Column("finish_reason", sa.String(32)))
    op.add_column("turns", sa.Column("delivered_at", sa.Double()))
    op.add_column("turns", sa.Column("owner", sa.String(64)))
    op.add_column("turns", sa.Column("lease_until", sa.Double()))
    op.add_column("turns", sa.Column("token", sa.LargeBinary()))
    op.add_column("messages", sa.Column("source_id", sa.BigInteger()))
    op.add_column("messages", sa.Column("user_name", sa.LargeBinary()))
    op.add_column("messages", sa.Column("replaced_at", sa.Double()))
    _fill()
    op.create_index("ix_conversations_seen_id", "conversations", ["seen_id"])
    op.create_index("ix_conversations_parent_id", "conversations", ["parent_id"])
    op.create_index(
        "uq_conversations_dm",
        "conversations",
        ["channel_id"],
        unique=True,
        sqlite_where=DIRECT,
        postgresql_where=DIRECT,
    )
    op.create_index("ix_turns_answer_message_id", "turns", ["answer_message_id"])
    op.create_index("ix_turns_owed", "turns", ["id"], sqlite_where=OWED, postgresql_where=OWED)
    op.create_index("uq_messages_source_id", "messages", ["source_id"], unique=True)


def _fill() -> None:
    """Give old rows what they would have now; of several conversations in one direct channel the newest goes on."""
    op.execute("UPDATE turns SET delivered_at = ended_at WHERE state IN ('answered', 'failed')")
    op.execute(
        "UPDATE messages SET source_id = (SELECT source_id FROM turns WHERE turns.id = messages.turn_id)"
        " WHERE role = 'user'"
    )
    op.execute(
        "UPDATE conversations SET kind = 'mention' WHERE kind = 'dm' AND id NOT IN"
        " (SELECT max(id) FROM conversations WHERE kind = 'dm' GROUP BY channel_id)"
    )
    op.execute(
        "UPDATE conversations SET seen_id ="
        " (SELECT max(source_id) FROM turns WHERE turns.conversation_id = conversations.id)"
        " WHERE kind IN ('thread', 'dm')"
    )

