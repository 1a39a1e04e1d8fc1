"""The tables of keys that were added while running, and of what administrators did.

They belong to the same ``metadata`` as ``schema``'s. A row of ``stored_keys`` without a secret says something of a key
that the configuration has: that it is switched off. What always holds: secrets, names and projects are
``LargeBinary`` and pass a codec; a key is found by its fingerprint; entries of the audit are about the bot's keys and
not about what people said, so they carry no guild and outlive ``forget_user``.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, LargeBinary, String, Table

from utils.storage.schema import metadata

_ID = BigInteger().with_variant(Integer(), "sqlite")

stored_keys = Table(
    "stored_keys",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("name", LargeBinary),
    Column("project", LargeBinary),
    Column("secret", LargeBinary),
    Column("enabled", Boolean, nullable=False),
    Column("added_at", Double, nullable=False),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("done_at", Double, nullable=False),
    Column("actor_id", BigInteger, nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", LargeBinary),
)
