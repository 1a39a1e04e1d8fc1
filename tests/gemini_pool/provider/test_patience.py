"""Limits of attempts under way: one that was only presumed is shortened, one that was heard is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.gemini_pool.provider.scripted import Scripted, document, scripted
from utils.gemini_pool.policy.latency import Limits
from utils.gemini_pool.provider.attempts import Ask, Attempt
from utils.gemini_pool.provider.calls import Provider
from utils.gemini_pool.provider.clients import Clients
from utils.gemini_pool.provider.patience import FirstByte, Patience
from utils.gemini_pool.provider.wire import SentRequests
from utils.security import Redactor, Secret

PRESUMED = Limits(first_byte_s=60.0, between_chunks_s=60.0, review_s=0.01)
ASK = Ask.prepare("m", [{"role": "user", "parts": [{"text": "Why?"}]}], {})

Way = Callable[[Provider, FirstByte], Awaitable[Attempt]]


async def whole(provider: Provider, first_byte_s: FirstByte) -> Attempt:
    """Ask for a whole answer."""
    return await provider.generate("f", ASK, PRESUMED, SentRequests(), first_byte_s)


async def in_pieces(provider: Provider, first_byte_s: FirstByte) -> Attempt:
    """Ask for a stream inside."""
    return await provider.generate_in_pieces("f", ASK, PRESUMED, SentRequests(), first_byte_s, whole_s=60.0)


async def streamed(provider: Provider, first_byte_s: FirstByte) -> Attempt:
    """Read a stream."""
    async with provider.stream("f", ASK, PRESUMED, SentRequests(), first_byte_s) as call:
        async for _ in call:
            pass
    return call.result()


@pytest.fixture
async def service() -> AsyncIterator[Scripted]:
    """A service to be told its answers."""
    async with scripted() as service:
        yield service


@pytest.fixture
async def provider(service: Scripted) -> AsyncIterator[Provider]:
    """The border by itself."""
    key = Secret("key", "Key #1")
    clients = Clients(base_url=service.address, api_version=None, proxy=None)
    provider = Provider(clients, {"f": key}.__getitem__, Redactor())
    yield provider
    await provider.aclose()


@pytest.mark.parametrize("way", [whole, in_pieces, streamed])
async def test_a_presumed_limit_is_shortened_once_more_is_known(service: Scripted, provider: Provider, way: Way):
    """A key that hangs since before anything was known does not cost the whole presumed limit."""
    service.streams([document("a")])
    silence = asyncio.Event()

    async def hanging(_: list[bytes]) -> AsyncIterator[bytes]:
        await silence.wait()
        yield b""

    service.pace = hanging
    known_s = iter([60.0, 60.0, 0.05])
    attempt = await way(provider, lambda: next(known_s))
    silence.set()
    assert attempt.failure is not None
    assert attempt.failure.transport == "timeout"
    assert 0.05 <= attempt.seconds < 30.0


@pytest.mark.parametrize("way", [whole, in_pieces, streamed])
async def test_an_answer_in_time_is_not_disturbed(service: Scripted, provider: Provider, way: Way):
    """The review ends with the attempt."""
    asks = 0

    def never() -> float:
        nonlocal asks
        asks += 1
        return 60.0

    service.answers = []
    if way is whole:
        service.whole(document("a"))
    else:
        service.streams([document("a")])
    attempt = await way(provider, never)
    assert attempt.failure is None
    before, later = asks, asyncio.Event()
    asyncio.get_running_loop().call_later(3 * PRESUMED.review_s, later.set)
    await later.wait()
    assert asks == before


async def test_what_was_heard_is_not_reviewed():
    """After the first byte only the gaps are limited, whatever is known of first bytes by then."""
    patience, later = Patience(PRESUMED), asyncio.Event()
    async with patience.timeout:
        patience.review(lambda: 0.0)
        patience.heard()
        asyncio.get_running_loop().call_later(3 * PRESUMED.review_s, later.set)
        await later.wait()
    assert not patience.timeout.expired()
