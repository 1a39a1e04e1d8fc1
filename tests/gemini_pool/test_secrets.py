"""No secret comes out of any failure: not by ``str``, ``repr``, a log line at DEBUG, a traceback or the figures."""

from __future__ import annotations

import asyncio
import logging
import pickle
import traceback

import pytest

from sandbox.gemini.faults import KINDS
from tests.gemini_pool.conftest import Running
from utils.gemini_pool import GeminiAPIPool, PoolError


def told(error: BaseException) -> str:
    """Give all that an error tells, with everything it was raised from."""
    return "\n".join([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])


@pytest.mark.parametrize("kind", sorted(KINDS - {"slow", "continuation"}))
async def test_no_failure_tells_a_secret(
    running: Running, kind: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    """Whole answers, streams, listings and chats; ``suspended`` repeats the whole key in its body."""
    caplog.set_level(logging.DEBUG)
    running.break_all(kind)
    pool = running.pool()
    error, success = await pool.generate_content(prompt="Hello", deadline_s=1.0, max_retries=2)
    assert not success
    assert isinstance(error, PoolError)
    texts = [told(error)]
    pool.reset_api_pool()
    with pytest.raises(PoolError) as caught:
        [piece async for piece in pool.stream_content(prompt="900 words", deadline_s=1.0, max_retries=1)]
    texts.append(told(caught.value))
    pool.reset_api_pool()
    texts += [repr(await pool.list_models()), repr(pool), repr(pool._policy.keys), repr(vars(pool))]
    texts += [repr(pool.get_api_key_stats()), repr(pool.get_model_stats()), repr(pool._policy.snapshot())]
    texts += [caplog.text, *(repr(vars(record)) for record in caplog.records), *capfd.readouterr()]
    for secret in running.secrets():
        for text in texts:
            assert secret not in text
            assert secret[3:] not in text


async def test_a_service_that_cannot_be_reached_tells_no_secret(caplog: pytest.LogCaptureFixture):
    """The same with nobody listening at all."""
    caplog.set_level(logging.DEBUG)
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    pool = GeminiAPIPool(api_keys=["key-with-a-secret"], base_url=f"http://127.0.0.1:{port}")
    error, success = await pool.generate_content(prompt="Hello", max_retries=1, deadline_s=3.0)
    await pool.aclose()
    assert not success
    assert "key-with-a-secret" not in told(error) + caplog.text  # type: ignore[arg-type]  # it is an error


async def test_errors_can_be_pickled(running: Running):
    """An error of the pool holds plain values only: no response, no connection, no key."""
    running.break_all("suspended")
    error, _ = await running.pool().generate_content(prompt="Hello")
    assert isinstance(error, PoolError)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert (type(again), str(again), again.attempts) == (type(error), str(error), error.attempts)
