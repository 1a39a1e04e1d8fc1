"""Bring a database to this program's schema, step by step, at start.

``is_up_to_date`` looks at the number of the last step, which stands in the table ``alembic_version``; where it is not
``NEWEST``, ``load_upgrade`` gives what takes the missing steps inside one transaction, so that a start that dies in the
middle leaves the database as it was. A step is never edited once it was released; the tables it ends in equal
``schema`` (a test compares them). Steps are linear and only go up: going back is restoring a backup.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

#: The number of the last step in ``versions/``.
NEWEST = "0005"


async def is_up_to_date(engine: AsyncEngine) -> bool:
    """Tell whether the database has had every step and nothing newer."""
    async with engine.connect() as connection:
        return await connection.run_sync(_last_step) == NEWEST


async def load_upgrade() -> Callable[[AsyncConnection], Awaitable[None]]:
    """Read all steps, off the loop; gives what takes the missing ones in the caller's transaction.

    That raises NewerSchemaError where the database has had steps this program does not know, and NotOurDatabaseError
    where it has had none, yet tables of our names are there.
    """
    upgrade = await asyncio.to_thread(_load)
    return lambda connection: connection.run_sync(upgrade)


def _load() -> Callable[[Connection], None]:
    from utils.storage.migrations import steps  # noqa: PLC0415  half a second that a database up to date is spared

    loaded = steps.load_steps()
    return lambda connection: steps.upgrade(connection, loaded)


def _last_step(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
