"""What is stored about a person: shown, handed out, and deleted for good.

``Privacy`` counts (``holdings``), gives (``export``) and deletes (``forget_user``, ``forget_guild``, and by age
``sweep``). All four see the same rows, those of ``personal``, so nothing is shown that is not deleted and nothing
deleted that was not shown. What always holds: after a deletion the rows are gone, their bytes in the file are
overwritten and the log is emptied (``Backend.scrub``); a deletion survives a crash whole or not at all. What the
process remembers beside the database (open conversations, languages) is for its owners to drop.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, RowMapping, Table, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.anonymous import keep_count
from utils.storage.backend import Backend
from utils.storage.codec import Codec
from utils.storage.errors import StorageBusyError
from utils.storage.ids import first_id_at
from utils.storage.personal import (
    coded_columns,
    forget_guild,
    forget_turns,
    forget_user,
    owned_rows,
    personal_tables,
    row_id_of,
)
from utils.storage.schema import attachments, conversations, turns, usage_days

_log = logging.getLogger(__name__)

_SECONDS_PER_DAY = 86_400
_BATCH = 500
#: Longer bytes than these are a file's, and count against ``max_file_bytes``.
_SHORT = 64 * 1024
#: Lets an answer be edited in the bot's name for a quarter of an hour; says nothing about anybody.
_TOKEN = "token"  # noqa: S105  # the column's name

Exported = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much is stored about a person: rows by table, bytes of their files, unix seconds of the oldest turn."""

    rows: Mapping[str, int]
    file_bytes: int
    oldest_at: float | None


class Privacy:
    """People's right to what is stored about them; made by ``open_storage``."""

    def __init__(self, backend: Backend, codec: Codec, *, wall: Callable[[], float]) -> None:
        self._backend = backend
        self._wall = wall
        self._codec = codec

    async def holdings(self, user_id: int) -> Holdings:
        """Count what is stored about a person."""

        async def job(connection: AsyncConnection) -> Holdings:
            rows = {
                table.name: await connection.scalar(select(func.count()).select_from(table).where(owner == user_id))
                or 0
                for table, owner in personal_tables()
            }
            size = select(func.sum(attachments.c.size)).where(attachments.c.user_id == user_id)
            oldest = select(func.min(turns.c.asked_at)).where(turns.c.user_id == user_id)
            return Holdings(rows, int(await connection.scalar(size) or 0), await connection.scalar(oldest))

        return await self._backend.read(job)

    async def export(self, user_id: int, *, max_file_bytes: int) -> Exported:
        """Give all rows about a person by table, ready for JSON.

        Ids are texts, times ISO 8601, words as they were said, files in base64. Of long files, the newest up to
        ``max_file_bytes`` together are given; of the others only how many bytes they have.
        """
        exported: Exported = {}

        async def job(connection: AsyncConnection) -> None:
            room = max_file_bytes
            for table, owner in personal_tables():
                rows: list[dict[str, Any]] = []
                newest_first = owned_rows(table, owner, user_id).order_by(None)
                ordered = newest_first.order_by(*(column.desc() for column in table.primary_key.columns))
                async with connection.stream(ordered) as found:
                    async for row in found.mappings():
                        readable, room = self._readable(table, row, room)
                        rows.append(readable)
                if rows:
                    exported[table.name] = rows[::-1]

        await self._backend.read(job)
        return exported

    async def forget_user(self, user_id: int) -> int:
        """Delete all that is stored about a person, rows and bytes; gives how many rows.

        What others said in a person's conversations stays, and till the day's end a count without a name of what they
        used today (see ``anonymous``), so that deleting is no way round a limit.

        :raises StorageBusyError: the rows are gone, but another program keeps their traces in the log.
        """

        async def job(connection: AsyncConnection) -> int:
            await keep_count(connection, user_id, self._wall())
            return await forget_user(connection, user_id)

        count = await self._backend.write(job)
        await self._backend.scrub()
        return count

    async def forget_guild(self, guild_id: int) -> int:
        """Delete all that is stored of a guild, rows and bytes; gives how many rows.

        :raises StorageBusyError: the rows are gone, but another program keeps their traces in the log.
        """
        count = await self._backend.write(lambda connection: forget_guild(connection, guild_id))
        await self._backend.scrub()
        return count

    async def sweep(self, before: float) -> int:
        """Delete what was asked before ``before`` (unix seconds), and usage of days before it; gives how many turns.

        Done in steps, so that nobody waits long; a sweep that is broken off is finished by the next one.
        """
        first_kept = first_id_at(before)
        day = int(before // _SECONDS_PER_DAY)
        count = 0
        while found := await self._backend.read(lambda connection: _oldest_turns(connection, first_kept)):
            count += await self._backend.write(lambda connection, ids=found: forget_turns(connection, ids))  # type: ignore[misc]  # mypy cannot infer a lambda with a default

        async def rest(connection: AsyncConnection) -> int:
            used = exists().where(turns.c.conversation_id == conversations.c.id)
            empty = delete(conversations).where(conversations.c.id < first_kept, ~used)
            days = delete(usage_days).where(usage_days.c.day < day)
            return (await connection.execute(empty)).rowcount + (await connection.execute(days)).rowcount

        if await self._backend.write(rest) + count:
            await self._scrub_if_possible()
        return count

    async def _scrub_if_possible(self) -> None:
        try:
            await self._backend.scrub()
        except StorageBusyError as error:
            _log.warning("%s", error)

    def _readable(self, table: Table, row: RowMapping, room: int) -> tuple[dict[str, Any], int]:
        coded = {column.name for column in coded_columns(table)}
        readable: dict[str, Any] = {}
        for column in table.columns:
            value = row[column.name]
            if column.name == _TOKEN:
                continue
            if not value or column.name not in coded:
                readable[column.name] = None if column.name in coded else _plain(column, value)
            elif len(value) > max(_SHORT, room):
                readable[column.name] = {"left_out_bytes": len(value)}
            else:
                if len(value) > _SHORT:
                    room -= len(value)
                place = f"{table.name}.{column.name}"
                readable[column.name] = _words(self._codec.decode(place, row[row_id_of(table).name], value))
        return readable, room


async def _oldest_turns(connection: AsyncConnection, first_kept: int) -> list[int]:
    wanted = select(turns.c.id).where(turns.c.id < first_kept).order_by(turns.c.id).limit(_BATCH)
    return list((await connection.execute(wanted)).scalars())


def _plain(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if column.name == "id" or column.name.endswith("_id"):
        # JavaScript's numbers, which most readers of JSON use, end at 2**53
        return str(value)
    if column.name.endswith("_at"):
        return datetime.fromtimestamp(value, UTC).isoformat()
    return value


def _words(content: bytes) -> Any:
    try:
        text = content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
    # half of a surrogate pair cannot be written into a file
    return text.encode("utf-8", "replace").decode()
