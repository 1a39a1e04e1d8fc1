"""The real sandbox on free ports, with a plain HTTP client that speaks to its control interface."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.server import RunningSandbox, ServerOptions, running


@pytest.fixture
async def box() -> AsyncIterator[RunningSandbox]:
    async with running(ServerOptions(port=0, seed=3)) as sandbox:
        yield sandbox


@pytest.fixture
async def client(box: RunningSandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(box.page_url) as session:
        yield session


@pytest.fixture
def general(box: RunningSandbox) -> str:
    """The id of #general."""
    assert box.discord is not None
    return next(str(one["id"]) for one in box.discord.state()["channels"] if one["name"] == "general")
