"""The open storage: one object, closed by the one who opened it.

``open_storage`` understands the address, opens the backend (SQLite or PostgreSQL) with its schema up to date, and
gives a ``Storage`` with its repositories. With ``keys`` people's words are encrypted (``sealing``). What always holds:
whatever was acknowledged before the block is left is on the disk; leaving drains what is queued; nothing is opened at
import. A storage belongs to the loop it was opened in.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.security.masterkeys import MasterKeys
from utils.storage.address import PostgresAddress, SqliteAddress, parse_address
from utils.storage.audit import Audit
from utils.storage.backend import Backend
from utils.storage.codec import Codec
from utils.storage.conversations import Conversations
from utils.storage.health import HealthCheck
from utils.storage.ids import IdSource
from utils.storage.limits import Limits
from utils.storage.meta import Meta
from utils.storage.personas import Personas
from utils.storage.postgres import PostgresBackend
from utils.storage.privacy import Privacy
from utils.storage.records import Records
from utils.storage.reencryption import Reencryption
from utils.storage.schema import metadata
from utils.storage.sealing import SealedCodec, open_codec
from utils.storage.settings import GuildSettingsStore
from utils.storage.spans import Spans
from utils.storage.sqlite import SqliteBackend
from utils.storage.statistics import Statistics
from utils.storage.vault import Vault


class Storage:
    """What is kept, a repository for each subject.

    ``codec`` passes people's words, ``make_id`` gives ids of rows, ``wall`` unix seconds. ``reencryption`` is None
    where nothing is encrypted.
    """

    def __init__(self, backend: Backend, codec: Codec, make_id: Callable[[], int], wall: Callable[[], float]) -> None:
        self._backend = backend
        self.conversations = Conversations(backend, Records(codec, make_id), wall=wall)
        self.statistics = Statistics(backend)
        self.spans = Spans(backend)
        self.meta = Meta(backend)
        self.health = HealthCheck(backend, self.meta, wall=wall, clock=time.monotonic)
        self.privacy = Privacy(backend, codec, wall=wall)
        self.audit = Audit(backend, codec, make_id, wall=wall)
        self.personas = Personas(backend, codec, make_id, wall=wall)
        self.settings = GuildSettingsStore(backend)
        self.limits = Limits(backend, make_id, wall=wall)
        self.vault = Vault(backend, codec, make_id, self.audit, wall=wall)
        self.reencryption = Reencryption(backend, codec, self.meta) if isinstance(codec, SealedCodec) else None

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
    keys: MasterKeys | None = None,
    busy_timeout_s: float = 5.0,
) -> AsyncGenerator[Storage, None]:
    """Open the database that a DATABASE_URL names (see ``address``) and close it at the end of the block.

    ``wall`` gives unix seconds; ``keys`` are the master keys that encrypt people's words (None: stored as they are),
    ``codec`` stores them in a way of one's own instead; ``busy_timeout_s`` is how long an SQLite file that another
    program holds locked is waited for.

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
        codec = codec or await open_codec(Meta(backend), keys, _file_of(address))
        yield Storage(backend, codec, make_id, wall)
    finally:
        await backend.aclose()


def database_exists(url: str) -> bool:
    """Tell whether a DATABASE_URL names a database that may hold something; looks at the disk, asks no server.

    :raises StorageAddressError: it has no form we know.
    """
    path = _file_of(parse_address(url))
    return path is None or path.exists()


def _file_of(address: SqliteAddress | PostgresAddress) -> Path | None:
    return address.path if isinstance(address, SqliteAddress) else None


async def _largest_id(connection: AsyncConnection) -> int:
    ids = [table.c["id"] for table in metadata.sorted_tables if "id" in table.c]
    largest = [await connection.scalar(select(func.max(column))) for column in ids]
    return max((found for found in largest if found is not None), default=0)
