"""Databases for the storage's tests: a fresh file, or the emptied database of the session's PostgreSQL server."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # asyncpg ships no types
import pytest
from blockbuster import BlockBuster

from tests.storage.postgres_server import CannotStartError, running_server
from utils.storage import Conversation, Storage, Turn, open_storage


class WallClock:
    """A wall clock that stands still until it is set; ``now`` is unix seconds."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Asker:
    """Asks questions whose details do not matter to a test, with a source id of its own for each."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._sources = itertools.count(1_000)

    async def conversation(self, *, owner_id: int = 7, guild_id: int | None = 5, channel_id: int = 11) -> Conversation:
        return await self.storage.conversations.open_conversation(
            kind="thread",
            guild_id=guild_id,
            channel_id=channel_id,
            owner_id=owner_id,
            model="some-model",
            instructions="be kind",
            title="a title",
        )

    async def ask(self, conversation: Conversation, text: str, *, user_id: int = 7, **fields) -> Turn:
        given = {
            "source_id": next(self._sources),
            "user_name": "Ann",
            "guild_id": conversation.guild_id,
            "channel_id": conversation.channel_id,
            "attachments": (),
            "locale": "en-US",
            **fields,
        }
        turn = await self.storage.conversations.ask(conversation.id, user_id=user_id, text=text, **given)
        assert turn is not None
        return turn

    async def answer(self, turn: Turn, text: str) -> bool:
        return await self.storage.conversations.finish(
            turn.id, text=text, model="some-model", input_tokens=3, output_tokens=4, seconds=1.5
        )


@pytest.fixture(autouse=True)
def asyncpg_may_look_for_a_password_file(no_blocking_calls: BlockBuster) -> None:
    """It does so whenever it connects without a password: a handful of times in a process's life, 0.1 ms each."""
    no_blocking_calls.functions["os.stat"].can_block_in("asyncpg/connect_utils.py", "_read_password_file")


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    try:
        with running_server() as folder:
            yield folder
    except CannotStartError as reason:
        pytest.skip(f"no PostgreSQL server: {reason}")


@pytest.fixture
def postgres_url(postgres_folder: Path) -> str:
    """The address of the session's one database, emptied: making one anew for each test takes four times as long."""

    async def empty() -> None:
        connection = await asyncpg.connect(host=str(postgres_folder), user="postgres", database="postgres")
        try:
            await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        finally:
            await connection.close()

    asyncio.run(empty())
    return f"postgresql://postgres@/postgres?host={postgres_folder}"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'bot.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database, once of each kind."""
    made: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return made


@pytest.fixture
def wall() -> WallClock:
    return WallClock()


@pytest.fixture
def open_it(url: str, wall: WallClock) -> Callable[[], AbstractAsyncContextManager[Storage]]:
    """Opens the database under test; used more than once, it is a restart."""
    return lambda: open_storage(url, wall=wall)


@pytest.fixture
async def storage(open_it: Callable[[], AbstractAsyncContextManager[Storage]]) -> AsyncIterator[Storage]:
    async with open_it() as opened:
        yield opened


@pytest.fixture
def asker(storage: Storage) -> Asker:
    return Asker(storage)
