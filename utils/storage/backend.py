"""What a repository needs of a database.

``Backend`` runs jobs: a job gets a connection inside a transaction and awaits its statements on it. What always holds
for both kinds (``sqlite``, ``postgres``): ``write`` returns after the commit; a job that raises leaves nothing behind
and spoils no other; a caller that is cancelled cancels nothing; ``read`` and ``look`` see one state of the database;
no foreign error comes out. ``insert_for`` hides that both spell an insert with a conflict alike, but in modules of
their own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")
Job: TypeAlias = Callable[[AsyncConnection], Awaitable[T]]
#: A job that reads without awaiting; it may run in a thread, so it must touch nothing that belongs to the loop.
Look: TypeAlias = Callable[[Connection], T]
ConflictInsert: TypeAlias = sqlite.Insert | postgresql.Insert


class Backend(Protocol):
    """One open database."""

    @property
    def description(self) -> str:
        """What and where it is, for the log; holds no secret."""
        ...

    @property
    def exclusive(self) -> bool:
        """Whether this process alone has the database, so that whatever another one left is nobody's."""
        ...

    async def write(self, job: Job[T]) -> T:
        """Run ``job`` in a transaction and give its result after the commit.

        :raises StorageError: nothing of the job was stored.
        """
        ...

    async def read(self, job: Job[T]) -> T:
        """Run ``job`` in a transaction that cannot write.

        :raises StorageError: it could not be read.
        """
        ...

    async def look(self, look: Look[T]) -> T:
        """Run ``look`` in a transaction that cannot write: what ``read`` does, in one go.

        :raises StorageError: it could not be read.
        """
        ...

    async def scrub(self) -> None:
        """Take deleted bytes out of what the database keeps beside its tables.

        :raises StorageBusyError: a reader of another program hindered it.
        """
        ...

    async def aclose(self) -> None:
        """Finish what is under way, take no more, and free everything; a second call does nothing."""
        ...


def insert_for(connection: AsyncConnection, table: Table) -> ConflictInsert:
    """Give an INSERT for this connection's database that can say what to do on a conflict."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def add_on_conflict(connection: AsyncConnection, table: Table) -> ConflictInsert:
    """Give an INSERT that adds its numbers to a row of the same primary key instead of failing."""
    statement = insert_for(connection, table)
    added = {
        column.name: column + statement.excluded[column.name] for column in table.columns if not column.primary_key
    }
    return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=added)
