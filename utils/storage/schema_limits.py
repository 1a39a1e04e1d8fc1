"""The tables of fair use: what was used today, what servers allow, how much more roles may.

They belong to the same ``metadata`` as ``schema``'s. A row of ``fair_uses`` is one question (``requests`` 1, known by
Discord's id of the message or interaction that asked) or what one answer cost (``requests`` 0, known by an id of ours);
its key is not called ``id``, so that Discord's ids are never taken for the largest of ours. What always holds: no words
of people; money is in millionths of a US dollar; in ``guild_limits`` NULL means that the server did not choose, 0 that
it sets no limit. Rows of days gone by are deleted by whoever counts.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Integer, String, Table

from utils.storage.schema import metadata

fair_uses = Table(
    "fair_uses",
    metadata,
    Column("use_id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, nullable=False, index=True),
    Column("guild_id", BigInteger, index=True),
    Column("used_at", Double, nullable=False, index=True),
    Column("requests", Integer, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("micros", BigInteger, nullable=False),
)

guild_limits = Table(
    "guild_limits",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("whom", String(16), primary_key=True),
    Column("per_minute", BigInteger),
    Column("per_day", BigInteger),
    Column("tokens", BigInteger),
    Column("micros", BigInteger),
    sqlite_with_rowid=False,
)

guild_role_limits = Table(
    "guild_role_limits",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),
    Column("factor", Double, nullable=False),
    sqlite_with_rowid=False,
)
