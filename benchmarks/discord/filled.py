"""A database that has been in use for years: a million messages in many threads, one of which is very long.

``fill`` writes rows past the storage, in bulk, but by its own tables and records, so that they are what it would have
written: encrypted under the master key given. What always holds: the schema is the storage's own, which opened the
file before; the long thread is ``LONG_CHANNEL``'s, the others are numbered from 1.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, create_engine

from utils.security.masterkeys import MasterKeys
from utils.storage import open_storage
from utils.storage.ids import IdSource
from utils.storage.records import Records, Values
from utils.storage.rows import Conversation, Turn
from utils.storage.schema import conversations, messages, turns
from utils.storage.sealing import SealedCodec

LONG_CHANNEL = 10**9
_TURNS_EACH = 100
_AT_ONCE = 5_000
_TEXT = "A sentence as people write them, neither short nor long, about this and that. " * 4


async def fill(path: Path, keys: MasterKeys, *, wanted: int, long_thread: int) -> int:
    """Make the database with about so many messages, ``long_thread`` of them in one thread; gives how many it has."""
    async with open_storage(str(path), keys=keys):
        pass
    return await asyncio.to_thread(_write, path, keys, wanted, long_thread)


def _write(path: Path, keys: MasterKeys, wanted: int, long_thread: int) -> int:
    ring = keys.load()
    if ring is None:
        raise RuntimeError("the storage made no master key")
    records = Records(SealedCodec(ring), IdSource(time.time))
    threads = [(LONG_CHANNEL, long_thread // 2)]
    threads += [(number + 1, _TURNS_EACH) for number in range((wanted - long_thread) // (2 * _TURNS_EACH))]
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA synchronous = OFF")
        for channel_id, count in threads:
            _write_thread(connection, records, channel_id, count)
    engine.dispose()
    return sum(2 * count for _, count in threads)


def _write_thread(connection: Connection, records: Records, channel_id: int, count: int) -> None:
    opened = Conversation(records.make_id(), "thread", 1, channel_id, channel_id, None, None, None, None, time.time())
    connection.execute(conversations.insert(), [records.conversation_row(opened)])
    asked = _turns(records, opened, count)
    while some := list(islice(asked, _AT_ONCE)):
        connection.execute(turns.insert(), [records.turn_row(turn) for turn in some])
        connection.execute(messages.insert(), [row for turn in some for row in _said(records, turn)])


def _turns(records: Records, opened: Conversation, count: int) -> Iterator[Turn]:
    for number in range(count):
        yield Turn(
            id=records.make_id(),
            conversation_id=opened.id,
            source_id=opened.channel_id * 100_000 + number,
            user_id=opened.channel_id,
            user_name="Ann",
            guild_id=1,
            channel_id=opened.channel_id,
            locale="en-US",
            asked_at=opened.created_at,
            state="answered",
            delivered_at=opened.created_at,
        )


def _said(records: Records, turn: Turn) -> Iterator[Values]:
    for position, role in enumerate(("user", "model")):
        row = records.message_row(turn, "user" if role == "user" else "model", _TEXT, turn.asked_at)
        yield {**row, "position": position}
