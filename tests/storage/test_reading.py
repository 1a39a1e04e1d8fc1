"""A reading is one job that does not wait: one state of the database, errors by name, on both databases."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AbstractAsyncContextManager

import pytest
from sqlalchemy import Connection, text

from tests.storage.conftest import Asker
from utils.storage import Reading, Storage, StorageClosedError, open_storage

_LONGEST_S = 10.0


async def test_a_reading_gives_what_was_said_and_what_is_made_of_it(storage: Storage, asker: Asker):
    """Several statements and the words they find are one job; its result comes back as it is."""
    conversation = await asker.conversation()
    for number in range(3):
        turn = await asker.ask(conversation, f"{number}?", attachments=[("a.txt", "text/plain", b"%d" % number)])
        await asker.answer(turn, f"{number}!")

    def job(reading: Reading) -> tuple[object, list[str], list[bytes]]:
        before = reading.history(conversation.id, max_messages=9, before_turn_id=turn.id)
        files = [file.content for said in reading.messages_of_turn(turn.id) for file in said.attachments]
        return reading.conversation(conversation.id), [said.text for said in before], files

    found, said, files = await storage.conversations.read(job)
    assert found == await storage.conversations.get_conversation(conversation.id)
    assert said == ["0?", "0!", "1?", "1!"]
    assert files == [b"2"]


async def test_a_reading_leaves_the_loop_alone_and_sees_one_state(sqlite_url: str):
    """With SQLite it is in a thread: the loop stores an answer meanwhile, which only the next reading sees."""
    async with open_storage(sqlite_url) as storage:
        asker = Asker(storage)
        conversation = await asker.conversation()
        turn = await asker.ask(conversation, "why?")
        loop, begun, stored = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

        def job(reading: Reading) -> list[int]:
            counts = [len(reading.history(conversation.id, max_messages=9))]
            loop.call_soon_threadsafe(begun.set)
            assert stored.wait(_LONGEST_S), "the loop did not run meanwhile"
            return [*counts, len(reading.history(conversation.id, max_messages=9))]

        reading = asyncio.create_task(storage.conversations.read(job))
        await begun.wait()
        await asker.answer(turn, "because")
        stored.set()
        assert await reading == [0, 0]
        assert len(await storage.conversations.history(conversation.id, max_messages=9)) == 2


async def test_a_reading_cannot_write(storage: Storage):
    """Whatever a job tries, the database refuses it by a sentence of ours."""

    def job(connection: Connection) -> None:
        connection.execute(text("INSERT INTO meta (name, value) VALUES ('a', 'b')"))

    with pytest.raises(Exception, match=r"cannot be written to|could not do"):
        await storage._backend.look(job)
    assert await storage.meta.get("a") is None


async def test_a_job_that_breaks_passes_its_error_and_leaves_the_connection_usable(storage: Storage, asker: Asker):
    """More of them than there are connections change nothing for the next one."""
    conversation = await asker.conversation()

    def job(reading: Reading) -> float:
        return 1 / len(reading.history(conversation.id, max_messages=9))

    broken = await asyncio.gather(*[storage.conversations.read(job) for _ in range(20)], return_exceptions=True)
    assert {type(error) for error in broken} == {ZeroDivisionError}
    assert await storage.conversations.history(conversation.id, max_messages=9) == []


async def test_a_closed_storage_is_not_read(open_it):
    """Readings end before the file is given free, and none begins afterwards."""
    opened: AbstractAsyncContextManager[Storage] = open_it()
    async with opened as storage:
        conversation = await Asker(storage).conversation()
        reading = [
            asyncio.create_task(storage.conversations.history(conversation.id, max_messages=9)) for _ in range(9)
        ]
        await asyncio.sleep(0)
    assert await asyncio.gather(*reading) == [[]] * 9
    with pytest.raises(StorageClosedError, match="open it again"):
        await storage.conversations.read(lambda reading: reading.history(1, max_messages=1))
