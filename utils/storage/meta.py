"""Small facts about the database itself, by name (such as which sandbox run it belongs to)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import Backend, insert_for
from utils.storage.schema import meta


class Meta:
    """Names and values, both text; made by ``open_storage``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def get(self, name: str) -> str | None:
        """Give the value of ``name``, or None when it was never set."""

        async def job(connection: AsyncConnection) -> str | None:
            found: str | None = await connection.scalar(select(meta.c.value).where(meta.c.name == name))
            return found

        return await self._backend.read(job)

    async def set(self, name: str, value: str) -> None:
        """Give ``name`` (at most 128 characters) a value in place of the one it had."""

        async def job(connection: AsyncConnection) -> None:
            statement = insert_for(connection, meta).values(name=name, value=value)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})
            )

        await self._backend.write(job)
