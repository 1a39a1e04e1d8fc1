"""Fair use: what was used today, what servers allow, how much more roles may."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "fair_uses",
        sa.Column("use_id", ID, nullable=False, autoincrement=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("used_at", sa.Double(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("use_id", name="pk_fair_uses"),
    )
    for column in ("user_id", "guild_id", "used_at"):
        op.create_index(f"ix_fair_uses_{column}", "fair_uses", [column])
    op.create_table(
        "guild_limits",
        sa.Column("guild_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("whom", sa.String(16), nullable=False),
        sa.Column("per_minute", sa.BigInteger()),
        sa.Column("per_day", sa.BigInteger()),
        sa.Column("tokens", sa.BigInteger()),
        sa.Column("micros", sa.BigInteger()),
        sa.PrimaryKeyConstraint("guild_id", "whom", name="pk_guild_limits"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "guild_role_limits",
        sa.Column("guild_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("factor", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "role_id", name="pk_guild_role_limits"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Remove the three tables."""
    op.drop_table("guild_role_limits")
    op.drop_table("guild_limits")
    op.drop_table("fair_uses")
