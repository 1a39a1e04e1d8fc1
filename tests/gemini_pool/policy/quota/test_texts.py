"""Refusals of every shape, as they come and as they should not: a class for each, and no key in the log."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.gemini_pool.policy.outcome import Failure, Kind, LimitNamed, Measure, Outcome, Window, classify

RPM = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
RPD = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
TPM = "GenerateContentInputTokensPerModelPerMinute-FreeTier"
#: Of the form of a key, and of none.
KEY = "AIza" + "SyD" * 11 + "Qw"
Detail = Mapping[str, Any]


def violated(*listed: object) -> Detail:
    """Give a QuotaFailure."""
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": list(listed)}


def limit(quota_id: str, value: object = None) -> Detail:
    """Give one violation."""
    return {"quotaId": quota_id} if value is None else {"quotaId": quota_id, "quotaValue": value}


def retry(delay: object) -> Detail:
    """Give a RetryInfo."""
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def refused(*details: Detail, message: str = "", retry_after: float | None = None) -> Outcome:
    """Classify a 429."""
    return classify(Failure(429, "RESOURCE_EXHAUSTED", message, details, retry_after))


@pytest.mark.parametrize(
    ("violations", "named"),
    [
        ((limit(RPM, "20"),), {Measure.REQUESTS_PER_MINUTE: 20}),
        ((limit(TPM, "250000"),), {Measure.TOKENS_PER_MINUTE: 250_000}),
        ((limit(RPD, 20),), {Measure.REQUESTS_PER_DAY: 20}),
        (
            (limit(RPM, "10"), limit(RPD, "250"), limit(TPM, "1000")),
            {Measure.REQUESTS_PER_MINUTE: 10, Measure.REQUESTS_PER_DAY: 250, Measure.TOKENS_PER_MINUTE: 1000},
        ),
        ((limit(RPM, "20"), limit(RPM, "10"), limit(RPM)), {Measure.REQUESTS_PER_MINUTE: 10}),
        ((limit(RPM),), {Measure.REQUESTS_PER_MINUTE: None}),
        ((limit(RPM, "-5"),), {Measure.REQUESTS_PER_MINUTE: None}),
        ((limit(RPM, "9" * 5000),), {Measure.REQUESTS_PER_MINUTE: None}),
        ((limit(RPM, "9" * 15),), {Measure.REQUESTS_PER_MINUTE: 10**15 - 1}),
        ((limit(RPM, "9" * 16),), {Measure.REQUESTS_PER_MINUTE: None}),
        ((limit("TokensPerDay", "5"), limit(RPM, "4")), {Measure.REQUESTS_PER_MINUTE: 4}),
        ((limit(RPM, "1e3"),), {Measure.REQUESTS_PER_MINUTE: None}),
        ((limit(RPM, "٣"),), {Measure.REQUESTS_PER_MINUTE: None}),
        ((limit(RPM, ["5"]),), {Measure.REQUESTS_PER_MINUTE: None}),
        ((limit("GenerateContentImagesPerMinute", "5"),), {}),
        ((limit("TokensPerDay", "5"),), {}),
        ((limit("SpendPerTenMinutes", "5"),), {}),
        (("text", None, 5, limit(RPM, "4")), {Measure.REQUESTS_PER_MINUTE: 4}),
        (({"quotaValue": "5"},), {}),
        (({"quotaId": None, "quotaValue": "5"},), {}),
        ((), {}),
    ],
)
def test_every_limit_that_is_named_is_read(violations: tuple[object, ...], named: dict[Measure, int | None]) -> None:
    """One for each measure, the smallest where there are several; numbers that are none are left out."""
    outcome = refused(violated(*violations))
    assert outcome.kind is Kind.QUOTA
    assert outcome.limits == tuple(LimitNamed(measure, value) for measure, value in named.items())


def test_a_day_and_a_minute_at_once_are_a_day() -> None:
    """Whatever the order, and however short the wait."""
    for violations in ((limit(RPM, "5"), limit(RPD, "20")), (limit(RPD, "20"), limit(RPM, "5"))):
        outcome = refused(violated(*violations), retry("5s"))
        assert (outcome.window, outcome.retry_after) == (Window.DAY, 5.0)


@pytest.mark.parametrize(
    "failure",
    [
        Failure(429, "RESOURCE_EXHAUSTED", "", (violated(limit(RPM, "0")),)),
        Failure(429, "RESOURCE_EXHAUSTED", "", (violated(limit(RPM, 0), limit(RPD, "20")),)),
        Failure(429, "RESOURCE_EXHAUSTED", "* metric: a, limit: 20, model: m\n* metric: b, limit: 0, model: m"),
    ],
)
def test_a_limit_of_zero_is_no_quota(failure: Failure) -> None:
    """In whichever of several places it stands."""
    assert classify(failure).kind is Kind.NO_QUOTA_HERE


def test_a_model_without_capacity_is_overloaded() -> None:
    """The status of a spent quota, but for everybody."""
    outcome = refused({"reason": "MODEL_CAPACITY_EXHAUSTED"}, retry("7s"))
    assert (outcome.kind, outcome.retry_after) == (Kind.OVERLOADED, 7.0)


@pytest.mark.parametrize(
    ("delay", "message", "header", "seconds"),
    [
        ("36s", "Please retry in 36.429760048s.", None, 36.429760048),
        ("36s", "Please retry in 35.6s.", 44.0, 35.6),
        ("36s", "Please retry in 90.4s.", None, 36.0),
        ("36s", "Please retry in 36.99s.", None, 36.99),
        ("36s", "Please retry in 37.0s.", None, 36.0),
        ("36s", "Please retry in 37.5s.", None, 36.0),
        ("36.5s", "Please retry in 36.429760048s.", None, 36.5),
        ("0s", "Please retry in 0.3s.", None, 0.3),
        (None, "Please retry in 1m30.5s.", None, 90.5),
        (None, "please retry in 350ms", None, 0.35),
        ("1h1m1.5s", "", None, 3661.5),
        ("150ms", "", None, 0.15),
        ("-5s", "", None, None),
        ("-5s", "", 7.0, 7.0),
        ("NaNs", "", None, None),
        ("Infinitys", "Please retry in 4s", None, 4.0),
        ("999999999999s", "", None, 86_400.0),
        ("9" * 400 + "s", "", None, 86_400.0),
        (5, "", None, None),
        ({"seconds": 5}, "", None, None),
        ("5", "", None, None),
        ("", "Please retry in soon.", None, None),
        (None, "", math.nan, None),
        (None, "Please retry in 4s", -3.0, 4.0),
        (None, "", math.inf, 86_400.0),
        (None, "", None, None),
    ],
)
def test_the_wait_is_read_as_exactly_as_it_is_told(
    delay: object, message: str, header: float | None, seconds: float | None
) -> None:
    """Whole seconds of the details are made exact by the message; negative and endless waits are none or a day."""
    details = () if delay is None else (retry(delay),)
    assert refused(*details, message=message, retry_after=header).retry_after == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("quota_id", "unknown"),
    [
        ("SpendPerTenMinutes", "quota id SpendPerTenMinutes"),
        (KEY, f"quota id ({len(KEY)} characters)"),
        ("Quota" + KEY, f"quota id ({len(KEY) + 5} characters)"),
        ("Limit-12345", "quota id (11 characters)"),
        ("a b\nc", "quota id (5 characters)"),
        ("X" * 5000, "quota id (5000 characters)"),
    ],
)
def test_what_is_unknown_is_named_by_its_shape(quota_id: str, unknown: str) -> None:
    """A plain name as it is; anything that might be a key, a number or a text by its length."""
    assert refused(violated(limit(quota_id, "5"))).unknown == unknown


def test_many_unknown_ids_do_not_fill_the_log() -> None:
    """The name of a refusal is of bounded length."""
    listed = [limit("Quota" + "abcdefghij"[number] * 30, "5") for number in range(10)] * 30
    assert len(refused(violated(*listed)).unknown or "") < 250


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Failure(200, "RESOURCE_EXHAUSTED", "", (violated(limit(RPM, "5")),)), Kind.QUOTA),
        (Failure(None, "RESOURCE_EXHAUSTED"), Kind.QUOTA),
        (Failure(200, "UNAVAILABLE"), Kind.OVERLOADED),
        (Failure(200, "INTERNAL"), Kind.FAULT),
        (Failure(200, "DEADLINE_EXCEEDED"), Kind.FAULT),
        (Failure(200, "UNAUTHENTICATED"), Kind.KEY_DEAD),
        (Failure(200, "INVALID_ARGUMENT"), Kind.CALLER),
        (Failure(200, "CANCELLED"), Kind.CANCELLED),
    ],
)
def test_an_error_inside_a_stream_is_known_by_its_word(failure: Failure, kind: Kind) -> None:
    """The answer began with 200, so that the code says nothing."""
    outcome = classify(failure)
    assert outcome.kind is kind
    assert outcome.unknown is None


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Failure(429, None, "<!DOCTYPE html><title>Too many</title>"), Kind.QUOTA),
        (Failure(429, "Too Many Requests", "", ({},)), Kind.QUOTA),
        (Failure(502, "Bad Gateway", "<html>"), Kind.FAULT),
        (Failure(400, "INVALID_ARGUMENT", "", ({"reason": ["API_KEY_INVALID"]},)), Kind.CALLER),
        (Failure(400, "INVALID_ARGUMENT", "", ({"reason": {}}, {"reason": "API_KEY_INVALID"})), Kind.KEY_DEAD),
        (Failure(403, None, "", ({"reason": "OTHER"}, {"reason": "CONSUMER_SUSPENDED"})), Kind.KEY_DEAD),
        (Failure(transport="malformed"), Kind.FAULT),
        (Failure(418, KEY), Kind.FAULT),
        (Failure(None, KEY), Kind.FAULT),
        (Failure(transport="unexpected", message=KEY), Kind.FAULT),
    ],
)
def test_bodies_of_another_shape_have_a_class_and_tell_no_key(failure: Failure, kind: Kind) -> None:
    """HTML, half of the details, details of other types, and words that are keys."""
    outcome = classify(failure)
    assert outcome.kind is kind
    assert KEY not in (outcome.unknown or "")


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)
_DETAILS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "@type": _JSON,
            "reason": _JSON,
            "retryDelay": _JSON | st.from_regex(r"[0-9]{1,400}(\.[0-9]+)?(s|ms|m)", fullmatch=True),
            "violations": _JSON
            | st.lists(
                st.fixed_dictionaries(
                    {}, optional={"quotaId": _JSON | st.sampled_from([RPM, RPD, TPM]), "quotaValue": _JSON}
                ),
                max_size=3,
            ),
        },
    ),
    max_size=3,
)


@given(details=_DETAILS, message=st.text(max_size=60), header=st.none() | st.floats(), code=st.integers(100, 599))
def test_no_body_breaks_the_classification(
    details: list[Detail], message: str, header: float | None, code: int
) -> None:
    """Whatever comes: a class, limits above or at nothing, and a wait between nothing and a day."""
    outcome = classify(Failure(code, None, message, details, header))
    assert outcome.retry_after is None or 0.0 <= outcome.retry_after <= 86_400.0
    assert all(named.value is None or named.value > 0 for named in outcome.limits)
    assert len(outcome.unknown or "") < 250
