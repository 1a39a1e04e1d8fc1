"""The transport's side of an attempt: requests get its key and are counted, plain answers never reach the SDK.

``watch`` is a middleware of the session (https://docs.aiohttp.org/en/stable/client_advanced.html#client-middleware).
The SDK parses every piece of a stream three times and prunes it in Python, four times the work of validating it once;
so a ``Taker`` in the attempt's context takes what it can read, and the SDK goes on with the rest. What always holds:
nothing is sent outside of an attempt; whatever is not a plain good answer (refusals, errors inside a stream,
continuations, broken or odd bodies) is handed to the SDK untouched and stays its affair; an answer that nobody reads to
its end is closed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from utils.security import Secret

Handler = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]

_DATA = b"data: "
_KEY_HEADER = "x-goog-api-key"


class SentRequests:
    """Counts the HTTP requests of one attempt."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class Taker(Protocol):
    """Takes answers off the wire."""

    async def take(self, response: aiohttp.ClientResponse) -> bytes | None:
        """Take an answer; None when all of it was taken, else the bytes read but not taken."""


@dataclass(slots=True, eq=False)
class Exchange:
    """One attempt as the transport sees it: whose ``key`` it uses; without a ``taker`` everything is the SDK's."""

    key: Secret
    sent: SentRequests
    taker: Taker | None = None


#: Set in the context of every attempt.
EXCHANGE: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


async def watch(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
    """Put the attempt's key into a request, count it, and let the attempt's taker read the answer.

    :raises RuntimeError: there is no attempt, so it is nobody's.
    """
    exchange = EXCHANGE.get()
    if exchange is None:
        raise RuntimeError("a request outside of an attempt has no key")
    request.headers[_KEY_HEADER] = exchange.key.reveal()
    exchange.sent.count += 1
    response = await handler(request)
    if exchange.taker is None or response.status != 200:
        return response
    try:
        rest = await exchange.taker.take(response)
    except BaseException:
        # the session does not know of this response yet
        response.close()
        raise
    if rest is not None:
        # what follows is read by the SDK, or by takers of further requests never: the SDK has begun to act by itself
        exchange.taker = None
        response.content = _Rest(rest, response.content)  # type: ignore[assignment]  # reads like the stream it stands for
    return response


class _Rest:
    """A stream of which a part was read already."""

    def __init__(self, begin: bytes, more: aiohttp.StreamReader) -> None:
        self._begin = begin
        self._more = more

    def __getattr__(self, name: str) -> Any:
        return getattr(self._more, name)

    async def read(self) -> bytes:
        return self._begin + await self._more.read()

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self._begin
        async for data in self._more.iter_any():
            yield data


class WholeTaker:
    """Takes an answer that comes in one document; ``read`` says whether it could."""

    def __init__(self, read: Callable[[bytes, aiohttp.ClientResponse], bool]) -> None:
        self._read = read

    async def take(self, response: aiohttp.ClientResponse) -> bytes | None:
        """Read the body to its end."""
        body = await response.content.read()
        return None if self._read(body, response) else body


class EventTaker:
    """Takes the events of a stream, each a line ``data: {...}``, until one that ``read`` cannot take.

    ``heard`` is called whenever something came.
    """

    def __init__(
        self, read: Callable[[bytes, aiohttp.ClientResponse], Awaitable[bool]], heard: Callable[[], None]
    ) -> None:
        self._read = read
        self._heard = heard

    async def take(self, response: aiohttp.ClientResponse) -> bytes | None:
        """Read events as they come."""
        begun: list[bytes] = []
        async for data in response.content.iter_any():
            self._heard()
            begun.append(data)
            if b"\n" not in data:
                continue
            lines = b"".join(begun).split(b"\n")
            for number, line in enumerate(lines[:-1]):
                if not await self._take_line(line.rstrip(), response):
                    return b"\n".join(lines[number:])
            begun = lines[-1:]
        return b"".join(begun) or None

    async def _take_line(self, line: bytes, response: aiohttp.ClientResponse) -> bool:
        return not line or (line.startswith(_DATA) and await self._read(line[len(_DATA) :], response))
