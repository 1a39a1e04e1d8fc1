"""How an answer gets to the client, and how it is spoilt on the way when a fault is ordered.

``Exchange`` is one request with its diary entry; its pauses end as soon as the client is gone. ``send_whole`` and
``send_stream`` deliver an ``Answer``; ``strike_first`` does what a fault does before there is any answer. What always
holds: a client that leaves raises ``ClientLeft`` here and nowhere deeper; no keep-alive is ever sent in a stream, since
the SDK takes none.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from sandbox.clock import SandboxClock
from sandbox.gemini import refusals
from sandbox.gemini.answers import Answer
from sandbox.gemini.diary import Entry
from sandbox.gemini.faults import Fault, Strike
from sandbox.gemini.keys import EmulatedKey
from sandbox.gemini.wire import Json, Refusal, compact, event

_LOOK_EVERY_S = 0.1
_LEAST_SLOW_S = 0.05
_DEFAULT_RETRY_S = 30.0
_HTML_502: Final = (
    "<!DOCTYPE html>\n<html lang=en>\n<title>Error 502 (Server Error)!!1</title>\n"
    "<p><b>502.</b> <ins>That's an error.</ins>\n"
    "<p>The server encountered a temporary error and could not complete your request.\n"
)
_BROKEN = b'{"candidates": [{"content": {"parts": [{"text": "'


class ClientLeft(Exception):  # noqa: N818 - an event, not a mistake
    """The client closed the connection, or the emulator is closing."""


@dataclass(slots=True)
class Exchange:
    """One request being answered."""

    request: web.Request
    entry: Entry
    version: str
    clock: SandboxClock
    closing: asyncio.Event
    key: EmulatedKey | None = None
    body: Json = field(default_factory=dict)
    strike: Strike = field(default_factory=Strike)

    @property
    def owner(self) -> EmulatedKey:
        """The key of a request that was let in; raises Refusal without one."""
        if self.key is None:
            raise refusals.key_missing()
        return self.key

    async def pause(self, seconds: float | None) -> None:
        """Wait that many sandbox seconds (None: for ever); raises ClientLeft when nobody waits any more."""
        until = None if seconds is None else self.clock.now() + seconds
        while until is None or self.clock.now() < until:
            self.check()
            rest = float("inf") if until is None else until - self.clock.now()
            await self.clock.sleep(min(rest, _LOOK_EVERY_S * self.clock.speed))
        self.check()

    def check(self) -> None:
        """Raise ClientLeft if the client is gone or the emulator is closing."""
        transport = self.request.transport
        if transport is None or transport.is_closing() or self.closing.is_set():
            raise ClientLeft

    def stretched(self, seconds: float) -> float:
        """A latency as the ordered slowness makes it; slowness shows even where the usual latency is 0."""
        slowness = self.strike.slowness
        return seconds if slowness == 1 else max(seconds, _LEAST_SLOW_S) * slowness

    def tear(self) -> None:
        """Reset the TCP connection: the peer sees RST, not a clean end."""
        transport = self.request.transport
        if transport is None:
            return
        wire: socket.socket | None = transport.get_extra_info("socket")
        if wire is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


async def strike_first(exchange: Exchange, fault: Fault, model: str) -> web.StreamResponse | None:
    """Do what a fault does before any answer: refuse, hang, reset, or (None) leave the body to be spoilt."""
    kind = fault.kind
    if plain := refusals.PLAIN.get(kind):
        raise plain()
    if kind == "suspended":
        raise refusals.suspended(exchange.owner.secret)
    if kind == "404":
        raise refusals.model_fault(model, exchange.version, exchange.entry.path.rpartition(":")[2])
    if kind in _QUOTA_WINDOWS:
        raise _quota_refusal(fault, model)
    if kind == "hang":
        await exchange.pause(None)
    if kind == "reset":
        exchange.tear()
        return web.Response()
    if kind == "html502":
        return web.Response(status=502, text=_HTML_502, content_type="text/html")
    return None


_QUOTA_WINDOWS: Final = {
    "429": ("rpm", 10),
    "429day": ("rpd", 250),
    "429tokens": ("tpm", 250_000),
    "limit0": ("rpd", 0),
}


def _quota_refusal(fault: Fault, model: str) -> Refusal:
    if fault.factor == 0:
        return refusals.exhausted_bare()
    window = _QUOTA_WINDOWS[fault.kind]
    retry_after = _DEFAULT_RETRY_S if fault.factor is None else fault.factor
    return refusals.exhausted(model, [window], retry_after, kind=fault.kind)


def blocked(fault: Fault, answer: Answer) -> Json:
    """The 200 without an answer: the prompt blocked, or the candidate stopped by safety."""
    if fault.kind == "promptblock":
        return {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {
                "promptTokenCount": answer.prompt_tokens,
                "totalTokenCount": answer.prompt_tokens,
            },
            "modelVersion": answer.model_name,
        }
    rating = {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
    return {
        "candidates": [{"finishReason": "SAFETY", "index": 0, "safetyRatings": [rating]}],
        "usageMetadata": {"promptTokenCount": answer.prompt_tokens, "totalTokenCount": answer.prompt_tokens},
        "modelVersion": answer.model_name,
    }


async def send_whole(exchange: Exchange, answer: Answer, *, latency_s: float) -> web.StreamResponse:
    """Deliver an answer in one document."""
    await exchange.pause(exchange.stretched(latency_s))
    document = answer.document()
    fault = exchange.strike.fault
    match fault.kind if fault else "":
        case "promptblock" | "safety" if fault:
            document = blocked(fault, answer)
        case "malformed":
            return _json_bytes(_BROKEN)
        case "empty":
            return _json_bytes(b"")
        case "miderror":
            raise refusals.overloaded()
        case "truncate":
            document = _truncated(document)
        case "midreset":
            return await _half_of(exchange, compact(document))
    return _json_bytes(compact(document))


def _json_bytes(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json", charset="utf-8")


def _truncated(document: Json) -> Json:
    """The document without its end: half the text of each candidate and no finishReason."""
    for candidate in document["candidates"]:
        candidate.pop("finishReason", None)
        for part in candidate["content"]["parts"]:
            if "text" in part:
                part["text"] = part["text"][: len(part["text"]) // 2]
    return document


async def _half_of(exchange: Exchange, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await _unless_left(lambda: response.prepare(exchange.request))
    await _unless_left(lambda: response.write(body[: len(body) // 2]))
    exchange.tear()
    return response


async def send_stream(
    exchange: Exchange, answer: Answer, *, latency_s: float, gap_s: float, sse: bool
) -> web.StreamResponse:
    """Deliver an answer in pieces, as server-sent events or as one JSON array."""
    await exchange.pause(exchange.stretched(latency_s))
    fault = exchange.strike.fault
    kind = fault.kind if fault else ""
    chunks = [blocked(fault, answer)] if fault and kind in {"promptblock", "safety"} else answer.chunks()
    if not sse:
        body = b"[" + b",\r\n".join(compact(chunk) for chunk in chunks) + b"]"
        return _json_bytes(body)
    events, tears = _events(chunks, kind)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    response.enable_chunked_encoding()
    await _unless_left(lambda: response.prepare(exchange.request))
    exchange.entry.status = response.status
    for number, data in enumerate(events):
        if number:
            await exchange.pause(exchange.stretched(gap_s))
        await _unless_left(lambda data=data: response.write(data))  # type: ignore[misc] # mypy cannot infer the bound default
    if tears:
        exchange.tear()
    else:
        await _unless_left(response.write_eof)
    return response


def _events(chunks: list[Json], kind: str) -> tuple[list[bytes], bool]:
    """The events to send under a fault, and whether the connection is reset after them."""
    events = [event(chunk) for chunk in chunks]
    half = events[: max(1, len(events) // 2)]
    match kind:
        case "midreset":
            return half, True
        case "truncate":
            return half, False
        case "miderror":
            return [*half, event(refusals.overloaded().body())], False
        case "malformed":
            return [b"data: " + _BROKEN + b"\r\n\r\n"], False
        case "empty":
            return [], False
        case _:
            return events, False


async def _unless_left(write: Callable[[], Awaitable[object]]) -> None:
    try:
        await write()
    except ConnectionError as error:
        raise ClientLeft from error
