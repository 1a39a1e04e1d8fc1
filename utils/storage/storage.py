"""The open storage: one object, closed by the one who opened it.

``open_storage`` understands the address, opens the backend (SQLite or PostgreSQL) with its schema up to date, and
gives a ``Storage`` with its three repositories. What always holds: whatever was acknowledged before the block is left
is on the disk; leaving drains what is queued; nothing is opened at import. A storage belongs to the loop it was
opened in.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.address import SqliteAddress, parse_address
from utils.storage.backend import Backend
from utils.storage.codec import Codec, PlainCodec
from utils.storage.conversations import Conversations
from utils.storage.ids import IdSource
from utils.storage.meta import Meta
from utils.storage.postgres import PostgresBackend
from utils.storage.records import Records
from utils.storage.schema import attachments, conversations, messages, turns
from utils.storage.sqlite import SqliteBackend
from utils.storage.statistics import Statistics


class Storage:
    """What is kept: ``conversations``, ``statistics`` and ``meta``."""

    def __init__(self, backend: Backend, records: Records, wall: Callable[[], float]) -> None:
        self._backend = backend
        self.conversations = Conversations(backend, records, wall=wall)
        self.statistics = Statistics(backend)
        self.meta = Meta(backend)

    @property
    def description(self) -> str:
        """What and where the database is, for the log; holds no secret."""
        return self._backend.description

    async def aclose(self) -> None:
        """Finish what is queued and free everything; a second call does nothing."""
        await self._backend.aclose()


@asynccontextmanager
async def open_storage(
    url: str,
    *,
    wall: Callable[[], float] = time.time,
    codec: Codec | None = None,
    busy_timeout_s: float = 5.0,
) -> AsyncGenerator[Storage, None]:
    """Open the database that a DATABASE_URL names (see ``address``) and close it at the end of the block.

    ``wall`` gives unix seconds, ``codec`` (None: ``PlainCodec``) stores people's words, ``busy_timeout_s`` is how long
    an SQLite file that another program holds locked is waited for.

    :raises StorageSetupError: the operator must mend something; the message says what.
    :raises StorageUnavailableError: the database cannot be used now.
    """
    address = parse_address(url)
    backend: Backend
    if isinstance(address, SqliteAddress):
        backend = await SqliteBackend.open(address.path, busy_timeout_s=busy_timeout_s)
    else:
        backend = await PostgresBackend.open(address)
    try:
        make_id = IdSource(wall, floor=await backend.read(_largest_id))
        yield Storage(backend, Records(codec or PlainCodec(), make_id), wall)
    finally:
        await backend.aclose()


async def _largest_id(connection: AsyncConnection) -> int:
    largest = [
        await connection.scalar(select(func.max(table.c.id))) for table in (conversations, turns, messages, attachments)
    ]
    return max((found for found in largest if found is not None), default=0)
