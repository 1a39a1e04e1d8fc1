"""Sealing anew, under the newest master key, what is stored under older ones or not sealed at all.

``Reencryption.run`` goes through every column that passes the codec, a few rows at a time, while the bot works. What
always holds: a row is read, sealed and written in one transaction, and only if nobody changed it meanwhile; each row
says itself under which key it is, so a run that is killed anywhere is simply begun again; an older key is struck off
the list of keys the database needs only after a pass that left nothing behind. A row that cannot be read is named in
the log and left as it is. An empty value holds no words and is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    LargeBinary,
    RowMapping,
    Table,
    Update,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import Backend
from utils.storage.errors import StorageDataError
from utils.storage.meta import Meta
from utils.storage.personal import coded_columns, row_id_of
from utils.storage.schema import metadata
from utils.storage.sealing import SealedCodec, keys_in_use, set_keys_in_use

_log = logging.getLogger(__name__)

_ROWS = 100
_BYTES = 4 * 1024 * 1024


class Reencryption:
    """Brings all rows under the newest master key; made by ``open_storage``."""

    def __init__(self, backend: Backend, codec: SealedCodec, meta: Meta) -> None:
        self._backend = backend
        self._codec = codec
        self._meta = meta
        self._newest = codec.key_id
        self._unreadable = 0

    async def run(self) -> int:
        """Seal anew whatever is not under the newest key; gives how many rows were.

        :raises StorageError: it stopped in the middle; what was done is kept, and the next run goes on.
        """
        used = await keys_in_use(self._meta)
        if used == [self._newest] and await self._meta.get(_done(self._newest)) is not None:
            return 0
        count = 0
        self._unreadable = 0
        for table in metadata.sorted_tables:
            if columns := coded_columns(table):
                count += await self._seal_table(table, columns)
        if self._unreadable:
            return count
        await set_keys_in_use(self._meta, [self._newest])
        await self._meta.set(_done(self._newest), "yes")
        older = [key_id for key_id in used if key_id != self._newest]
        if older:
            _log.info(
                "all is encrypted with master key %s now; %s is needed for older backups only",
                self._newest,
                ", ".join(older),
            )
        return count

    async def _seal_table(self, table: Table, columns: Sequence[Column[bytes]]) -> int:
        count, last = 0, -1
        while stale := await self._stale(table, columns, last):
            for ids in _portions(stale):
                count += await self._seal_rows(table, columns, ids)
            last = stale[-1][0]
        return count

    async def _stale(self, table: Table, columns: Sequence[Column[bytes]], last: int) -> list[tuple[int, int]]:
        """Give ids and sizes of the next rows that are not under the newest key."""
        row_id = row_id_of(table)
        size = sum((func.coalesce(func.length(column), 0) for column in columns), start=literal(0))
        wanted = (
            select(row_id, size)
            .where(row_id > last, or_(*(self._is_stale(column) for column in columns)))
            .order_by(row_id)
            .limit(_ROWS)
        )

        async def job(connection: AsyncConnection) -> list[tuple[int, int]]:
            return [(row[0], row[1]) for row in await connection.execute(wanted)]

        return await self._backend.read(job)

    def _is_stale(self, column: Column[bytes]) -> ColumnElement[bool]:
        head = self._codec.head
        start = func.substr(column, 1, len(head), type_=LargeBinary)
        return and_(column.is_not(None), func.length(column) > 0, start != literal(head, LargeBinary))

    async def _seal_rows(self, table: Table, columns: Sequence[Column[bytes]], ids: Sequence[int]) -> int:
        row_id = row_id_of(table)

        async def job(connection: AsyncConnection) -> int:
            found = await connection.execute(select(row_id, *columns).where(row_id.in_(ids)))
            # rows with the same columns filled are written by one statement
            changes: dict[tuple[Column[bytes], ...], list[dict[str, object]]] = {}
            for row in found.mappings().all():
                filled = tuple(column for column in columns if row[column.name])
                if (change := self._change(row_id, filled, row)) is not None:
                    changes.setdefault(filled, []).append(change)
            for filled, rows in changes.items():
                await connection.execute(_update(table, row_id, filled), rows)
            return sum(len(rows) for rows in changes.values())

        return await self._backend.write(job)

    def _change(
        self, row_id: Column[int], filled: Sequence[Column[bytes]], row: RowMapping
    ) -> dict[str, object] | None:
        """Give the parameters that seal one row anew; None: it cannot be read."""
        change: dict[str, object] = {"old_id": row[row_id.name]}
        try:
            for column in filled:
                change[f"old_{column.name}"] = row[column.name]
                change[f"new_{column.name}"] = self._sealed(column, row[row_id.name], row[column.name])
        except StorageDataError as error:
            self._unreadable += 1
            _log.error("%s", error)  # the sentence says all there is to say
            return None
        return change

    def _sealed(self, column: Column[bytes], row_id: int, stored: bytes) -> bytes:
        place = f"{column.table.name}.{column.name}"
        return self._codec.encode(place, row_id, self._codec.decode(place, row_id, stored))


def _update(table: Table, row_id: Column[int], columns: Sequence[Column[bytes]]) -> Update:
    """Write the new values where the old ones still stand."""
    unchanged = (column == bindparam(f"old_{column.name}") for column in columns)
    values: dict[str, BindParameter[bytes]] = {column.name: bindparam(f"new_{column.name}") for column in columns}
    return update(table).where(row_id == bindparam("old_id"), *unchanged).values(values)


def _portions(stale: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Cut rows into portions of few bytes, so that no transaction holds up the others for long."""
    portion: list[int] = []
    size = 0
    for row_id, row_size in stale:
        if portion and size + row_size > _BYTES:
            yield portion
            portion, size = [], 0
        portion.append(row_id)
        size += row_size
    if portion:
        yield portion


def _done(key_id: str) -> str:
    return f"encryption.done.{key_id}"
