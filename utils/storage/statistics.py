"""What the keys did, and what state they are in.

``Statistics`` keeps counts by key (its fingerprint, never the key), model and minute for charts, running totals since
the last clear for the admin commands, and the pool's own state documents. What always holds: the minutes and the
totals of one ``record`` are stored together or not at all; counts are added by the database, so that nobody's are
lost; clearing the totals leaves the minutes. What the documents mean is the pool's business.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import Backend, add_on_conflict
from utils.storage.rows import KeyMinute, KeyTotal, StatisticsRow
from utils.storage.schema import key_minute_kinds, key_minutes, key_states, key_total_kinds, key_totals

_COUNTS = ("requests", "errors", "seconds", "timed", "input_tokens", "output_tokens")


class Statistics:
    """Counts and states of keys; made by ``open_storage``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def record(self, rows: Iterable[StatisticsRow]) -> None:
        """Add counts to their minutes and to the totals, in one transaction.

        :raises StorageError: nothing was added.
        """
        # one order for all, so that two processes cannot wait for each other's rows
        ordered = sorted(rows, key=lambda row: (row.minute, row.fingerprint, row.model))
        if not ordered:
            return
        counts = [_counts(row) for row in ordered]
        kinds = [count for row in ordered for count in _kinds(row)]
        totals, total_kinds = _without_minute(counts), _without_minute(kinds)

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(add_on_conflict(connection, key_minutes), counts)
            await connection.execute(add_on_conflict(connection, key_totals), totals)
            if kinds:
                await connection.execute(add_on_conflict(connection, key_minute_kinds), kinds)
                await connection.execute(add_on_conflict(connection, key_total_kinds), total_kinds)

        await self._backend.write(job)

    async def load_totals(self) -> Sequence[KeyTotal]:
        """Give the totals since the last clear, by fingerprint and model."""

        async def job(connection: AsyncConnection) -> list[KeyTotal]:
            kinds = await _load_kinds(connection, select(key_total_kinds), "fingerprint", "model")
            found = await connection.execute(select(key_totals).order_by(key_totals.c.fingerprint, key_totals.c.model))
            return [KeyTotal(**row, kinds=kinds[row["fingerprint"], row["model"]]) for row in found.mappings()]

        return await self._backend.read(job)

    async def clear_totals(self) -> None:
        """Begin the totals anew; the minutes stay."""

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(delete(key_totals))
            await connection.execute(delete(key_total_kinds))

        await self._backend.write(job)

    async def minutes(self, *, since: int, until: int) -> Sequence[KeyMinute]:
        """Give the counts of the minutes that start at ``since`` or later and before ``until`` (unix seconds)."""
        table, side = key_minutes, key_minute_kinds

        async def job(connection: AsyncConnection) -> list[KeyMinute]:
            wanted = select(side).where(side.c.minute >= since, side.c.minute < until)
            kinds = await _load_kinds(connection, wanted, "minute", "fingerprint", "model")
            found = await connection.execute(
                select(table)
                .where(table.c.minute >= since, table.c.minute < until)
                .order_by(table.c.minute, table.c.fingerprint, table.c.model)
            )
            return [
                KeyMinute(**row, kinds=kinds[row["minute"], row["fingerprint"], row["model"]])
                for row in found.mappings()
            ]

        return await self._backend.read(job)

    async def save_states(self, documents: Mapping[str, Mapping[str, object]]) -> None:
        """Put these state documents (JSON-ready, by scope) in the place of all that are stored."""
        # of a thousand keys these are a megabyte, which the event loop must not wait for
        rows = await asyncio.to_thread(_written, documents)

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(delete(key_states))
            if rows:
                await connection.execute(key_states.insert(), rows)

        await self._backend.write(job)

    async def load_states(self) -> Mapping[str, Mapping[str, object]]:
        """Give the state documents last saved, by scope."""

        async def job(connection: AsyncConnection) -> Sequence[Row[Any]]:
            return (await connection.execute(select(key_states))).all()

        return {row.scope: json.loads(row.document) for row in await self._backend.read(job)}


def _written(documents: Mapping[str, Mapping[str, object]]) -> list[dict[str, str]]:
    # ASCII escapes keep NUL characters out of the text, which PostgreSQL would refuse
    return [{"scope": scope, "document": json.dumps(document)} for scope, document in sorted(documents.items())]


def _counts(row: StatisticsRow) -> dict[str, object]:
    counts = {name: getattr(row, name) for name in _COUNTS}
    return {"minute": row.minute, "fingerprint": row.fingerprint, "model": row.model, **counts}


def _kinds(row: StatisticsRow) -> list[dict[str, object]]:
    key = {"minute": row.minute, "fingerprint": row.fingerprint, "model": row.model}
    return [{**key, "kind": kind, "count": count} for kind, count in sorted(row.kinds.items()) if count]


def _without_minute(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    bare = [{name: value for name, value in row.items() if name != "minute"} for row in rows]
    return sorted(bare, key=lambda row: (row["fingerprint"], row["model"], row.get("kind")))


async def _load_kinds(
    connection: AsyncConnection, wanted: Select[Any], *key: str
) -> defaultdict[tuple[Any, ...], dict[str, int]]:
    kinds: defaultdict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
    for row in (await connection.execute(wanted)).mappings():
        kinds[tuple(row[name] for name in key)][row["kind"]] = row["count"]
    return kinds
