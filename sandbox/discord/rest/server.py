"""The REST interface's front door: from an HTTP request to a handler and back.

``RestServer.handle`` does what holds for every route, in Discord's order: scripted faults, the route, the token, the
rate limit, the body, the handler; then it checks against Discord's description where one is given, writes the diary and
counts what the bot did wrong. What always holds: the answer's type is exactly ``application/json``, errors have
Discord's shape, and a scripted fault is never held against the bot.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web

from sandbox.discord.buckets import Standing
from sandbox.discord.diary import Diary
from sandbox.discord.errors import ApiError
from sandbox.discord.faults import Script
from sandbox.discord.hub import Hub
from sandbox.discord.rest.routes import Call, Reply, Route, Router
from sandbox.discord.schema import SchemaCheck
from sandbox.discord.world import Upload

_log = logging.getLogger(__name__)
_VIA = {"Via": "1.1 google"}


@dataclass(slots=True)
class _Exchange:
    """What is known of a request while it is served."""

    method: str
    path: str
    route: Route | None = None
    json: Any = None
    standing: Standing | None = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


class RestServer:
    """Serves a table of routes."""

    def __init__(self, hub: Hub, router: Router, diary: Diary, schema: SchemaCheck | None) -> None:
        self._hub = hub
        self._router = router
        self._diary = diary
        self._schema = schema
        self._refused_tokens: set[str] = set()

    async def handle(self, request: web.Request) -> web.Response:
        """Serve one request below ``/api/v10``."""
        exchange = _Exchange(request.method, "/" + request.match_info["tail"])
        script = self._hub.faults.take(exchange.method, exchange.path)
        if script is not None and script.status is not None:
            await request.read()
            return self._scripted(exchange, script)
        try:
            reply = await self._serve(request, exchange)
            response = self._respond(exchange, reply)
        except ApiError as error:
            self._count(exchange, error)
            response = self._refuse(exchange, error)
        self._diary.write(self._hub.clock.now(), exchange.method, exchange.path, response.status, exchange.json)
        if script is not None:
            await asyncio.sleep(script.delay_s)
        return response

    async def _serve(self, request: web.Request, exchange: _Exchange) -> Reply:
        match = self._router.match(exchange.method, exchange.path)
        if match is None:
            raise ApiError(404, 0, "404: Not Found", kind="unknown_route")
        exchange.route, ids = match
        if not exchange.route.open:
            self._authenticate(request)
        self._limit(exchange, ids)
        exchange.json, files = await self._body(request)
        self._check_request(exchange)
        call = Call(ids, dict(request.query), exchange.json, files)
        try:
            result = exchange.route.handler(call)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            _log.exception("a body that the emulator cannot read: %s", exchange.name)
            raise ApiError(400, 50035, "Invalid Form Body") from error
        if isinstance(result, Reply):
            return result
        return Reply(204 if result is None else 200, result)

    def _authenticate(self, request: web.Request) -> None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind == "Bot" and self._hub.knows_token(token):
            return
        if token and token not in self._refused_tokens:
            self._refused_tokens.add(token)
            self._hub.violations.pardon(f"token:{token}")
        raise ApiError(401, 0, "401: Unauthorized", pardon=f"token:{token}")

    def _limit(self, exchange: _Exchange, ids: dict[str, str]) -> None:
        route = exchange.route
        if route is None:
            return
        major = ids.get("channel_id") or ids.get("webhook_token") or ids.get("guild_id") or ""
        standing = None if route.open else self._hub.buckets.take_global()
        exchange.standing = standing or self._hub.buckets.take(route.bucket, major)
        if exchange.standing is not None and exchange.standing.retry_after is not None:
            kind = "edit_rate" if route.method == "PATCH" else "provoked_429"
            raise ApiError(429, 0, "You are being rate limited.", kind=kind)

    async def _body(self, request: web.Request) -> tuple[Any, list[Upload]]:
        if request.content_length and request.content_length > self._hub.limits.request_bytes:
            raise ApiError(413, 40005, "Request entity too large", kind="body_limit")
        if request.content_type.startswith("multipart/"):
            return await _multipart(request)
        raw = await request.read()
        if not raw:
            return None, []
        try:
            return json.loads(raw), []
        except ValueError:
            raise ApiError(400, 50109, "The request body contains invalid JSON.") from None

    def _check_request(self, exchange: _Exchange) -> None:
        if self._schema is None or exchange.route is None or exchange.json is None:
            return
        for sentence in self._schema.request(exchange.method, exchange.route.template, exchange.json):
            self._hub.violations.record("schema_request", sentence, exchange.name)

    def _respond(self, exchange: _Exchange, reply: Reply) -> web.Response:
        if self._schema is not None and exchange.route is not None:
            answered = json.loads(json.dumps(reply.body))
            template = exchange.route.template
            for sentence in self._schema.answer(exchange.method, template, reply.status, answered):
                self._hub.violations.record("schema_answer", sentence, exchange.name)
        return self._json(reply.status, reply.body, exchange.standing)

    def _count(self, exchange: _Exchange, error: ApiError) -> None:
        if self._hub.violations.use_pardon(error.pardon):
            return
        kind = error.kind or f"provoked_{error.status}"
        if kind == "provoked_413":
            kind = "body_limit"
        details = f" {json.dumps(error.errors)}" if error.errors else ""
        self._hub.violations.record(kind, f"{error.message} ({error.code}){details}", exchange.name)

    def _refuse(self, exchange: _Exchange, error: ApiError) -> web.Response:
        standing = exchange.standing
        if error.status == 429 and standing is not None and standing.retry_after is not None:
            return self._rate_limited(standing, standing.retry_after)
        return self._json(error.status, error.body(), standing)

    def _rate_limited(self, standing: Standing, retry_after: float) -> web.Response:
        body = {
            "message": "You are being rate limited.",
            "code": 0,
            "retry_after": round(retry_after, 3),
            "global": standing.everywhere,
        }
        headers = {
            **_VIA,
            "Retry-After": str(max(1, round(retry_after))),
            "X-RateLimit-Scope": "global" if standing.everywhere else "user",
        }
        return self._json(429, body, standing, headers)

    def _scripted(self, exchange: _Exchange, script: Script) -> web.Response:
        status = script.status or 500
        self._diary.write(self._hub.clock.now(), exchange.method, exchange.path, status, {"scripted": status})
        if status != 429:
            return web.Response(status=status, text="upstream error", headers=_VIA)
        body = {"message": "You are being rate limited.", "retry_after": script.retry_after, "global": False}
        return self._json(429, body, None, _VIA if script.via else {})

    def _json(
        self, status: int, body: Any, standing: Standing | None, headers: dict[str, str] | None = None
    ) -> web.Response:
        sent = {**(headers or {}), **(standing.headers(self._hub.clock.now()) if standing else {})}
        if status == 204:
            return web.Response(status=204, headers=sent)
        encoded = json.dumps(body, ensure_ascii=False).encode()
        return web.Response(body=encoded, status=status, headers={**sent, "Content-Type": "application/json"})


async def _multipart(request: web.Request) -> tuple[Any, list[Upload]]:
    payload: Any = {}
    files: list[tuple[int, Upload]] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read(decode=False))
        if part.name == "payload_json":
            payload = json.loads(content)
        elif part.filename is not None:
            kind = part.headers.get("Content-Type", "application/octet-stream")
            files.append((_number(part.name), Upload(part.filename, kind, content)))
    return payload, [upload for _, upload in sorted(files, key=lambda pair: pair[0])]


def _number(name: str | None) -> int:
    digits = "".join(c for c in name or "" if c.isdigit())
    return int(digits or 0)
