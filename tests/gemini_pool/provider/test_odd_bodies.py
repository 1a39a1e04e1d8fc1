"""Answers no documentation knows: whatever the service says, what comes out is an answer or an error of the tree."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from google.genai import types

from tests.gemini_pool.conftest import QUICK
from utils.gemini_pool import GeminiAPIPool, PoolError, QuotaExhaustedError, UnavailableError
from utils.gemini_pool.provider.answers import merge

GOOD = {"candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP", "index": 0}]}


class Service:
    """Answers every request with the same bytes."""

    def __init__(self) -> None:
        self.body = b""
        self.status = 200
        self.headers: dict[str, str] = {}
        self.address = ""

    async def answer(self, request: web.Request) -> web.Response:
        """Answer as told."""
        await request.read()
        return web.Response(body=self.body, status=self.status, headers=self.headers)

    def say(self, body: object, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        """Set the answer; anything but bytes becomes JSON."""
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status = status
        self.headers = {"Content-Type": kind, **headers}


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A service on this machine."""
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield service
    await runner.cleanup()


@pytest.fixture
async def pool(service: Service) -> AsyncIterator[GeminiAPIPool]:
    """A pool of one key."""
    pool = GeminiAPIPool(api_keys=["key-one"], base_url=service.address, config=QUICK)
    yield pool
    await pool.aclose()


ODD: dict[str, object] = {
    "array": [],
    "array of an answer": [GOOD],
    "text": "hello",
    "number": 5,
    "null": None,
    "empty object": {},
    "candidates of a wrong shape": {"candidates": "none"},
    "candidates null": {"candidates": [None]},
    "content of a wrong shape": {"candidates": [{"content": "hi", "finishReason": "STOP"}]},
    "parts of a wrong shape": {"candidates": [{"content": {"parts": {"text": "hi"}}, "finishReason": "STOP"}]},
    "usage of a wrong shape": {**GOOD, "usageMetadata": "many"},
    "error in a 200": {"error": {"code": 500, "message": "x", "status": "INTERNAL"}},
    "error without code in a 200": {"error": {"message": "x"}},
    "error that is a text": {"error": "x"},
    "html": b"<html><body>please log in</body></html>",
    "broken": b'{"candidates": [',
    "empty": b"",
    "not UTF-8": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
async def test_an_odd_200_never_raises(service: Service, pool: GeminiAPIPool, body: object):
    """Whole and streamed; nothing foreign comes out and nothing hangs."""
    service.say(body)
    error, success = await pool.generate_content(prompt="Hello", max_retries=1, deadline_s=3.0)
    assert success or isinstance(error, UnavailableError), repr(error)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    for wire in (raw, b"data: " + raw + b"\r\n\r\n"):
        service.say(wire, kind="text/event-stream")
        # some are an answer all the same; anything else must be an error of the tree
        with contextlib.suppress(PoolError):
            assert [piece async for piece in pool.stream_content(prompt="Hello", max_retries=0, deadline_s=3.0)]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 499, 500, 503, 302, 204])
async def test_an_odd_refusal_never_raises(service: Service, pool: GeminiAPIPool, status: int):
    """Every status with every body is an error of the tree."""
    for body in [b""] if status == 204 else [*ODD.values(), GOOD]:
        service.say(body, status=status)
        pool.reset_api_pool()
        error, success = await pool.generate_content(prompt="Hello", max_retries=0, deadline_s=2.0)
        assert not success
        assert isinstance(error, PoolError), (body, error)


async def test_a_429_with_broken_json_is_a_refusal_all_the_same(service: Service, pool: GeminiAPIPool):
    """The SDK raises a JSON error for it; no question is answered and none is lost in the air."""
    service.say(b'{"error": {"code": 429', status=429)
    error, success = await pool.generate_content(prompt="Hello", max_retries=0, deadline_s=2.0)
    assert not success
    assert isinstance(error, UnavailableError)


async def test_the_retry_after_header_is_read(service: Service, pool: GeminiAPIPool):
    """Where the body tells no delay the header does."""
    body = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow down", "details": []}}
    service.say(body, status=429, **{"Retry-After": "77"})
    error, _ = await pool.generate_content(prompt="Hello", deadline_s=2.0)
    assert isinstance(error, QuotaExhaustedError)
    assert error.retry_after == pytest.approx(77, abs=1)


@pytest.mark.parametrize(
    "reason", ["MALFORMED_FUNCTION_CALL", "OTHER", "BRAND_NEW", "PUP_LIMITED_DISABLED", "RECITATION"]
)
async def test_finish_reasons_without_content_are_no_answers(service: Service, pool: GeminiAPIPool, reason: str):
    """An HTTP 200 that ended for another reason than completion, with nothing said, is an error."""
    service.say({"candidates": [{"finishReason": reason, "index": 0}]})
    error, success = await pool.generate_content(prompt="Hello", max_retries=0, deadline_s=2.0)
    assert not success
    assert isinstance(error, PoolError)


def test_several_candidates_are_merged_by_index():
    """A stream of two candidates gives both, each with its own text (asked in pieces inside after an overrun)."""

    def piece(index: int, text: str, finish: str | None = None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": index}
        return {"candidates": [candidate | ({"finishReason": finish} if finish else {})]}

    merged = merge([piece(0, "a"), piece(1, "x"), piece(0, "b", "STOP"), piece(1, "y", "MAX_TOKENS")])
    assert merged.candidates is not None
    texts = [
        candidate.content.parts[0].text
        for candidate in merged.candidates
        if candidate.content and candidate.content.parts
    ]
    assert texts == ["ab", "xy"]
    assert merged.candidates[1].finish_reason == types.FinishReason.MAX_TOKENS


@pytest.mark.filterwarnings("ignore:BRAND_NEW is not a valid FinishReason")
async def test_an_answer_that_ended_with_a_new_word_is_an_answer(service: Service, pool: GeminiAPIPool):
    """The SDK only remarks on it; what was said is handed out."""
    content = {"role": "model", "parts": [{"text": "hi"}]}
    service.say({"candidates": [{"content": content, "finishReason": "BRAND_NEW", "index": 0}]})
    response, success = await pool.generate_content(prompt="Hello")
    assert success
    assert response.text == "hi"
