"""Questions and answers as the users of the pool write them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google.genai import types

from tests.gemini_pool.conftest import MODEL, OTHER_MODEL, QUICK, Running, Start
from utils.gemini_pool import (
    AllKeysDeadError,
    GeminiAPIPool,
    InvalidRequestError,
    NoKeysError,
    PoolClosedError,
    PoolConfig,
    PoolError,
    QuotaExhaustedError,
    UnavailableError,
    UnknownModelError,
    UpstreamError,
    UsageError,
)


async def test_an_answer_is_the_sdks_own_response(running: Running):
    """A served question gives ``(GenerateContentResponse, True)`` with the text of this very question."""
    response, success = await running.pool().generate_content(prompt="Hello #q-1", model_name=MODEL, temperature=0.4)
    assert success is True
    assert isinstance(response, types.GenerateContentResponse)
    assert response.text is not None
    assert "#q-1" in response.text
    assert running.asked()[0]["model"] == MODEL
    assert '"temperature":0.4' in running.asked()[0]["body"]


async def test_options_reach_the_service(running: Running):
    """Generation options by the SDK's names, and the system instruction, are sent."""
    await running.pool().generate_content(
        prompt="Hello", top_k=7, max_output_tokens=50, stop_sequences=["END"], system_instruction="Be brief."
    )
    body = running.asked()[0]["body"]
    for expected in ('"topK":7', '"maxOutputTokens":50', '"stopSequences":["END"]', "Be brief."):
        assert expected in body


async def test_contents_are_sent_as_whole_turns(running: Running):
    """``contents`` in the API's own shape arrive turn by turn, inline data included."""
    contents: list[dict[str, Any]] = [
        {"role": "user", "parts": [{"text": "first"}, {"inline_data": {"mime_type": "image/png", "data": b"12345"}}]},
        {"role": "model", "parts": [{"text": "second"}]},
        {"role": "user", "parts": [{"text": "third #q-3"}]},
    ]
    response, success = await running.pool().generate_content(contents=contents)
    assert success
    assert "#q-3" in (response.text or "")
    turns = running.asked()[0]["turns"]
    assert [(turn["role"], turn["text"]) for turn in turns] == [
        ("user", "first"),
        ("model", "second"),
        ("user", "third #q-3"),
    ]
    assert turns[0]["parts"] == ["text", "image/png 5 bytes"]


async def test_a_failure_is_handed_out_with_its_shape(running: Running):
    """``(error, False)``: a PoolError whose ``text`` is None and whose ``retry_after`` is seconds or None."""
    running.break_all("429", factor=33)
    error, success = await running.pool().generate_content(prompt="Hello")
    assert success is False
    assert isinstance(error, QuotaExhaustedError)
    assert error.text is None
    assert error.retry_after == pytest.approx(33, abs=1)
    assert error.attempts == 4


async def test_no_keys_is_an_answer_not_an_exception(running: Running):
    """Without keys the pool says so, in one sentence that names the variable."""
    pool = GeminiAPIPool(base_url=running.address)
    error, success = await pool.generate_content(prompt="Hello")
    assert success is False
    assert isinstance(error, NoKeysError)
    assert error.text is None
    assert error.retry_after is None
    assert "GEMINI_API_KEYS" in str(error)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, UsageError),
        ({"prompt": ""}, UsageError),
        ({"prompt": "   \n"}, UsageError),
        ({"prompt": []}, UsageError),
        ({"prompt": 42}, UsageError),
        ({"contents": []}, UsageError),
        ({"contents": 42}, UsageError),
        ({"prompt": "a", "contents": [{"role": "user", "parts": [{"text": "a"}]}]}, UsageError),
        ({"prompt": "a", "max_retries": -1}, UsageError),
        ({"prompt": "a", "no_such_option": 1}, InvalidRequestError),
        ({"prompt": "a", "temperature": "warm"}, InvalidRequestError),
        ({"prompt": ["a", object()]}, InvalidRequestError),
        ({"contents": [{"role": "user", "no_such_field": 1}]}, InvalidRequestError),
        ({"prompt": "a", "model_name": "models/../x?y"}, InvalidRequestError),
        ({"prompt": "a", "model_name": "no-such-model"}, UnknownModelError),
    ],
)
async def test_a_callers_mistake_is_handed_out_and_counts_nowhere(
    running: Running, arguments: dict[str, object], expected: type[PoolError]
):
    """Whatever the caller does wrong comes back as a PoolError; no key is blamed for it."""
    pool = running.pool()
    error, success = await pool.generate_content(**arguments)  # type: ignore[arg-type]  # wrong on purpose
    assert success is False
    assert type(error) is expected, error
    figures = pool.get_api_key_stats()
    assert figures["failed_requests"] == 0
    assert figures["total_requests"] == len(running.asked())
    assert {entry["state"] for entry in figures["key_usage"].values()} == {"live"}


async def test_a_thousand_caller_faults_change_no_state(start: Start):
    """A user who only sends what the service refuses makes no key look ill."""
    running = await start(3)
    running.break_all("400")
    pool = running.pool(config=PoolConfig())
    for _ in range(20):
        results = await asyncio.gather(*(pool.generate_content(prompt=f"#q-{n}") for n in range(50)))
        assert all(isinstance(error, InvalidRequestError) for error, _ in results)
    figures = pool.get_api_key_stats()
    assert (figures["total_requests"], figures["failed_requests"]) == (1000, 0)
    assert {entry["state"] for entry in figures["key_usage"].values()} == {"live"}


@pytest.mark.parametrize(("max_retries", "sent"), [(0, 1), (1, 2), (3, 4), (None, 8), (99, 8)])
async def test_max_retries_bounds_the_paid_attempts(running: Running, max_retries: int | None, sent: int):
    """``n`` allows n further attempts after faults, 0 none, None the pool's own bound."""
    running.break_all("500")
    error, success = await running.pool().generate_content(prompt="Hello", max_retries=max_retries)
    assert success is False
    assert isinstance(error, UpstreamError)
    assert error.attempts == sent
    assert len(running.asked()) == sent


@pytest.mark.parametrize("kind", ["429", "invalid", "leaked", "limit0"])
async def test_free_moves_are_not_counted_as_retries(running: Running, kind: str):
    """After a quota refusal or a dead key another key takes over even with ``max_retries=0``."""
    running.break_key("k1", "k2", "k3", kind=kind)
    pool = running.pool()
    for number in range(4):
        response, success = await pool.generate_content(prompt=f"Hello #q-{number}", max_retries=0)
        assert success, response
        assert f"#q-{number}" in (response.text or "")
    assert running.asked_by_key() == {"k1": 1, "k2": 1, "k3": 1, "k4": 4}


async def test_all_keys_dead_is_said(running: Running):
    """When every key was refused for good the error says that an operator must act."""
    running.break_all("invalid")
    error, success = await running.pool().generate_content(prompt="Hello")
    assert success is False
    assert isinstance(error, AllKeysDeadError)
    assert error.retry_after is None
    assert len(running.asked()) == 4


async def test_a_closed_pool_answers_nothing(running: Running):
    """After ``aclose`` every question gets the same error, and a stream raises it."""
    pool = running.pool()
    async with pool:
        assert (await pool.generate_content(prompt="Hello"))[1]
    error, success = await pool.generate_content(prompt="Hello")
    assert not success
    assert isinstance(error, PoolClosedError)
    with pytest.raises(PoolClosedError):
        await anext(pool.stream_content(prompt="Hello"))


async def test_a_stream_yields_the_whole_answer_in_pieces(running: Running):
    """The pieces of a stream add up to the text, and the last carries usage and the model's version."""
    pieces = [piece async for piece in running.pool().stream_content(prompt="900 words #q-5", temperature=0.1)]
    text = "".join(piece.text or "" for piece in pieces)
    assert len(pieces) > 3
    assert "#q-5" in text
    assert len(text.split()) > 850
    assert pieces[-1].model_version
    assert pieces[-1].usage_metadata is not None
    assert (pieces[-1].usage_metadata.candidates_token_count or 0) > 0


async def test_a_stream_moves_on_before_its_first_piece(running: Running):
    """Keys that fail before the first piece are left for another; the reader sees one text."""
    running.break_key("k1", "k2", "k3", kind="500")
    pieces = [piece.text or "" async for piece in running.pool().stream_content(prompt="Hello #q-6")]
    assert "".join(pieces).count("Answer to #q-6") == 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("500", UpstreamError), ("429", QuotaExhaustedError), ("invalid", AllKeysDeadError), ("400", InvalidRequestError)],
)
async def test_a_stream_raises_an_error_of_the_pools_tree(running: Running, kind: str, expected: type[PoolError]):
    """When no answer can be had the generator raises instead of yielding."""
    running.break_all(kind)
    with pytest.raises(expected):
        await anext(running.pool().stream_content(prompt="Hello", max_retries=1))


@pytest.mark.parametrize("kind", ["midreset", "truncate", "miderror"])
async def test_a_stream_that_breaks_later_raises_after_what_was_read(running: Running, kind: str):
    """What was read stays with the reader; the break is an error of the pool's tree, never a silent end."""
    running.break_all(kind)
    read: list[str] = []

    async def consume() -> None:
        async for piece in running.pool().stream_content(prompt="900 words", max_retries=0):
            read.append(piece.text or "")  # noqa: PERF401  # what was read before the error is what is looked at

    with pytest.raises(UnavailableError):
        await consume()
    assert read
    assert len(running.asked()) == 1


async def test_sixty_questions_at_once_are_spread(start: Start):
    """Calls in flight weigh in the score: no key of four gets more than 18 of 60, and each answer fits its question."""
    running = await start(4, latency_s=0.05)
    pool = running.pool(config=PoolConfig())
    answers = await asyncio.gather(*(pool.generate_content(prompt=f"Hello #q-{n}") for n in range(60)))
    assert all(success for _, success in answers)
    for number, (response, _) in enumerate(answers):
        assert (response.text or "").startswith(f"Answer to #q-{number}:")
    by_key = pool.get_api_key_stats()["key_usage"]
    assert sum(entry["usage"] for entry in by_key.values()) == 60
    assert max(entry["usage"] for entry in by_key.values()) <= 18


async def test_several_models_are_served_by_pools_of_their_own(running: Running):
    """Each model has its figures; a quota wall of one leaves the other open."""
    pool = running.pool()
    running.emulator.set_faults([{"model": OTHER_MODEL, "kind": "429", "factor": 50}])
    results = await asyncio.gather(
        pool.generate_content(prompt="a", model_name=MODEL),
        pool.generate_content(prompt="b", model_name=OTHER_MODEL),
        pool.generate_content(prompt="c", model_name=f"models/{MODEL}"),
    )
    assert [success for _, success in results] == [True, False, True]
    stats = pool.get_model_stats()
    assert {model: figures["total_usage"] for model, figures in stats.items()} == {MODEL: 2, OTHER_MODEL: 4}


async def test_a_retired_model_is_answered_by_its_successor(running: Running, caplog: pytest.LogCaptureFixture):
    """Ids of the past go on to their successor, said once in the log."""
    pool = running.pool()
    for _ in range(2):
        response, success = await pool.generate_content(prompt="Hello", model_name="gemini-1.5-pro")
        assert success, response
    assert sum("gemini-1.5-pro is retired" in record.getMessage() for record in caplog.records) == 1


async def test_models_are_listed_and_remembered(running: Running):
    """The service's list is asked for once an hour; before that nothing is known, without I/O."""
    pool = running.pool()
    assert pool.known_models() == ()
    models = await pool.list_models()
    assert pool.known_models() == models == await pool.list_models()
    found = {model.name: model for model in models}
    assert found[MODEL].can_generate
    assert found[MODEL].input_token_limit > 0
    assert not any(model.can_generate for name, model in found.items() if "embedding" in name)
    assert len({entry["path"] for entry in running.emulator.diary()}) == 1
    assert pool.get_api_key_stats()["total_requests"] == 0


async def test_models_fall_back_to_the_data_file(running: Running):
    """When no key may list, the ids of the data file are offered and nothing counts as known."""
    running.break_all("invalid")
    pool = running.pool()
    names = [model.name for model in await pool.list_models()]
    assert MODEL in names
    assert pool.known_models() == ()


async def test_a_question_waits_for_a_wall_that_ends_in_time(running: Running):
    """With every project at its limit for a moment, the question waits instead of failing."""
    running.break_all("429", factor=1)
    pool = running.pool()
    asking = asyncio.create_task(pool.generate_content(prompt="Hello #q-8", deadline_s=8.0))
    while len(running.asked()) < 4:  # noqa: ASYNC110  # the emulator's diary has no event to wait on
        await asyncio.sleep(0.002)
    running.heal()
    response, success = await asking
    assert success, response
    assert "#q-8" in (response.text or "")


async def test_a_reset_wakes_those_who_wait(running: Running):
    """Who waits for a wall looks again when an operator resets the pool."""
    running.break_all("429", factor=15)
    pool = running.pool(config=QUICK)
    asking = asyncio.create_task(pool.generate_content(prompt="Hello", deadline_s=60.0))
    while len(running.asked()) < 4:  # noqa: ASYNC110  # the emulator's diary has no event to wait on
        await asyncio.sleep(0.002)
    running.heal()
    pool.reset_api_pool()
    async with asyncio.timeout(5):
        assert (await asking)[1]
