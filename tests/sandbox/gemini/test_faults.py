"""Faults on order, as the real SDK meets them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from google.genai import errors, types

from sandbox.gemini.faults import KINDS, parse_faults
from tests.sandbox.gemini.conftest import MODEL, Running, Start, until


def details(error: errors.APIError) -> list[dict[str, Any]]:
    """The typed details of an error body."""
    found: list[dict[str, Any]] = error.details["error"].get("details", [])
    return found


REFUSALS = [
    ("400", 400, "INVALID_ARGUMENT", ""),
    ("401", 401, "UNAUTHENTICATED", "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("403", 403, "PERMISSION_DENIED", ""),
    ("404", 404, "NOT_FOUND", ""),
    ("500", 500, "INTERNAL", ""),
    ("503", 503, "UNAVAILABLE", ""),
    ("504", 504, "DEADLINE_EXCEEDED", ""),
    ("blocked", 403, "PERMISSION_DENIED", "API_KEY_SERVICE_BLOCKED"),
    ("expired", 400, "INVALID_ARGUMENT", "API_KEY_INVALID"),
    ("invalid", 400, "INVALID_ARGUMENT", "API_KEY_INVALID"),
    ("leaked", 403, "PERMISSION_DENIED", ""),
    ("location", 400, "FAILED_PRECONDITION", ""),
    ("suspended", 403, "PERMISSION_DENIED", "CONSUMER_SUSPENDED"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=[row[0] for row in REFUSALS])
@pytest.mark.parametrize("streams", [False, True])
async def test_refusals_have_googles_status_and_reason(
    running: Running, refusal: tuple[str, int, str, str], *, streams: bool
) -> None:
    """Code, status and ErrorInfo are what a client decides by; streams are refused before they begin."""
    kind, code, status, reason = refusal
    running.emulator.set_faults([{"keys": ["a1"], "kind": kind}])
    with pytest.raises(errors.APIError) as caught:
        await (running.stream if streams else running.ask)("Hi")
    assert (caught.value.code, caught.value.status) == (code, status)
    assert [one.get("reason") for one in details(caught.value)[:1]] == ([reason] if reason else [])
    assert running.last()["outcome"] == kind
    assert running.last()["turns"][0]["text"] == "Hi"
    assert (await running.ask("Hi", "a2")).text


async def test_a_suspended_keys_body_repeats_the_key(running: Running) -> None:
    """As Google's does, so that redaction can be tested; the diary still has no secret."""
    running.emulator.set_faults([{"kind": "suspended"}])
    with pytest.raises(errors.ClientError) as caught:
        await running.ask("Hi")
    assert running.secrets["a1"] in str(caught.value.message)
    assert running.secrets["a1"] not in json.dumps([running.emulator.diary(), running.emulator.state()])


async def test_a_leaked_keys_text_is_googles(running: Running) -> None:
    """The word `leaked` and no details."""
    running.emulator.set_faults([{"kind": "leaked"}])
    with pytest.raises(errors.ClientError, match="reported as leaked"):
        await running.ask("Hi")
    assert running.key()["state"] == "leaked"


@pytest.mark.parametrize(
    ("kind", "quota_id", "value"),
    [
        ("429", "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "10"),
        ("429day", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "250"),
        ("429tokens", "GenerateContentInputTokensPerModelPerMinute-FreeTier", "250000"),
        ("limit0", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "0"),
    ],
)
async def test_quota_faults_carry_their_window(running: Running, kind: str, quota_id: str, value: str) -> None:
    """QuotaFailure, Help and RetryInfo, and the same in the message."""
    running.emulator.set_faults([{"kind": kind, "factor": 26}])
    with pytest.raises(errors.ClientError) as caught:
        await running.ask("Hi")
    by_type = {one["@type"].rpartition(".")[2]: one for one in details(caught.value)}
    violation = by_type["QuotaFailure"]["violations"][0]
    assert (violation["quotaId"], violation["quotaValue"]) == (quota_id, value)
    assert violation["quotaDimensions"] == {"location": "global", "model": MODEL}
    assert by_type["RetryInfo"]["retryDelay"] == "26s"
    assert by_type["Help"]["links"]
    assert f"limit: {value}, model: {MODEL}" in str(caught.value.message)


async def test_a_429_can_come_without_details(running: Running) -> None:
    """Factor 0 is the bare form."""
    running.emulator.set_faults([{"kind": "429", "factor": 0}])
    with pytest.raises(errors.ClientError) as caught:
        await running.ask("Hi")
    assert details(caught.value) == []
    assert "check quota" in str(caught.value.message)


async def test_a_502_is_html(running: Running) -> None:
    """Not JSON, as a proxy answers."""
    running.emulator.set_faults([{"kind": "html502"}])
    with pytest.raises(errors.ServerError) as caught:
        await running.ask("Hi")
    assert caught.value.code == 502
    assert "<!DOCTYPE html>" in str(caught.value.message)
    assert running.key()["kinds"] == {"html502": 1}


async def test_a_reset_comes_before_the_headers(running: Running) -> None:
    """The connection is torn, unary and streamed."""
    running.emulator.set_faults([{"kind": "reset"}])
    for ask in (running.ask, running.stream):
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask("Hi")
    assert [entry["status"] for entry in running.emulator.diary()] == [0, 0]
    assert running.key()["kinds"] == {"reset": 2}


@pytest.mark.parametrize(
    ("kind", "error"), [("midreset", aiohttp.ClientPayloadError), ("miderror", errors.ServerError)]
)
async def test_a_stream_breaks_after_some_chunks(running: Running, kind: str, error: type[Exception]) -> None:
    """What came before the break has arrived."""
    running.emulator.set_faults([{"kind": kind}])
    texts: list[str] = []

    async def read() -> None:
        async for chunk in await running.client().aio.models.generate_content_stream(model=MODEL, contents="Hi"):
            texts.append(chunk.text or "")  # noqa: PERF401 - what came before the error is what counts

    with pytest.raises(error):
        await read()
    assert "".join(texts).startswith("You asked: “Hi”.")
    assert running.key()["kinds"] == {kind: 1}


async def test_an_unary_answer_breaks_half_way(running: Running) -> None:
    """Fewer bytes arrive than were announced."""
    running.emulator.set_faults([{"kind": "midreset"}])
    with pytest.raises(aiohttp.ClientPayloadError):
        await running.ask("Hi")


async def test_a_truncated_answer_has_no_finish_reason(running: Running) -> None:
    """It ends cleanly, unary and streamed."""
    running.emulator.set_faults([{"kind": "truncate"}])
    chunks = await running.stream("Hi")
    assert chunks
    assert all(chunk.candidates[0].finish_reason is None for chunk in chunks)
    whole = await running.ask("Hi")
    assert whole.candidates[0].finish_reason is None
    assert whole.text


async def test_malformed_answers_do_not_parse(running: Running) -> None:
    """The SDK says so in two ways."""
    running.emulator.set_faults([{"kind": "malformed"}])
    with pytest.raises(json.JSONDecodeError):
        await running.ask("Hi")
    with pytest.raises(errors.UnknownApiResponseError):
        await running.stream("Hi")


async def test_empty_answers_look_like_success(running: Running) -> None:
    """200 and nothing in it."""
    running.emulator.set_faults([{"kind": "empty"}])
    response = await running.ask("Hi")
    assert (response.text, response.candidates) == (None, None)
    assert await running.stream("Hi") == []


async def test_blocked_prompts_and_answers_are_no_errors_of_a_key(running: Running) -> None:
    """A 200 with the reason in it, unary and streamed."""
    running.emulator.set_faults([{"kind": "promptblock", "keys": ["a1"]}, {"kind": "safety", "keys": ["a2"]}])
    for response in (await running.ask("Hi"), (await running.stream("Hi"))[0]):
        assert response.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT
    for response in (await running.ask("Hi", "a2"), (await running.stream("Hi", "a2"))[0]):
        assert response.candidates[0].finish_reason == types.FinishReason.SAFETY
        assert response.text is None
    assert [running.key(label)["errors"] for label in ("a1", "a2")] == [0, 0]
    assert running.last()["outcome"] == "safety"


async def test_a_continuation_goes_on_where_it_stopped(running: Running) -> None:
    """The SDK asks again by itself and has the whole text in the end."""
    plain = await running.ask("Hi")
    running.emulator.set_faults([{"kind": "continuation"}])
    assert (await running.ask("Hi")).text == plain.text
    chunks = await running.stream("Hi")
    assert "".join(chunk.text or "" for chunk in chunks) == plain.text
    assert running.key()["requests"] == 5


async def test_a_hanging_key_answers_nobody_until_the_client_leaves(running: Running) -> None:
    """The client's timeout ends it; the diary says who left."""
    running.emulator.set_faults([{"keys": ["a1"], "kind": "hang"}])
    with pytest.raises(TimeoutError):
        await running.client(timeout=150).aio.models.generate_content(model=MODEL, contents="Hi")
    await until(lambda: not running.key()["in_flight"])
    assert running.last()["client_left"]
    assert running.last()["outcome"] == "hang"
    assert running.key()["kinds"] == {"hang": 1}


async def test_who_leaves_a_healthy_stream_is_no_error(start: Start) -> None:
    """The diary says that the client left, and the key stays clean."""
    running = await start(gap_s=0.02)
    task = asyncio.create_task(running.stream("long"))
    await until(lambda: running.emulator.diary() and running.last()["status"])
    task.cancel()
    await until(lambda: not running.key()["in_flight"])
    assert (running.last()["client_left"], running.last()["outcome"]) == (True, "cancelled")
    assert running.key()["errors"] == 0
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_slow_key_takes_its_factor_longer(start: Start) -> None:
    """Ten milliseconds times 20, and another fault may strike on top."""
    running = await start(latency_s=0.01)
    running.emulator.set_faults([{"kind": "slow", "factor": 20, "keys": ["a1"]}, {"kind": "safety"}])
    response = await running.ask("Hi")
    # The least slowness is 50 ms times the factor.
    assert running.last()["seconds"] >= 1.0
    assert response.candidates[0].finish_reason == types.FinishReason.SAFETY
    assert running.key()["state"] == "slow"


async def test_faults_hold_from_then_to_then(running: Running) -> None:
    """The times are sandbox seconds after the list was set."""
    running.emulator.set_faults([{"kind": "503", "from": 1000, "to": 2000}])
    assert (await running.ask("Hi")).text
    running.clock.set_speed(10_000)
    await until(lambda: running.key()["state"] == "failing")
    await until(lambda: running.key()["state"] == "live")
    assert (await running.ask("Hi")).text


async def test_the_dice_are_the_seeds(start: Start) -> None:
    """The same seed strikes the same requests; the share is about the probability."""

    async def strikes() -> list[str]:
        running = await start(seed=5)
        running.emulator.set_faults([{"kind": "503", "probability": 0.3, "keys": ["a1"]}])
        for number in range(60):
            await asyncio.gather(running.ask(f"#q-{number}"), return_exceptions=True)
        assert running.key()["state"] == "flapping"
        return [entry["outcome"] for entry in running.emulator.diary()]

    first, second = await strikes(), await strikes()
    assert first == second
    assert 8 <= first.count("503") <= 30


async def test_faults_can_be_for_projects_and_models(running: Running) -> None:
    """Only what matches is struck, and a model's fault does not mark the key."""
    running.emulator.set_faults([{"kind": "503", "projects": ["alpha"], "model": "gemini-3.8-flash"}])
    assert (await running.ask("Hi")).text
    assert (await running.ask("Hi", "b1", "gemini-3.8-flash")).text
    with pytest.raises(errors.ServerError):
        await running.ask("Hi", "a2", "gemini-3.8-flash")
    assert running.key("a2")["state"] == "live"


async def test_a_dead_key_is_dead_for_every_call_and_a_failing_one_only_for_models(running: Running) -> None:
    """Listing models tells a dead key from an overloaded service."""
    running.emulator.set_faults([{"kind": "503", "keys": ["a1"]}, {"kind": "invalid", "keys": ["a2"]}])
    assert (await running.client("a1").aio.models.get(model=MODEL)).name == f"models/{MODEL}"
    with pytest.raises(errors.ClientError, match="API key not valid"):
        await running.client("a2").aio.models.get(model=MODEL)
    assert running.key("a2")["requests"] == 0


async def test_unknown_and_missing_keys_are_refused_as_google_does(running: Running) -> None:
    """400 for a wrong key, 403 for none, 401 for a bearer token."""
    with pytest.raises(errors.ClientError) as caught:
        await running.ask("Hi", "no-such-key")
    assert details(caught.value)[0]["reason"] == "API_KEY_INVALID"
    assert running.last()["key"] is None
    for headers, status in (({}, 403), ({"Authorization": "Bearer x"}, 401)):
        async with running.session.get(running.address + "/v1/models", headers=headers) as response:
            assert response.status == status


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({}, "list"),
        (["x"], "fault 1 must be an object"),
        ([{"kind": "500"}, {"kind": "nonsense"}], "fault 2 must have one of these kinds"),
        ([{"kind": "500", "key": "a1"}], "'key'"),
        ([{"kind": "500", "keys": []}], "'keys'"),
        ([{"kind": "500", "probability": 1.5}], "probability"),
        ([{"kind": "500", "from": -1}], "'from'"),
        ([{"kind": "500", "from": 5, "to": 4}], "end after"),
        ([{"kind": "slow", "factor": float("nan")}], "'factor'"),
        ([{"kind": "500", "model": 5}], "model"),
    ],
)
async def test_a_bad_list_changes_nothing(running: Running, faults: object, words: str) -> None:
    """One sentence names the entry, and the faults before stay in force."""
    running.emulator.set_faults([{"kind": "leaked", "keys": ["a1"]}])
    with pytest.raises(ValueError, match=words) as caught:
        running.emulator.set_faults(faults)
    assert "\n" not in str(caught.value)
    assert running.emulator.faults() == [{"kind": "leaked", "keys": ["a1"]}]


def test_every_kind_of_the_contract_is_known() -> None:
    """The control interface promises these."""
    promised = (
        "400 403 leaked suspended 404 429 500 503 504 html502 hang slow reset midreset truncate malformed empty "
        "safety promptblock 429day limit0 invalid continuation"
    )
    assert set(promised.split()) <= KINDS
    assert all(parse_faults([{"kind": kind}])[0].document() == {"kind": kind} for kind in KINDS)
