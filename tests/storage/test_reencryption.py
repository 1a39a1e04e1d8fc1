"""Rotation: everything comes under the newest key, whenever it is killed, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from secrets import randbits
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.storage.conftest import Asker
from tests.storage.keys import FIRST, SECOND, THIRD, given, id_of
from tests.storage.test_sealing import stored
from utils.security import Secret
from utils.storage import Storage, StorageKeyError, open_storage
from utils.storage.schema import messages

Opener = Callable[..., AbstractAsyncContextManager[Storage]]


@pytest.fixture
def opened(url: str) -> Opener:
    return lambda *keys: open_storage(url, keys=given(*keys) if keys else None)


async def fill(storage: Storage, count: int) -> list[int]:
    asker = Asker(storage)
    conversation = await asker.conversation()
    ids = []
    for number in range(count):
        file = ("name", "a/b", bytes([number]) * 3000)
        turn = await asker.ask(conversation, f"text {number}", attachments=[file], source_id=randbits(60))
        ids.append(turn.id)
    return ids


async def texts(storage: Storage, turn_ids: list[int]) -> list[str]:
    return [(await storage.conversations.messages_of_turn(turn_id))[0].text for turn_id in turn_ids]


async def heads(storage: Storage) -> set[str]:
    values = [value for of_place in (await stored(storage)).values() for value in of_place]
    return {value[1:5].hex() if value[:1] == b"\x01" else "plain" for value in values}


async def run(storage: Storage) -> int:
    assert storage.reencryption is not None
    return await storage.reencryption.run()


async def test_everything_comes_under_the_newest_key(opened: Opener):
    """Rows of no key, of the first and of the second are all under the third; the older ones are not needed then."""
    turn_ids = []
    for keys in ((), (FIRST,), (SECOND, FIRST)):
        async with opened(*keys) as storage:
            turn_ids += await fill(storage, 5)
    async with opened(THIRD, SECOND, FIRST) as storage:
        assert await heads(storage) == {"plain", id_of(FIRST), id_of(SECOND)}
        assert await run(storage) > 0
        assert await heads(storage) == {id_of(THIRD)}
    async with opened(THIRD) as storage:
        assert await texts(storage, turn_ids) == [f"text {number}" for number in range(5)] * 3
        assert await run(storage) == 0


async def test_an_old_key_is_needed_until_the_rotation_is_done(opened: Opener):
    """Dropping it too early is refused by name, before anything is written."""
    async with opened(FIRST) as storage:
        await fill(storage, 1)
    async with opened(SECOND, FIRST):
        pass
    with pytest.raises(StorageKeyError, match=id_of(FIRST)):
        async with opened(SECOND):
            pass
    with pytest.raises(StorageKeyError, match=id_of(SECOND)):
        async with opened(FIRST):
            pass


async def test_a_rotation_that_is_killed_anywhere_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whichever of its writes is the last, all is readable, and the next run finishes."""
    monkeypatch.setattr("utils.storage.reencryption._ROWS", 4)
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    async with open_storage(url, keys=given(FIRST)) as storage:
        turn_ids = await fill(storage, 10)
    for last in range(12):
        async with open_storage(url, keys=given(SECOND, FIRST)) as storage:
            await _killed_after(storage, last)
            assert await texts(storage, turn_ids) == [f"text {number}" for number in range(10)]
    async with open_storage(url, keys=given(SECOND, FIRST)) as storage:
        await run(storage)
        assert await heads(storage) == {id_of(SECOND)}
        assert await texts(storage, turn_ids) == [f"text {number}" for number in range(10)]


async def _killed_after(storage: Storage, writes: int) -> None:
    """Run until ``writes`` transactions were committed, then stop as a killed process does."""
    left = writes
    write = storage._backend.write

    async def counted(job: Any) -> Any:
        nonlocal left
        if left == 0:
            raise asyncio.CancelledError
        left -= 1
        return await write(job)

    assert storage.reencryption is not None
    storage._backend.write = counted  # type: ignore[method-assign]  # the one place that sees every commit
    try:
        await storage.reencryption.run()
    except asyncio.CancelledError:
        return
    finally:
        storage._backend.write = write  # type: ignore[method-assign]  # as it was


async def test_what_is_written_during_a_rotation_is_kept(opened: Opener):
    """Questions asked while it runs are neither lost nor doubled."""
    async with opened(FIRST) as storage:
        turn_ids = await fill(storage, 120)
    async with opened(SECOND, FIRST) as storage:
        running = asyncio.create_task(run(storage))
        fresh = await fill(storage, 20)
        await running
        assert await texts(storage, turn_ids + fresh) == [f"text {n}" for n in [*range(120), *range(20)]]
        assert await heads(storage) == {id_of(SECOND)}


async def test_stored_keys_are_rotated_too(opened: Opener):
    """Hundreds of keys are readable with the new key alone."""
    secrets = [Secret(f"key-number-{number}", "x") for number in range(300)]
    async with opened(FIRST) as storage:
        await asyncio.gather(
            *(storage.vault.add(one, name=f"n{number}", project=None, actor_id=1) for number, one in enumerate(secrets))
        )
    async with opened(SECOND, FIRST) as storage:
        assert await run(storage) == 600  # keys and their entries in the audit
    async with opened(SECOND) as storage:
        assert {key.secret for key in await storage.vault.load()} == set(secrets)


async def test_a_damaged_row_is_named_and_hinders_no_other(opened: Opener, caplog: pytest.LogCaptureFixture):
    """It stays as it is, and the older keys stay needed."""
    async with opened(FIRST) as storage:
        turn_ids = await fill(storage, 3)
        await storage._backend.write(
            lambda connection: connection.execute(
                update(messages)
                .where(messages.c.turn_id == turn_ids[1])
                .values(content=b"\x01damaged by somebody else")
            )
        )
    async with opened(SECOND, FIRST) as storage:
        await run(storage)
        assert "messages.content" in caplog.text
        assert await texts(storage, [turn_ids[0], turn_ids[2]]) == ["text 0", "text 2"]

        async def damaged(connection: Any) -> bytes:
            found: bytes = await connection.scalar(select(messages.c.content).where(messages.c.turn_id == turn_ids[1]))
            return found

        assert await storage._backend.read(damaged) == b"\x01damaged by somebody else"
    with pytest.raises(StorageKeyError, match=id_of(FIRST)):
        async with opened(SECOND):
            pass
