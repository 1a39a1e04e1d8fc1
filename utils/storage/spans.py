"""What keys and models did over time, added up by the database into spans of one length, for charts.

``Spans.load`` reads the minutes that ``statistics`` keeps. What always holds: a week of minutes costs the caller as few
rows as it asks for spans; every minute counts in exactly one span; spans in which nothing happened are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, RowMapping, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import Backend
from utils.storage.schema import key_minute_kinds, key_minutes

#: What is told apart: keys by their fingerprints, or models by their names.
SpanKey: TypeAlias = Literal["fingerprint", "model"]

_COUNTS = ("requests", "errors", "seconds", "timed", "input_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class Span:
    """What one key or model (``name``) did in the span that begins at ``start`` (unix seconds).

    ``seconds`` sums over ``timed`` of the requests; ``kinds`` counts errors.
    """

    start: int
    name: str
    requests: int
    errors: int
    seconds: float
    timed: int
    input_tokens: int
    output_tokens: int
    kinds: Mapping[str, int]


class Spans:
    """Sums of minutes; made by ``open_storage``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def load(self, *, since: int, until: int, length_s: int, by: SpanKey) -> Sequence[Span]:
        """Give the sums of the spans of ``length_s`` that begin at ``since`` and end at ``until`` (unix seconds).

        :raises StorageError: they could not be read.
        """

        async def job(connection: AsyncConnection) -> list[Span]:
            kinds: defaultdict[tuple[int, str], dict[str, int]] = defaultdict(dict)
            side, (start, name) = key_minute_kinds, _group(key_minute_kinds, since, length_s, by)
            counted = await connection.execute(
                select(start, name, side.c.kind, func.sum(side.c.count).label("count"))
                .where(side.c.minute >= since, side.c.minute < until)
                .group_by(start, name, side.c.kind)
            )
            for row in counted.mappings():
                kinds[row["start"], row["name"]][row["kind"]] = int(row["count"])
            table, (start, name) = key_minutes, _group(key_minutes, since, length_s, by)
            sums = [func.sum(table.c[column]).label(column) for column in _COUNTS]
            found = await connection.execute(
                select(start, name, *sums)
                .where(table.c.minute >= since, table.c.minute < until)
                .group_by(start, name)
                .order_by(start, name)
            )
            return [_span(row, kinds[row["start"], row["name"]]) for row in found.mappings()]

        return await self._backend.read(job)


def _group(table: Table, since: int, length_s: int, by: SpanKey) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    minute = table.c.minute
    return (minute - (minute - since) % length_s).label("start"), table.c[by].label("name")


def _span(row: RowMapping, kinds: Mapping[str, int]) -> Span:
    # PostgreSQL adds up whole numbers to decimals
    whole = {column: int(row[column]) for column in _COUNTS if column != "seconds"}
    return Span(start=int(row["start"]), name=row["name"], seconds=float(row["seconds"]), kinds=kinds, **whole)
