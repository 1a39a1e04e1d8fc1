"""Personas, the settings of servers, and who may use what there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "personas",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("role_ids", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("instructions", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_personas"),
    )
    op.create_index("ix_personas_user_id", "personas", ["user_id"])
    op.create_index("ix_personas_guild_id", "personas", ["guild_id"])
    op.create_table(
        "guild_settings",
        sa.Column("guild_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("model", sa.Text()),
        sa.Column("safety", sa.String(16)),
        sa.Column("persona_id", sa.BigInteger()),
        sa.Column("alerts_channel_id", sa.BigInteger()),
        sa.Column("language", sa.String(16)),
        sa.PrimaryKeyConstraint("guild_id", name="pk_guild_settings"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "guild_access",
        sa.Column("guild_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("guild_id", "kind", "name", "role_id", name="pk_guild_access"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Remove the three tables."""
    op.drop_table("guild_access")
    op.drop_table("guild_settings")
    op.drop_table("personas")
