"""One HTTP session per running loop, and one google-genai client on top of it for all keys.

What always holds: the client knows no key; each request gets that of its attempt from the session's middleware
(``wire``), so that a thousand keys take no thousand clients of 16 KB and half a millisecond; the session ignores proxy
variables of the environment (a proxy is told to the pool once); the SDK never retries by itself. A loop's session is
closed with the loop: it is guarded by an asynchronous generator, which every orderly end of a loop (``asyncio.run``,
``asyncio.Runner``) finalizes before the loop closes.
Why not the SDK's own session: it visits the thread pool twice per request for the proxy variables.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import aiohttp
from google import genai
from google.genai import types

from utils.gemini_pool.provider.rehearsal import rehearse
from utils.gemini_pool.provider.wire import watch

DEFAULT_BASE_URL = "https://generativelanguage.googleapis.com"
DEFAULT_API_VERSION = "v1"


@dataclass(slots=True, eq=False)
class _LoopClients:
    """What belongs to one running loop."""

    session: aiohttp.ClientSession
    guard: AsyncGenerator[None, None]
    client: genai.Client


class Clients:
    """Gives the client of the running loop."""

    def __init__(self, *, base_url: str | None, api_version: str | None, proxy: str | None) -> None:
        self._base_url = (base_url or DEFAULT_BASE_URL).rstrip("/")
        # the SDK's own reading of this setting
        self._api_version = "v1beta" if api_version == "beta" else api_version or DEFAULT_API_VERSION
        self._proxy = proxy
        self._ssl: ssl.SSLContext | None = None
        self._ssl_lock = threading.Lock()
        self._warm = False
        self._loops: dict[asyncio.AbstractEventLoop, _LoopClients] = {}

    async def client(self) -> genai.Client:
        """Give the running loop's client, for use in an ``Exchange``; the first call opens the loop's session."""
        await self.warm_up()
        mine = self._loops.get(asyncio.get_running_loop())
        if mine is None or mine.session.closed:
            mine = await self._open()
        return mine.client

    async def warm_up(self) -> None:
        """Do once, in a thread, what would hold up the loop: certificates are read, the SDK builds its models."""
        if not self._warm:
            await asyncio.to_thread(self._warm_up)

    async def aclose(self) -> None:
        """Close the running loop's session; sessions of other loops end with their loops."""
        mine = self._loops.pop(asyncio.get_running_loop(), None)
        if mine is not None:
            await mine.guard.aclose()

    def _warm_up(self) -> None:
        context = self._ssl_context()
        with self._ssl_lock:
            if not self._warm:
                rehearse(context)
                self._warm = True

    def _ssl_context(self) -> ssl.SSLContext:
        with self._ssl_lock:
            if self._ssl is None:
                self._ssl = ssl.create_default_context()
            return self._ssl

    async def _open(self) -> _LoopClients:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._ssl_context()),
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
            proxy=self._proxy,
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(watch,),
        )
        guard = self._close_with_loop(session)
        await anext(guard)
        client = self._build(session, self._ssl_context())
        mine = self._loops[asyncio.get_running_loop()] = _LoopClients(session, guard, client)
        return mine

    async def _close_with_loop(self, session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._loops.pop(asyncio.get_running_loop(), None)
            await session.close()

    def _build(self, session: aiohttp.ClientSession, context: ssl.SSLContext) -> genai.Client:
        return genai.Client(
            api_key="none",
            enterprise=False,
            http_options=types.HttpOptions(
                base_url=self._base_url,
                api_version=self._api_version,
                retry_options=types.HttpRetryOptions(attempts=1),
                client_args={"verify": context, "trust_env": False},
                async_client_args={"verify": context, "ssl": context},
                aiohttp_client=session,
            ),
        )
