"""A service on this machine that answers with bytes told beforehand and keeps what it was asked."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from google import genai
from google.genai import types


class Scripted:
    """Gives its answers in turn, the last one again and again; each is a list of what is written at once."""

    def __init__(self) -> None:
        self.address = ""
        self.answers: list[list[bytes]] = []
        self.asked: list[dict[str, Any]] = []
        self.connections: set[object] = set()
        self.pace: Callable[[list[bytes]], AsyncIterator[bytes]] = _at_once

    def whole(self, *documents: object) -> None:
        """Answer with these documents, one for each request."""
        self.answers = [[json.dumps(document).encode()] for document in documents]

    def streams(self, *streams: list[object], piece_bytes: int | None = None) -> None:
        """Answer with these streams of documents, written event by event or in so many bytes at once."""
        self.answers = []
        for documents in streams:
            events = [b"data: " + json.dumps(document).encode() + b"\r\n\r\n" for document in documents]
            wire = b"".join(events)
            cut = [wire[at : at + piece_bytes] for at in range(0, len(wire), piece_bytes)] if piece_bytes else events
            self.answers.append(cut)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer as told."""
        self.asked.append(await request.json())
        self.connections.add(request.transport)
        pieces = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        kind = "text/event-stream" if "stream" in request.path else "application/json"
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        async for piece in self.pace(pieces):
            await response.write(piece)
        await response.write_eof()
        return response

    def client(self) -> genai.Client:
        """Give a plain client of the SDK for comparison."""
        # a context that knows no certificates: reading those takes longer than all of a test
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        options = types.HttpOptions(
            base_url=self.address,
            retry_options=types.HttpRetryOptions(attempts=1),
            client_args={"verify": context},
            async_client_args={"verify": context, "ssl": context},
        )
        return genai.Client(api_key="key", enterprise=False, http_options=options)


async def _at_once(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """Run such a service."""
    service = Scripted()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()


def document(text: str, finish: str | None = "STOP", **more: Any) -> dict[str, Any]:
    """Make an answer, or a piece of one, with one text."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 5, "totalTokenCount": 8}
    return {"candidates": [candidate | more], "usageMetadata": usage, "modelVersion": "m", "responseId": "r"}
