"""Keys that were added while running, encrypted, and which keys are switched off.

``Vault`` keeps them by fingerprint. A key of the configuration has a row only while it is switched off, and that row
holds no secret. What always holds: a change and its entry in the audit are stored together; a secret is sealed, bound
to its row, and never read from a row that somebody wrote unencrypted or moved; what comes out is a ``Secret``. Whether
a key is any good, and putting it into service, is the caller's business.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.security import Secret
from utils.storage.audit import Audit
from utils.storage.backend import Backend, insert_for
from utils.storage.codec import Codec, decode_text, encode_text
from utils.storage.errors import StorageDataError
from utils.storage.schema_privacy import stored_keys
from utils.storage.sealing import StrictCodec

#: As much of a fingerprint as tells keys apart for people.
_SHORT = 6

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key of the vault; ``secret`` None: the configuration has it, and the row says that it is switched off.

    ``damaged``: the row was changed outside of this program; the key is off and can only be removed.
    """

    fingerprint: str
    secret: Secret | None
    name: str | None
    project: str | None
    enabled: bool
    added_at: float
    damaged: bool = False


class Vault:
    """The stored keys; made by ``open_storage``. ``wall`` gives unix seconds."""

    def __init__(
        self,
        backend: Backend,
        codec: Codec,
        make_id: Callable[[], int],
        audit: Audit,
        *,
        wall: Callable[[], float],
    ) -> None:
        self._backend = backend
        self._codec = StrictCodec(codec)
        self._make_id = make_id
        self._audit = audit
        self._wall = wall

    async def load(self) -> Sequence[StoredKey]:
        """Give all rows in the order they were added; one that cannot be read is named in the log, and off."""

        async def job(connection: AsyncConnection) -> list[StoredKey]:
            found = await connection.execute(select(stored_keys).order_by(stored_keys.c.id))
            return [self._key(row) for row in found.mappings()]

        return await self._backend.read(job)

    async def add(self, secret: Secret, *, name: str | None, project: str | None, actor_id: int) -> bool:
        """Store a key, switched on; False: it is stored already and stays as it is."""
        row_id = self._make_id()
        row = {
            "id": row_id,
            "fingerprint": secret.fingerprint,
            "name": self._encode("name", row_id, name),
            "project": self._encode("project", row_id, project),
            "secret": self._encode("secret", row_id, secret.reveal()),
            "enabled": True,
            "added_at": self._wall(),
        }

        async def job(connection: AsyncConnection) -> bool:
            insert = insert_for(connection, stored_keys).on_conflict_do_nothing(index_elements=["fingerprint"])
            if (await connection.execute(insert, row)).rowcount == 0:
                return False
            await self._audit.note(connection, actor_id, "keys.add", name or secret.fingerprint[:_SHORT])
            return True

        return await self._backend.write(job)

    async def disable(self, fingerprint: str, *, label: str, actor_id: int) -> None:
        """Switch a key off, whether it is stored here or comes from the configuration."""
        row = {"id": self._make_id(), "fingerprint": fingerprint, "enabled": False, "added_at": self._wall()}

        async def job(connection: AsyncConnection) -> None:
            insert = insert_for(connection, stored_keys).on_conflict_do_update(
                index_elements=["fingerprint"], set_={"enabled": False}
            )
            await connection.execute(insert, row)
            await self._audit.note(connection, actor_id, "keys.disable", label)

        await self._backend.write(job)

    async def enable(self, fingerprint: str, *, label: str, actor_id: int) -> None:
        """Switch a key on again."""
        mine = stored_keys.c.fingerprint == fingerprint

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(delete(stored_keys).where(mine, stored_keys.c.secret.is_(None)))
            await connection.execute(update(stored_keys).where(mine).values(enabled=True))
            await self._audit.note(connection, actor_id, "keys.enable", label)

        await self._backend.write(job)

    async def remove(self, fingerprint: str, *, label: str, actor_id: int) -> bool:
        """Delete a stored key, its row and its bytes; False: it is not stored here.

        :raises StorageBusyError: the row is gone, but another program keeps its traces in the log.
        """
        mine = stored_keys.c.fingerprint == fingerprint

        async def job(connection: AsyncConnection) -> bool:
            gone = await connection.execute(delete(stored_keys).where(mine, stored_keys.c.secret.is_not(None)))
            if gone.rowcount == 0:
                return False
            await self._audit.note(connection, actor_id, "keys.remove", label)
            return True

        removed = await self._backend.write(job)
        if removed:
            await self._backend.scrub()
        return removed

    def _key(self, row: RowMapping) -> StoredKey:
        try:
            return self._read(row)
        except StorageDataError as error:
            _log.error("A stored key is switched off: %s", error)  # the sentence says all there is to say
            return StoredKey(
                row["fingerprint"], None, None, None, enabled=False, added_at=row["added_at"], damaged=True
            )

    def _read(self, row: RowMapping) -> StoredKey:
        name = self._decode("name", row["id"], row["name"])
        value = self._decode("secret", row["id"], row["secret"])
        return StoredKey(
            fingerprint=row["fingerprint"],
            secret=None if value is None else Secret(value, name or f"stored key {row['fingerprint'][:_SHORT]}"),
            name=name,
            project=self._decode("project", row["id"], row["project"]),
            enabled=row["enabled"],
            added_at=row["added_at"],
        )

    def _encode(self, column: str, row_id: int, text: str | None) -> bytes | None:
        return None if text is None else encode_text(self._codec, f"stored_keys.{column}", row_id, text)

    def _decode(self, column: str, row_id: int, stored: bytes | None) -> str | None:
        return None if stored is None else decode_text(self._codec, f"stored_keys.{column}", row_id, stored)
