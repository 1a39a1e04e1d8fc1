"""The tables of personas, and of what servers chose.

They belong to the same ``metadata`` as ``schema``'s. What always holds: a persona's name and instructions are
``LargeBinary`` and pass a codec; ``guild_id`` of a persona is the server it is shared with, NULL while only its maker
uses it; ``role_ids`` are decimal ids set apart by spaces, "" for everybody. In ``guild_settings`` NULL means that the
server did not choose. A row of ``guild_access`` says that a role may use a command or a model; one without rows is for
everybody. ``persona_id`` refers to no row, so a deleted persona is simply no longer found.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Integer, LargeBinary, String, Table, Text

from utils.storage.schema import metadata

_ID = BigInteger().with_variant(Integer(), "sqlite")

personas = Table(
    "personas",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, nullable=False, index=True),
    Column("guild_id", BigInteger, index=True),
    Column("role_ids", Text, nullable=False),
    Column("name", LargeBinary, nullable=False),
    Column("instructions", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

guild_settings = Table(
    "guild_settings",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("model", Text),
    Column("safety", String(16)),
    Column("persona_id", BigInteger),
    Column("alerts_channel_id", BigInteger),
    Column("language", String(16)),
    sqlite_with_rowid=False,
)

guild_access = Table(
    "guild_access",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
