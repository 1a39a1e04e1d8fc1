"""What administrators did: who, what, when, to what.

``Audit.note`` is called inside of the same transaction as the deed where that is in the database (``vault``), else
after it. What always holds: entries are only added, and removed by age; the subject (a key's label) passes the codec.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import Backend
from utils.storage.codec import Codec, decode_text, encode_text
from utils.storage.schema_privacy import audit_entries


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One deed; ``done_at`` is unix seconds, ``actor_id`` a Discord user's id, ``action`` such as "keys.add"."""

    done_at: float
    actor_id: int
    action: str
    subject: str | None


class Audit:
    """The log of administration; made by ``open_storage``. ``wall`` gives unix seconds."""

    def __init__(
        self, backend: Backend, codec: Codec, make_id: Callable[[], int], *, wall: Callable[[], float]
    ) -> None:
        self._backend = backend
        self._codec = codec
        self._make_id = make_id
        self._wall = wall

    async def note(self, connection: AsyncConnection, actor_id: int, action: str, subject: str | None) -> None:
        """Add an entry within the caller's transaction; ``action`` has at most 64 characters."""
        row_id = self._make_id()
        coded = None if subject is None else encode_text(self._codec, "audit_entries.subject", row_id, subject)
        await connection.execute(
            audit_entries.insert(),
            {"id": row_id, "done_at": self._wall(), "actor_id": actor_id, "action": action, "subject": coded},
        )

    async def add(self, actor_id: int, action: str, subject: str | None = None) -> None:
        """Add an entry about something that is done already."""
        await self._backend.write(lambda connection: self.note(connection, actor_id, action, subject))

    async def newest(self, count: int) -> list[AuditEntry]:
        """Give the newest entries, the newest first."""

        async def job(connection: AsyncConnection) -> list[AuditEntry]:
            found = await connection.execute(select(audit_entries).order_by(audit_entries.c.id.desc()).limit(count))
            return [
                AuditEntry(row["done_at"], row["actor_id"], row["action"], self._subject(row["id"], row["subject"]))
                for row in found.mappings()
            ]

        return await self._backend.read(job)

    async def count_of(self, actor_id: int) -> int:
        """Count what one user did."""

        async def job(connection: AsyncConnection) -> int:
            mine = select(func.count()).where(audit_entries.c.actor_id == actor_id)
            return int(await connection.scalar(mine) or 0)

        return await self._backend.read(job)

    async def drop_before(self, before: float) -> int:
        """Delete what was done before ``before`` (unix seconds); gives how many entries."""

        async def job(connection: AsyncConnection) -> int:
            old = await connection.execute(delete(audit_entries).where(audit_entries.c.done_at < before))
            return old.rowcount

        return await self._backend.write(job)

    def _subject(self, row_id: int, stored: bytes | None) -> str | None:
        return None if stored is None else decode_text(self._codec, "audit_entries.subject", row_id, stored)
