"""Answers taken off the wire: the same objects the SDK would have made, and everything odd left to the SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.genai import types

from tests.gemini_pool.conftest import QUICK
from tests.gemini_pool.provider.scripted import Scripted, document, scripted
from utils.gemini_pool import GeminiAPIPool, PoolError
from utils.gemini_pool.policy.latency import Limits
from utils.gemini_pool.provider.attempts import Ask, Attempt
from utils.gemini_pool.provider.calls import Provider
from utils.gemini_pool.provider.clients import Clients
from utils.gemini_pool.provider.wire import SentRequests
from utils.security import Redactor, Secret

LIMITS = Limits(first_byte_s=10.0, between_chunks_s=10.0)
PICTURE = {"inlineData": {"mimeType": "image/png", "data": "//4="}}
ANSWERS: dict[str, dict[str, Any]] = {
    "text": document("hi"),
    "a thought": document("", content={"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "hi"}]}),
    "a signature": document("", content={"role": "model", "parts": [{"text": "hi", "thoughtSignature": "__4="}]}),
    "a picture": document("", content={"role": "model", "parts": [{"text": "hi"}, PICTURE]}),
    "a call": document("", content={"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]}),
    "citations": document("hi", citationMetadata={"citationSources": [{"startIndex": 1, "uri": "u"}]}),
    "ratings": document("hi", safetyRatings=[{"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW", "new": 1}]),
    "unknown fields": {**document("hi", invented=[1]), "invented": {"a": 1}},
    "an unknown field of a part": document("", content={"role": "model", "parts": [{"text": "hi", "invented": 1}]}),
    "two candidates": {"candidates": [document("a")["candidates"][0], {**document("b")["candidates"][0], "index": 1}]},
}


@pytest.fixture
async def service() -> AsyncIterator[Scripted]:
    """A service to be told its answers."""
    async with scripted() as service:
        yield service


@pytest.fixture
async def pool(service: Scripted) -> AsyncIterator[GeminiAPIPool]:
    """A pool of one key."""
    async with GeminiAPIPool(api_keys=["key"], base_url=service.address, config=QUICK) as pool:
        yield pool


@pytest.fixture
async def provider(service: Scripted) -> AsyncIterator[Provider]:
    """The border by itself."""
    key = Secret("key", "Key #1")
    provider = Provider(
        Clients(base_url=service.address, api_version=None, proxy=None), {"f": key}.__getitem__, Redactor()
    )
    yield provider
    await provider.aclose()


def content(response: types.GenerateContentResponse) -> dict[str, Any]:
    """All a response holds but the headers of its HTTP answer."""
    return response.model_dump(exclude_none=True, exclude={"sdk_http_response", "automatic_function_calling_history"})


async def in_pieces(provider: Provider, whole_s: float = 10.0) -> Attempt:
    """Ask for one answer by a stream inside."""
    ask = Ask.prepare("m", [{"role": "user", "parts": [{"text": "Why?"}]}], {})
    return await provider.generate_in_pieces("f", ask, LIMITS, SentRequests(), whole_s=whole_s)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
async def test_answers_equal_the_plain_sdks(
    service: Scripted, pool: GeminiAPIPool, provider: Provider, answer: dict[str, Any]
):
    """Whole, streamed and streamed inside: the same fields with the same values, and the HTTP headers with them."""
    service.whole(answer)
    client = service.client()
    plain = await client.aio.models.generate_content(model="m", contents="Why?")
    ours, success = await pool.generate_content(prompt="Why?")
    assert success, ours
    assert not isinstance(ours, PoolError)
    assert content(ours) == content(plain)
    assert ours.sdk_http_response is not None
    assert ours.sdk_http_response.headers is not None
    assert ours.sdk_http_response.headers["Content-Type"] == "application/json"
    service.streams([answer])
    assert [content(piece) async for piece in pool.stream_content(prompt="Why?")] == [content(plain)]
    gathered = (await in_pieces(provider)).response
    assert gathered is not None
    assert content(gathered) == content(plain)
    await client.aio.aclose()
    client.close()


@pytest.mark.parametrize("piece_bytes", [1, 7, 64, 100_000])
async def test_events_may_be_cut_anywhere(service: Scripted, pool: GeminiAPIPool, provider: Provider, piece_bytes: int):
    """How the network cuts a stream does not show."""
    words = ["Ä", "ö\n\ndata: ", "ü \U0001f600", "."]
    stream: list[object] = [document(word, "STOP" if word == "." else None) for word in words]
    service.streams(stream, piece_bytes=piece_bytes)
    assert [piece.text async for piece in pool.stream_content(prompt="Why?")] == words
    attempt = await in_pieces(provider)
    assert attempt.response is not None
    assert attempt.response.text == "".join(words)
    assert (attempt.requests, attempt.input_tokens, attempt.output_tokens) == (1, 3, 5)


@pytest.mark.parametrize("odd", ["unknown field", "comment", "error", "broken", "no newline at the end"])
async def test_what_cannot_be_taken_is_left_to_the_sdk(service: Scripted, pool: GeminiAPIPool, odd: str):
    """Pieces before and after keep their order; what the SDK takes for an error is one."""
    plain = b"data: " + json.dumps(document("one ", None)).encode() + b"\r\n\r\n"
    end = b"data: " + json.dumps(document("two.")).encode()
    between: dict[str, bytes] = {
        "unknown field": b'data: {"candidates": [{"content": {"parts": [{"text": "and ", "new": 1}]}}]}\n\n',
        "comment": b": ping\r\n\r\n",
        "error": b'data: {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}\r\n\r\n',
        "broken": b'data: {"candidates": [\r\n\r\n',
        "no newline at the end": b"",
    }
    service.answers = [[plain + between[odd], end]]
    texts: list[str] = []
    error: PoolError | None = None
    try:
        texts.extend([piece.text or "" async for piece in pool.stream_content(prompt="Why?", max_retries=0)])
    except PoolError as raised:
        error = raised
    if odd in ("comment", "error", "broken"):
        assert error is not None
    else:
        assert error is None
        assert texts == (["one ", "and ", "two."] if odd == "unknown field" else ["one ", "two."])


async def test_a_continuation_is_the_sdks(service: Scripted, pool: GeminiAPIPool, provider: Provider):
    """An answer that says it is to be continued is, by the SDK, and every request is counted."""
    first = document("one ", "CONTINUATION", continuationToken="dG9rZW4=")
    service.whole(first, document("two."))
    answer, success = await pool.generate_content(prompt="Why?")
    assert success, answer
    assert not isinstance(answer, PoolError)
    assert answer.text == "one two."
    service.streams([document("zero ", None), first], [document("and ", None), document("two.")])
    assert "".join([piece.text or "" async for piece in pool.stream_content(prompt="Why?")]) == "zero one and two."
    service.streams([document("zero ", None), first], [document("and ", None), document("two.")])
    attempt = await in_pieces(provider)
    assert attempt.response is not None
    assert attempt.response.text == "zero one and two."
    assert attempt.requests == 2
    assert ["continuationToken" in asked for asked in service.asked] == [False, True] * 3
    assert pool.get_api_key_stats()["total_requests"] == 4


async def test_a_taken_stream_leaves_its_connection_for_the_next(service: Scripted, pool: GeminiAPIPool):
    """Ten streams after one another need one connection."""
    service.streams([document("a", None), document("b")])
    for _ in range(10):
        assert [piece.text async for piece in pool.stream_content(prompt="Why?")] == ["a", "b"]
    assert len(service.connections) == 1


async def test_functions_are_called_by_the_sdk(service: Scripted, pool: GeminiAPIPool):
    """A Python function among the tools is run, and the answer to its result comes out."""
    called: list[str] = []

    def look_up(word: str) -> str:
        """Look a word up."""
        called.append(word)
        return "found"

    call = {"functionCall": {"name": "look_up", "args": {"word": "sky"}}}
    service.whole(document("", content={"role": "model", "parts": [call]}), document("It is there."))
    answer, success = await pool.generate_content(prompt="Why?", tools=[look_up])
    assert success, answer
    assert not isinstance(answer, PoolError)
    assert (called, answer.text) == (["sky"], "It is there.")


async def test_an_attempt_tells_how_long_it_took(service: Scripted, provider: Provider):
    """A streamed answer's first byte comes before its end; a whole one has no first byte of its own."""
    service.streams([document("a", None), document("b")])
    streamed = await in_pieces(provider)
    assert streamed.first_s is not None
    assert 0 < streamed.first_s <= streamed.seconds
    service.whole(document("a"))
    ask = Ask.prepare("m", [{"role": "user", "parts": [{"text": "Why?"}]}], {})
    whole = await provider.generate("f", ask, LIMITS, SentRequests())
    assert whole.first_s is None
    assert whole.seconds > 0


async def test_a_stream_inside_has_a_deadline_for_all_of_it(provider: Provider, service: Scripted):
    """Gaps that are each short enough do not add up to for ever."""
    service.streams([document("a", None)] * 50)
    written = asyncio.Event()

    async def slowly(pieces: list[bytes]) -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
            await written.wait()

    service.pace = slowly
    attempt = await in_pieces(provider, whole_s=0.2)
    written.set()
    assert attempt.failure is not None
    assert attempt.failure.transport == "timeout"
    assert attempt.seconds < LIMITS.between_chunks_s
