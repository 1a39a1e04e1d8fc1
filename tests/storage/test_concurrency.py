"""Many at once lose nothing, a failing or cancelled one spoils nothing; on both databases."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.storage.conftest import Asker
from utils.storage import MissingRowError, Storage, StorageClosedError


async def test_200_interleaved_writers_lose_nothing(storage: Storage, asker: Asker):
    rooms = [await asker.conversation(channel_id=100 + number) for number in range(8)]

    async def writer(number: int) -> None:
        turn = await asker.ask(rooms[number % 8], f"{number}?", attachments=[("a", "a/b", b"%d" % number)])
        await asyncio.sleep(0)
        assert await asker.answer(turn, f"{number}!")

    await asyncio.gather(*[writer(number) for number in range(200)])
    said = []
    for room in rooms:
        history = await storage.conversations.history(room.id, max_messages=1_000)
        pairs = list(zip(history[::2], history[1::2], strict=True))
        assert all(question.turn_id == answer.turn_id for question, answer in pairs)
        assert all(question.text[:-1].encode() == question.attachments[0].content for question, _ in pairs)
        said += [answer.text for _, answer in pairs]
    assert sorted(said) == sorted(f"{number}!" for number in range(200))
    assert [day.requests for day in await storage.conversations.usage(7)] == [200]


async def test_failing_writes_spoil_no_neighbours(storage: Storage, asker: Asker):
    """Half of the questions go to a conversation that is not there; the other half is stored whole."""
    conversation = await asker.conversation()

    async def ask(number: int) -> object:
        return await storage.conversations.ask(
            conversation.id if number % 2 else 404,
            source_id=number,
            user_id=7,
            user_name="Ann",
            guild_id=5,
            channel_id=11,
            text=f"{number}",
            attachments=(),
            locale="en-US",
        )

    results = await asyncio.gather(*[ask(number) for number in range(60)], return_exceptions=True)
    assert all(isinstance(result, MissingRowError) for result in results[::2])
    assert [turn.source_id for turn in await storage.conversations.unfinished()] == list(range(1, 60, 2))


async def test_cancelled_writes_are_stored_whole_and_there_after_a_restart(open_it):
    """Cancelling decides nothing about the database: what was begun is there, question and files together."""
    async with open_it() as storage:
        asker = Asker(storage)
        conversation = await asker.conversation()
        asking = [asyncio.create_task(asker.ask(conversation, "?", attachments=[("a", "a/b", b"x")])) for _ in range(9)]
        await asyncio.sleep(0)
        for task in asking:
            task.cancel()
        ended = await asyncio.gather(*asking, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in ended)
    async with open_it() as storage:
        owed = await storage.conversations.unfinished()
        assert len(owed) == 9
        for turn in owed:
            (message,) = await storage.conversations.messages_of_turn(turn.id)
            assert len(message.attachments) == 1


async def test_cancelled_reads_leave_the_connections_usable(storage: Storage, asker: Asker):
    conversation = await asker.conversation()
    for _ in range(5):
        reading = [
            asyncio.create_task(storage.conversations.history(conversation.id, max_messages=9)) for _ in range(20)
        ]
        await asyncio.sleep(0)
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
    assert await storage.conversations.history(conversation.id, max_messages=9) == []


async def test_a_job_that_breaks_for_a_reason_of_its_own_passes_its_error_and_stores_nothing(storage: Storage):
    async def job(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO meta (name, value) VALUES ('half', 'done')"))
        raise ZeroDivisionError

    async def broken() -> None:
        with pytest.raises(ZeroDivisionError):
            await storage._backend.write(job)

    await asyncio.gather(broken(), storage.meta.set("a", "1"), broken(), storage.meta.set("b", "2"))
    assert await storage.meta.get("half") is None
    assert [await storage.meta.get(name) for name in "ab"] == ["1", "2"]


async def test_a_reader_cannot_write(storage: Storage):
    with pytest.raises(Exception, match=r"cannot be written to|could not do"):
        await storage._backend.read(
            lambda connection: connection.execute(text("INSERT INTO meta (name, value) VALUES ('a', 'b')"))
        )
    assert await storage.meta.get("a") is None


async def test_a_read_sees_one_state_while_others_write(storage: Storage):
    await storage.meta.set("a", "before")

    async def job(connection: AsyncConnection) -> list[str | None]:
        wanted = text("SELECT value FROM meta WHERE name = 'a'")
        first: str | None = await connection.scalar(wanted)
        await storage.meta.set("a", "after")
        return [first, await connection.scalar(wanted)]

    assert await storage._backend.read(job) == ["before", "before"]
    assert await storage.meta.get("a") == "after"


async def test_closing_finishes_what_is_queued_and_may_be_repeated(open_it):
    async with open_it() as storage:
        writing = [asyncio.create_task(storage.meta.set(f"n{number}", "x")) for number in range(50)]
        await asyncio.sleep(0)
        await asyncio.gather(storage.aclose(), storage.aclose())
        await asyncio.gather(*writing)
        await storage.aclose()
        for use in (storage.meta.get("n1"), storage.meta.set("n1", "y"), storage.privacy.forget_user(1)):
            with pytest.raises(StorageClosedError, match="open it again"):
                await use
    async with open_it() as storage:
        assert [await storage.meta.get(f"n{number}") for number in range(50)] == ["x"] * 50
