"""A PostgreSQL database, for when one file is outgrown or several processes share what is stored.

``PostgresBackend.open`` reaches the server, brings the schema up to date under an advisory lock (two processes may
start at once) and keeps a small pool of connections, each tested before it is used, so that a server that was gone is
found again. The server gathers commits by itself; ``synchronous_commit`` stays on. What always holds is said in
``backend``. Deleted rows stay in the server's pages until its autovacuum has been there: ``scrub`` has nothing to do.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from utils.storage.address import PostgresAddress
from utils.storage.backend import Job, Look, T
from utils.storage.border import translating
from utils.storage.inflight import InFlight
from utils.storage.migrations import is_up_to_date, load_upgrade

_CONNECTIONS = 5
_CONNECT_TIMEOUT_S = 10
_STATEMENT_TIMEOUT_S = 30
# any number will do, as long as every version of this program takes the same
_MIGRATION_LOCK = 0x6469_7363_6F72_6467


class PostgresBackend:
    """One open database; made by ``open``."""

    def __init__(self, address: PostgresAddress, engine: AsyncEngine) -> None:
        self._address = address
        self._engine = engine
        self._work = InFlight()

    @classmethod
    async def open(cls, address: PostgresAddress) -> PostgresBackend:
        """Reach the server and bring the schema up to date.

        :raises StorageSetupError: it does not let us in, or the schema is newer or another's.
        :raises StorageUnavailableError: it cannot be reached.
        """
        engine = create_async_engine(
            address.url,
            pool_size=_CONNECTIONS,
            max_overflow=_CONNECTIONS,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"timeout": _CONNECT_TIMEOUT_S, "command_timeout": _STATEMENT_TIMEOUT_S},
        )
        try:
            with translating():
                if not await is_up_to_date(engine):
                    upgrade = await load_upgrade()
                    async with engine.begin() as connection:
                        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
                        await upgrade(connection)
        except BaseException:
            await engine.dispose()
            raise
        return cls(address, engine)

    @property
    def description(self) -> str:
        """The database's name and the server's."""
        return f"PostgreSQL, {self._address.place}"

    @property
    def exclusive(self) -> bool:
        """Never: a server serves many processes."""
        return False

    async def write(self, job: Job[T]) -> T:
        """Run ``job`` in a transaction; see ``Backend``."""
        return await self._work.run(self._write(job))

    async def read(self, job: Job[T]) -> T:
        """Run ``job`` in a read-only transaction that sees one state; see ``Backend``."""
        return await self._work.run(self._read(job))

    async def look(self, look: Look[T]) -> T:
        """Run ``look`` as ``read`` runs a job: its statements wait for the server without blocking the loop."""
        return await self.read(lambda connection: connection.run_sync(look))

    async def scrub(self) -> None:
        """Do nothing: the server's autovacuum takes deleted rows out of its pages."""

    async def aclose(self) -> None:
        """Finish what is under way and hang up; see ``Backend``."""
        await self._work.drain()
        await self._engine.dispose()

    async def _write(self, job: Job[T]) -> T:
        with translating():
            async with self._engine.begin() as connection:
                return await job(connection)

    async def _read(self, job: Job[T]) -> T:
        with translating():
            async with self._engine.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                return await job(connection)
