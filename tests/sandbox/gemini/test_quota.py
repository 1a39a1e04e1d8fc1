"""Quota by project and model: the arithmetic, and how the real SDK meets it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from google.genai import errors
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.gemini.quota import Limits, QuotaBook, next_pacific_midnight, pacific_day
from tests.sandbox.gemini.conftest import MODEL, Running, until

PACIFIC = ZoneInfo("America/Los_Angeles")
NOON = datetime(2026, 11, 21, 12, tzinfo=PACIFIC).timestamp()


def book(**limits: int | None) -> QuotaBook:
    """A book in which only the limits given hold."""
    return QuotaBook(Limits(**{"rpm": None, "tpm": None, "rpd": None, **limits}))


requests = st.lists(st.tuples(st.floats(0, 30), st.integers(0, 50)), max_size=60)


@settings(deadline=None)
@given(requests, st.integers(0, 6), st.integers(0, 120), st.integers(0, 20))
def test_no_window_ever_admits_more_than_its_limit(
    asked: list[tuple[float, int]], rpm: int, tpm: int, rpd: int
) -> None:
    """Whatever is asked when: no 60 s and no day hold more than was allowed."""
    quota, now = book(rpm=rpm, tpm=tpm, rpd=rpd), NOON
    admitted: list[tuple[float, int]] = []
    for gap, tokens in asked:
        now += gap
        if quota.admit("p", "m", tokens=tokens, now=now) is None:
            admitted.append((now, tokens))
    assert len(admitted) <= rpd
    for end, _ in admitted:
        window = [tokens for at, tokens in admitted if end - 60 < at <= end]
        assert len(window) <= rpm
        assert sum(window) <= tpm


@settings(deadline=None)
@given(requests, st.integers(1, 6), st.integers(50, 120))
def test_waiting_as_told_is_long_enough(asked: list[tuple[float, int]], rpm: int, tpm: int) -> None:
    """After `retry_after` the refused request is admitted, and just before it is not."""
    quota, now = book(rpm=rpm, tpm=tpm), NOON
    for gap, tokens in asked:
        now += gap
        excess = quota.admit("p", "m", tokens=tokens, now=now)
        if excess is not None:
            assert 0 < excess.retry_after <= 60
            early = now + excess.retry_after - 0.001
            assert early < now or quota.admit("p", "m", tokens=tokens, now=early) is not None
            now += excess.retry_after + 0.001
            assert quota.admit("p", "m", tokens=tokens, now=now) is None


@settings(deadline=None)
@given(st.integers(0, 4_000_000_000))
def test_the_next_midnight_begins_the_next_pacific_day(at: int) -> None:
    """A second before it is today, at it is tomorrow, and it is at most 25 hours away."""
    midnight = next_pacific_midnight(at)
    assert 0 < midnight - at <= 25 * 3600
    today = datetime.fromisoformat(pacific_day(at)).date()
    assert pacific_day(midnight - 1) == today.isoformat()
    assert pacific_day(midnight) == (today + timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 8), 23), ((2026, 11, 1), 25), ((2026, 11, 21), 24), ((2027, 3, 14), 23)]
)
def test_the_pacific_day_is_as_long_as_the_clocks_make_it(day: tuple[int, int, int], hours: int) -> None:
    """23 hours in spring, 25 in autumn; the day's quota comes back exactly then."""
    start = datetime(*day, tzinfo=PACIFIC).timestamp()
    assert next_pacific_midnight(start) - start == hours * 3600
    quota = book(rpd=1)
    assert quota.admit("p", "m", tokens=0, now=start) is None
    assert quota.admit("p", "m", tokens=0, now=start + hours * 3600 - 1) is not None
    assert quota.admit("p", "m", tokens=0, now=start + hours * 3600) is None


def test_every_broken_window_is_named() -> None:
    """Minute, tokens and day at once; a spent day alone names a short wait, as the real service does."""
    quota = book(rpm=1, tpm=5, rpd=1)
    assert quota.admit("p", "m", tokens=5, now=NOON) is None
    excess = quota.admit("p", "m", tokens=5, now=NOON + 1)
    assert excess is not None
    assert excess.broken == (("rpm", 1), ("tpm", 5), ("rpd", 1))
    assert excess.retry_after == pytest.approx(59)
    later = quota.admit("p", "m", tokens=5, now=NOON + 200)
    assert later is not None
    assert later.broken == (("rpd", 1),)
    assert later.retry_after <= 60


def test_limits_of_a_model_come_before_those_of_its_project() -> None:
    """And those before the default."""
    quota = book(rpm=5)
    quota.set("p", None, Limits(1, None, None))
    quota.set("p", "m", Limits(3, None, None))
    assert [quota.limits(*where).rpm for where in (("p", "m"), ("p", "x"), ("q", "m"))] == [3, 1, 5]
    with pytest.raises(ValueError, match="at least 0"):
        Limits(rpm=-1)


async def test_keys_of_one_project_share_its_quota(running: Running) -> None:
    """Two requests a minute are two for both keys; the other project and other models go on."""
    running.emulator.set_quota("alpha", MODEL, rpm=2)
    await asyncio.gather(running.ask("one", "a1"), running.ask("two", "a2"))
    with pytest.raises(errors.ClientError) as caught:
        await running.ask("three", "a1")
    body = caught.value.details["error"]
    violation = body["details"][0]["violations"][0]
    assert violation["quotaId"] == "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
    assert violation["quotaValue"] == "2"
    assert 0 < int(body["details"][2]["retryDelay"].removesuffix("s")) <= 60
    assert "Please retry in " in body["message"]
    assert (await running.ask("four", "b1")).text
    assert (await running.ask("five", "a1", "gemini-3.8-flash")).text
    assert running.key("a2")["state"] == "throttled"
    assert running.key("a1")["kinds"] == {"429": 1}
    assert running.key("a1")["quota"][MODEL]["requests_minute"] == 2


async def test_quota_comes_back_when_the_minute_is_over(running: Running) -> None:
    """On the sandbox's clock, which can run fast."""
    running.emulator.set_quota("alpha", rpm=1, rpd=3)
    await running.ask("one")
    with pytest.raises(errors.ClientError):
        await running.ask("two")
    running.clock.set_speed(10_000)
    await until(lambda: running.key()["state"] == "live")
    assert (await running.ask("three")).text


async def test_tokens_and_days_have_their_own_ids(running: Running) -> None:
    """A request over the tokens of a minute, and one over the day."""
    running.emulator.set_quota("alpha", tpm=10)
    running.emulator.set_quota("beta", rpd=0)
    ids = []
    for label in ("a1", "b1"):
        with pytest.raises(errors.ClientError) as caught:
            await running.ask("x" * 100, label)
        ids.append(caught.value.details["error"]["details"][0]["violations"][0]["quotaId"])
    assert ids[0].startswith("GenerateContentInputTokensPerModelPerMinute")
    assert ids[1].startswith("GenerateRequestsPerDayPerProjectPerModel")
    assert running.last()["outcome"] == "429day"


def test_utc_days_are_not_pacific_days() -> None:
    """Three in the morning in London is still yesterday in Los Angeles."""
    assert pacific_day(datetime(2026, 7, 2, 3, tzinfo=UTC).timestamp()) == "2026-07-01"
