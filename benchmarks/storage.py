"""How fast the storage is: ``python -m benchmarks.storage [MESSAGES]``.

Fills an SQLite file with MESSAGES messages (a million unless told), in conversations of 200, then prints a table: how
long a history of 50 messages and a stored question take, how many questions per second go in when many ask at once,
and how long opening takes. The file lies in a temporary folder and is removed.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy import create_engine

from utils.storage import Storage, open_storage
from utils.storage.codec import PlainCodec
from utils.storage.ids import IdSource
from utils.storage.records import Records
from utils.storage.rows import Conversation, Turn
from utils.storage.schema import conversations, messages, turns

_TURNS_EACH = 100
_TEXT = "A sentence as people write them, neither short nor long, about this and that. " * 4


def fill(path: Path, wanted: int) -> int:
    """Write the rows without the storage (by bulk inserts) and give how many messages there are."""
    records = Records(PlainCodec(), IdSource(time.time))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA synchronous = OFF")
        for channel_id in range(wanted // (2 * _TURNS_EACH)):
            opened = Conversation(records.make_id(), "thread", 1, channel_id, channel_id, None, None, None, None, 0.0)
            asked = [
                Turn(
                    id=records.make_id(),
                    conversation_id=opened.id,
                    source_id=channel_id * _TURNS_EACH + number,
                    user_id=channel_id,
                    user_name="Ann",
                    guild_id=1,
                    channel_id=channel_id,
                    locale="en-US",
                    asked_at=0.0,
                    state="answered",
                )
                for number in range(_TURNS_EACH)
            ]
            said = [records.message_row(turn, role, _TEXT, 0.0) for turn in asked for role in ("user", "model")]
            connection.execute(conversations.insert(), [records.conversation_row(opened)])
            connection.execute(turns.insert(), [records.turn_row(turn) for turn in asked])
            connection.execute(messages.insert(), said)
    engine.dispose()
    return wanted // (2 * _TURNS_EACH) * 2 * _TURNS_EACH


async def timed(times: int, work: Callable[[int], Awaitable[object]]) -> str:
    """Run ``work`` so many times, one after another, and say how long it took."""
    seconds = []
    for number in range(times):
        begun = time.perf_counter()
        await work(number)
        seconds.append(time.perf_counter() - begun)
    seconds.sort()
    return f"median {statistics.median(seconds) * 1000:.2f} ms, p99 {seconds[int(times * 0.99)] * 1000:.2f} ms"


async def measure(storage: Storage, channels: int) -> None:
    """Print the table's lines."""
    kept = storage.conversations
    found = [await kept.find_conversation(number * channels // 50) for number in range(50)]
    rooms = [room.id for room in found if room is not None]
    sources = iter(range(10**12, 2 * 10**12))

    async def ask(number: int) -> None:
        await kept.ask(
            rooms[number % len(rooms)],
            source_id=next(sources),
            user_id=1,
            user_name="Ann",
            guild_id=1,
            channel_id=1,
            text=_TEXT,
            attachments=(),
            locale="en-US",
        )

    history = await timed(500, lambda number: kept.history(rooms[number % len(rooms)], max_messages=50))
    print(f"| history of 50 messages | {history} |")
    print(f"| one question, alone | {await timed(500, ask)} |")
    begun = time.perf_counter()
    await asyncio.gather(*[ask(number) for number in range(5_000)])
    print(f"| 5,000 questions at once | {5_000 / (time.perf_counter() - begun):,.0f} per second |")


async def main(wanted: int) -> None:
    """Fill, measure, print."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        async with open_storage(str(path)):
            pass
        stored = await asyncio.to_thread(fill, path, wanted)
        print(f"| {stored:,} messages, {path.stat().st_size / 1e6:,.0f} MB | |\n|---|---|")
        begun = time.perf_counter()
        async with open_storage(str(path)) as storage:
            print(f"| open | {(time.perf_counter() - begun) * 1000:.0f} ms |")
            await measure(storage, stored // (2 * _TURNS_EACH))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
