"""Discord's file server: signed addresses that expire.

``Cdn`` signs the address of a stored file (``ex`` and ``is`` are hexadecimal seconds, ``hm`` the signature, as at
Discord) and serves it until then. What always holds: an address that was changed or is too old answers 404.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Callable
from urllib.parse import quote

from aiohttp import web

from sandbox.clock import SandboxClock
from sandbox.discord.limits import DiscordLimits
from sandbox.discord.world import StoredFile

_PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M/wHwAEBgIApD5fRAAAAABJRU5ErkJggg==")

# What people upload is shown, never run.
_HARMLESS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}


class Cdn:
    """Signs and serves the files of one world; ``base_url`` is set once the server listens."""

    def __init__(self, clock: SandboxClock, limits: DiscordLimits, seed: int) -> None:
        self.base_url = "http://127.0.0.1"
        self._clock = clock
        self._limits = limits
        self._secret = f"cdn-{seed}".encode()

    def sign(self, stored: StoredFile) -> str:
        """Return an address of a file that works from now on for the limit's time."""
        now = int(self._clock.now())
        path = f"/attachments/{stored.channel_id}/{stored.id}/{stored.filename}"
        expires, issued = f"{now + int(self._limits.cdn_s):x}", f"{now:x}"
        seal = self._seal(path, expires, issued)
        return f"{self.base_url}{quote(path)}?ex={expires}&is={issued}&hm={seal}&"

    def _seal(self, path: str, expires: str, issued: str) -> str:
        return hmac.new(self._secret, f"{path}?{expires}&{issued}".encode(), hashlib.sha256).hexdigest()

    def serve(self, request: web.Request, find: Callable[[str], StoredFile | None]) -> web.Response:
        """Answer GET /attachments/{channel}/{id}/{name}; ``find`` looks a file up by its id."""
        stored = find(request.match_info["attachment_id"])
        query = request.query
        if stored is None or not self._valid(
            request.path, query.get("ex", ""), query.get("is", ""), query.get("hm", "")
        ):
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=stored.content, headers={**_HARMLESS, "Content-Type": stored.content_type})

    def _valid(self, path: str, expires: str, issued: str, seal: str) -> bool:
        if not hmac.compare_digest(self._seal(path, expires, issued), seal):
            return False
        return int(expires, 16) > self._clock.now()

    @staticmethod
    def avatar(_: web.Request) -> web.Response:
        """Answer any avatar with one transparent pixel."""
        return web.Response(body=_PIXEL, content_type="image/png")
