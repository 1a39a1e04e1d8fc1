"""Posting one message to a webhook: the way an alert leaves the process without Discord's gateway.

``Webhook.post`` sends ``{"content": text}``, which Discord and many others understand. What always holds: the address,
which lets whoever knows it post, is in no error and no log; nothing is raised but ``asyncio.CancelledError``; a
redirection is not followed. Shape: https://discord.com/developers/docs/resources/webhook#execute-webhook .
"""

from __future__ import annotations

import asyncio
import ssl

import aiohttp

from utils.security import Secret

_TIMEOUT_S = 10.0
#: Discord refuses longer messages.
_LONGEST = 2000


class Webhook:
    """An address that takes messages; ``proxy``: the proxy to it, or None."""

    def __init__(self, address: Secret, proxy: str | None = None) -> None:
        self._address = address
        self._proxy = proxy

    async def post(self, text: str) -> str | None:
        """Post a message, cut to 2,000 characters; answers None, or in a word or two why it did not arrive."""
        try:
            # certificates are read from disk, which is a thread's work
            context = await asyncio.to_thread(ssl.create_default_context)
            timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
            async with (
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), timeout=timeout) as session,
                session.post(
                    self._address.reveal(),
                    json={"content": text[:_LONGEST]},
                    proxy=self._proxy,
                    allow_redirects=False,
                ) as answer,
            ):
                # 300 and above: also a redirection did not deliver it
                return None if answer.status < 300 else f"HTTP {answer.status}"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # TimeoutError is an OSError; an address that is none makes a ValueError that quotes it
            return type(error).__name__
