"""Other models over HTTP: asked in the order the caller gives, only where the one before cannot serve, and named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gemini_pool.conftest import MODEL, OTHER_MODEL, Running
from utils.gemini_pool import (
    GeminiAPIPool,
    InvalidRequestError,
    ModelOverloadedError,
    PoolError,
    QuotaExhaustedError,
)

THIRD_MODEL = "gemini-3.6-flash"


def spend_the_day(running: Running, *models: str) -> None:
    """Let the service say of these models that their day's quota is spent, whichever key asks."""
    running.emulator.set_faults([{"kind": "429day", "model": model} for model in models])


def asked_models(running: Running) -> set[str]:
    """Which models were asked."""
    return {entry["model"] for entry in running.asked()}


async def ask(pool: GeminiAPIPool, *fallbacks: str, **options: Any) -> tuple[str | None, PoolError | None]:
    """Ask for a whole answer; gives the model that answered, or the error."""
    answer, _ = await pool.generate_content(prompt="Why?", model_name=MODEL, fallback_models=fallbacks, **options)
    return (None, answer) if isinstance(answer, PoolError) else (answer.model_version, None)


async def read(pool: GeminiAPIPool, *fallbacks: str) -> set[str | None]:
    """Read a streamed answer; gives the models its pieces name."""
    pieces = pool.stream_content(prompt="Why?", model_name=MODEL, fallback_models=fallbacks)
    return {piece.model_version async for piece in pieces}


async def test_a_model_that_can_serve_is_not_passed_over(running: Running):
    """Nobody but the model that was asked for hears of the question."""
    pool = running.pool()
    assert await ask(pool, OTHER_MODEL) == (MODEL, None)
    assert await read(pool, OTHER_MODEL) == {MODEL}
    assert asked_models(running) == {MODEL}


async def test_the_next_model_answers_when_the_quota_is_out(running: Running):
    """Whole, streamed and in a chat: the answer names who gave it, and the spent model is asked once for each key."""
    spend_the_day(running, MODEL)
    pool = running.pool()
    assert await ask(pool, OTHER_MODEL, THIRD_MODEL) == (OTHER_MODEL, None)
    assert await read(pool, OTHER_MODEL, THIRD_MODEL) == {OTHER_MODEL}
    chat, _ = await pool.create_chat(MODEL, fallback_models=[OTHER_MODEL])
    assert chat is not None
    assert (await chat.send_message_async("Why?")).model_version == OTHER_MODEL
    assert asked_models(running) == {MODEL, OTHER_MODEL}
    assert sum(entry["model"] == MODEL for entry in running.asked()) == len(running.specs)


async def test_the_list_is_followed_to_its_end(running: Running):
    """Two spent models are passed over; where none can serve, it is the first one's refusal that is told."""
    pool = running.pool()
    spend_the_day(running, MODEL, OTHER_MODEL)
    assert await ask(pool, OTHER_MODEL, THIRD_MODEL) == (THIRD_MODEL, None)
    running.emulator.set_faults([{"kind": "429day", "model": MODEL}, {"kind": "503"}])
    model, error = await ask(pool, OTHER_MODEL, THIRD_MODEL, deadline_s=1.0)
    assert model is None
    assert isinstance(error, QuotaExhaustedError)
    assert error.retry_after is not None
    assert error.retry_after > 60.0


async def test_without_a_list_no_other_model_is_asked(running: Running):
    """A spent quota is told; what a caller did not allow is not done."""
    spend_the_day(running, MODEL)
    _, error = await ask(running.pool())
    assert isinstance(error, QuotaExhaustedError)
    assert asked_models(running) == {MODEL}


async def test_an_overloaded_model_is_stood_in_for(running: Running):
    """Every key answers 503 for the model: the next answers in time; without one the overload is told."""
    running.emulator.set_faults([{"kind": "503", "model": MODEL}])
    pool = running.pool()
    assert await ask(pool, OTHER_MODEL, deadline_s=1.0) == (OTHER_MODEL, None)
    _, error = await ask(pool, deadline_s=1.0)
    assert isinstance(error, ModelOverloadedError)


@pytest.mark.parametrize("kind", ["400", "404"])
async def test_the_callers_mistake_is_not_taken_to_another_model(running: Running, kind: str):
    """It would be the same mistake there."""
    running.emulator.set_faults([{"kind": kind, "model": MODEL}])
    _, error = await ask(running.pool(), OTHER_MODEL)
    assert isinstance(error, PoolError)
    assert asked_models(running) == {MODEL}
    assert kind != "400" or isinstance(error, InvalidRequestError)
