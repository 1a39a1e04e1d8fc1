"""Files from Discord's file servers: an HTTP server that misbehaves in every way, and what is made of it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from cogs.fetching import Fetcher, FetchError
from tests.cogs.conftest import serve, until


class FileServer:
    """Answers by the last step of the path; ``waiting`` counts who is kept waiting."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.waiting = 0
        self.go_on = asyncio.Event()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer, or misbehave."""
        name = request.match_info["name"]
        self.asked.append(name)
        self.headers = dict(request.headers)
        if name == "redirect":
            raise web.HTTPFound("/good")
        if name == "missing":
            return web.Response(status=404, text="gone")
        if name == "bomb":
            return web.Response(body=gzip.compress(bytes(1_000_000)), headers={"Content-Encoding": "gzip"})
        if name == "wait":
            self.waiting += 1
            await self.go_on.wait()
        if name in {"endless", "torn"}:
            return await self._stream(request, torn=name == "torn")
        return web.Response(body=b"the file")

    async def _stream(self, request: web.Request, *, torn: bool) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"} if torn else {})
        await response.prepare(request)
        await response.write(b"x" * 500)
        if torn:
            assert request.transport is not None
            request.transport.abort()
            return response
        while True:
            await response.write(b"x" * 65_536)


@pytest.fixture
async def server() -> AsyncIterator[tuple[FileServer, str]]:
    """Give a file server and its address."""
    files = FileServer()
    app = web.Application()
    app.router.add_get("/{name}", files.serve)
    async with AsyncExitStack() as stack:
        yield files, await serve(app, stack)
        files.go_on.set()


async def test_a_file_is_given_as_it_is(server):
    """Whole, and asked for without compression."""
    files, url = server
    assert await Fetcher({urlsplit(url).netloc}).fetch(f"{url}/good?ex=1&hm=2", 8) == b"the file"
    assert files.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("name", ["redirect", "missing", "bomb", "endless", "torn"])
async def test_whatever_is_wrong_ends_in_one_error_without_the_address(server, name):
    """Redirects, compressed and endless bodies, broken connections: nothing is taken, and no signature is logged."""
    files, url = server
    with pytest.raises(FetchError) as caught:
        await Fetcher({urlsplit(url).netloc}).fetch(f"{url}/{name}?hm=secret", 200_000)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert files.asked == [name]


async def test_one_byte_too_many_is_too_many(server):
    """What was said to be small must be small."""
    _files, url = server
    with pytest.raises(FetchError, match="larger"):
        await Fetcher({urlsplit(url).netloc}).fetch(f"{url}/good", 7)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/x",
        "https://example.com/x",
        "https://cdn.discordapp.com.evil.example/x",
        "https://cdn.discordapp.com@evil.example/x",
        "https://evil.example/cdn.discordapp.com",
        "http://cdn.discordapp.com/x",
        "ftp://cdn.discordapp.com/x",
        "file:///etc/passwd",
        "https://[::1/x",
        "",
    ],
)
async def test_other_places_are_never_asked(address):
    """Only Discord's own hosts, only over https."""
    with pytest.raises(FetchError):
        await Fetcher({"cdn.discordapp.com"}).fetch(address, 10)


async def test_so_many_are_fetched_at_once_and_the_rest_wait(server):
    """Three of five; when one is done, the next begins."""
    files, url = server
    fetcher = Fetcher({urlsplit(url).netloc}, at_once=3)
    tasks = [asyncio.create_task(fetcher.fetch(f"{url}/wait", 8)) for _ in range(5)]
    await until(lambda: files.waiting == 3)
    await fetch_elsewhere(url)
    assert files.waiting == 3
    files.go_on.set()
    assert await asyncio.gather(*tasks) == [b"the file"] * 5


async def fetch_elsewhere(url: str) -> None:
    """Give the others time to begin, by a whole request of its own."""
    assert await Fetcher({urlsplit(url).netloc}).fetch(f"{url}/good", 8)


async def test_a_slow_server_is_left_in_time(server):
    """Nobody waits longer than was said."""
    _files, url = server
    with pytest.raises(FetchError, match="TimeoutError"):
        await Fetcher({urlsplit(url).netloc}, timeout_s=0.05).fetch(f"{url}/wait", 8)
