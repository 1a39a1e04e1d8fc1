"""Every fault the emulator can be ordered to make, through the real SDK: the right error, or another key takes over."""

from __future__ import annotations

import pytest

from sandbox.gemini.faults import KINDS
from tests.gemini_pool.conftest import Running, Start
from utils.gemini_pool import (
    AllKeysDeadError,
    BlockedError,
    DeadlineError,
    InvalidRequestError,
    ModelOverloadedError,
    PoolError,
    QuotaExhaustedError,
    UnknownModelError,
    UpstreamError,
)

#: Kind of fault on every key -> what a question gets.
ERRORS: dict[str, type[PoolError]] = {
    "400": InvalidRequestError,
    "401": AllKeysDeadError,
    "403": QuotaExhaustedError,
    "404": UnknownModelError,
    "429": QuotaExhaustedError,
    "429day": QuotaExhaustedError,
    "429tokens": QuotaExhaustedError,
    "500": UpstreamError,
    "503": ModelOverloadedError,
    "504": UpstreamError,
    "blocked": AllKeysDeadError,
    "empty": UpstreamError,
    "expired": AllKeysDeadError,
    "hang": DeadlineError,
    "html502": UpstreamError,
    "invalid": AllKeysDeadError,
    "leaked": AllKeysDeadError,
    "limit0": QuotaExhaustedError,
    "location": InvalidRequestError,
    "malformed": UpstreamError,
    "midreset": UpstreamError,
    "promptblock": BlockedError,
    "reset": UpstreamError,
    "safety": BlockedError,
    "suspended": AllKeysDeadError,
    "truncate": UpstreamError,
}
#: The caller's own faults: another key would not help.
NOT_MOVED = frozenset({"400", "404", "location", "promptblock", "safety"})
#: Kinds under which the answer comes all the same.
ANSWERED = frozenset({"slow", "continuation"})


def test_every_kind_of_fault_is_in_the_table():
    """A kind that the emulator learns must be decided here; a broken stream is looked at in its own test."""
    assert set(ERRORS) | ANSWERED | {"miderror"} == KINDS


@pytest.mark.parametrize("kind", sorted(ERRORS))
async def test_a_fault_of_all_keys_is_the_right_error(start: Start, kind: str):
    """One sentence of the pool's own, with the attempts it took; nothing stays in flight."""
    running = await start(3)
    running.break_all(kind)
    pool = running.pool()
    error, success = await pool.generate_content(prompt="Hello", deadline_s=1.5, max_retries=5)
    assert success is False
    assert type(error) is ERRORS[kind], repr(error)
    assert isinstance(error, PoolError)
    assert error.text is None
    assert error.attempts == len(running.asked()), pool.records()[-1].attempts
    assert "\n" not in str(error)
    assert not any(entry["in_flight"] for entry in pool.get_api_key_stats()["key_usage"].values())


@pytest.mark.parametrize("kind", sorted(set(ERRORS) | {"miderror"} | ANSWERED))
async def test_a_fault_of_one_key_is_survived(running: Running, kind: str):
    """While another key can serve, every question is answered; the caller's own faults come back at once."""
    running.break_key("k1", "k2", kind=kind, factor=2)
    pool = running.pool()
    for number in range(6):
        answer, success = await pool.generate_content(prompt=f"Hello #q-{number}", deadline_s=10.0)
        if kind in NOT_MOVED:
            assert success or (isinstance(answer, ERRORS[kind]) and answer.attempts == 1)
        else:
            assert success, repr(answer)
            assert f"#q-{number}" in (answer.text or "")


@pytest.mark.parametrize("kind", sorted(set(ERRORS) - NOT_MOVED - {"midreset", "truncate"} | ANSWERED))
async def test_a_stream_survives_a_fault_of_one_key(running: Running, kind: str):
    """Before the first piece another key takes over."""
    running.break_key("k1", "k2", kind=kind, factor=2)
    pool = running.pool()
    for number in range(4):
        pieces = [piece.text or "" async for piece in pool.stream_content(prompt=f"#q-{number}", deadline_s=10.0)]
        assert "".join(pieces).startswith(f"Answer to #q-{number}")


@pytest.mark.parametrize(("kind", "word"), [("safety", "SAFETY"), ("promptblock", "PROHIBITED_CONTENT")])
async def test_a_block_names_the_services_reason(running: Running, kind: str, word: str):
    """The word of the service stands in ``reason``; whole and streamed alike."""
    running.break_all(kind)
    pool = running.pool()
    error, _ = await pool.generate_content(prompt="Hello")
    assert isinstance(error, BlockedError)
    assert word in error.reason
    with pytest.raises(BlockedError, match=word):
        [piece async for piece in pool.stream_content(prompt="Hello")]


@pytest.mark.parametrize(("kind", "factor", "at_most"), [("429", 20, 20), ("429", 0, 60), ("429day", 5, 3600)])
async def test_a_wall_tells_when_to_come_back(running: Running, kind: str, factor: float, at_most: float):
    """``retry_after`` is the service's own figure, a minute where it gave none, the next probe for a day."""
    running.break_all(kind, factor=factor)
    error, _ = await running.pool().generate_content(prompt="Hello", deadline_s=4.0)
    assert isinstance(error, QuotaExhaustedError)
    assert error.retry_after == pytest.approx(at_most, abs=1.5)


async def test_a_known_wall_is_not_run_into_twice(running: Running):
    """After the first refusal nothing more is sent until the wall ends."""
    running.break_all("429", factor=300)
    pool = running.pool()
    for _ in range(5):
        assert not (await pool.generate_content(prompt="Hello"))[1]
    assert len(running.asked()) == 4


async def test_keys_of_one_project_share_their_wall(start: Start):
    """One refusal closes all keys of the project, and only those."""
    running = await start(4, keys_per_project=2)
    running.emulator.set_faults([{"projects": ["p1"], "kind": "429", "factor": 300}])
    pool = running.pool()
    for number in range(8):
        assert (await pool.generate_content(prompt=f"#q-{number}"))[1]
    by_key = running.asked_by_key()
    assert by_key["k1"] + by_key["k2"] == 1
    assert by_key["k3"] == by_key["k4"]


async def test_the_emulators_own_quota_is_learned_by_refusal(start: Start):
    """A real window of requests per minute: each project is refused once, then left alone."""
    running = await start(2)
    for project in ("p1", "p2"):
        running.emulator.set_quota(project, rpm=3)
    pool = running.pool()
    answers = [await pool.generate_content(prompt=f"#q-{number}", deadline_s=1.0) for number in range(10)]
    assert [success for _, success in answers] == [True] * 6 + [False] * 4
    assert len(running.asked()) == 8
    error = answers[-1][0]
    assert isinstance(error, QuotaExhaustedError)
    assert error.retry_after is not None
    assert 50 < error.retry_after <= 61


async def test_a_bare_403_to_a_question_with_a_link_is_the_askers(running: Running):
    """A private video closes the model for nobody: the next question is answered by the same keys at once."""
    running.break_all("403")
    pool = running.pool(2)
    link = {"file_data": {"file_uri": "https://www.youtube.com/watch?v=private"}}
    answer, success = await pool.generate_content(contents=[{"role": "user", "parts": [link, {"text": "What is it?"}]}])
    assert isinstance(answer, InvalidRequestError)
    assert not success
    assert len(running.asked()) == 1
    running.heal()
    assert (await pool.generate_content(prompt="Hello"))[1]
    assert {entry["state"] for entry in pool.get_api_key_stats()["key_usage"].values()} == {"live"}
