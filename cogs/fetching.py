"""Files from Discord's own file servers, and from nowhere else.

``Fetcher.fetch(url, most)`` gives the bytes behind an address. What always holds: only the given hosts are asked, over
https (a host of loopback's, as in the sandbox, may do without); a redirect is not followed; nothing is decompressed on
the way, so what arrives is what is counted, and never more than ``most`` bytes are taken; so many fetches run at once
and no more, each for ``timeout_s`` seconds at most, the wait for its turn apart. Errors: FetchError, which says what
was wrong and holds no address, since those are signed.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

import aiohttp

AT_ONCE = 3
TIMEOUT_S = 20.0

_PIECE = 64 * 1024


class FetchError(Exception):
    """A file could not be fetched, or may not be."""


class Fetcher:
    """Fetches files from ``hosts`` (names, with a port where there is one); serves one event loop."""

    def __init__(self, hosts: Collection[str], *, at_once: int = AT_ONCE, timeout_s: float = TIMEOUT_S) -> None:
        self._hosts = frozenset(hosts)
        self._timeout_s = timeout_s
        self._turns = asyncio.Semaphore(at_once)

    async def fetch(self, url: str, most: int) -> bytes:
        """Give the bytes behind an address, at most ``most`` of them; raises FetchError."""
        self._check(url)
        async with self._turns:
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await _read(url, most)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise FetchError(f"the file server did not deliver: {type(error).__name__}") from None

    def _check(self, url: str) -> None:
        try:
            address = urlsplit(url)
        except ValueError:
            raise FetchError("the address cannot be read") from None
        if address.netloc not in self._hosts:
            raise FetchError("the address is not one of Discord's file servers")
        if address.scheme != "https" and not (address.scheme == "http" and _is_loopback(address)):
            raise FetchError("the address is not an https one")


async def _read(url: str, most: int) -> bytes:
    # what is decompressed on the way could be of any size, so it is neither asked for nor taken
    headers = {"Accept-Encoding": "identity"}
    async with (
        aiohttp.ClientSession(auto_decompress=False, headers=headers) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        if response.status != 200:
            raise FetchError(f"the file server answered {response.status}")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise FetchError("the file server sent the file compressed")
        content = bytearray()
        async for piece in response.content.iter_chunked(_PIECE):
            content += piece
            if len(content) > most:
                raise FetchError("the file is larger than it was said to be")
        return bytes(content)


def _is_loopback(address: SplitResult) -> bool:
    try:
        return ipaddress.ip_address(address.hostname or "").is_loopback
    except ValueError:
        return address.hostname == "localhost"
