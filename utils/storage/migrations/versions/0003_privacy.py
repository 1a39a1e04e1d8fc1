"""Keys that are added while running, encrypted; what administrators did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "stored_keys",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("name", sa.LargeBinary()),
        sa.Column("project", sa.LargeBinary()),
        sa.Column("secret", sa.LargeBinary()),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stored_keys"),
        sa.UniqueConstraint("fingerprint", name="uq_stored_keys_fingerprint"),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("done_at", sa.Double(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
    )


def downgrade() -> None:
    """Remove both tables."""
    op.drop_table("audit_entries")
    op.drop_table("stored_keys")
