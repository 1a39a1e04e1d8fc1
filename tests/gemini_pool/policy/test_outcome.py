"""The one classification: every refusal the service is known to give, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from utils.gemini_pool.policy import Failure, Kind, classify
from utils.gemini_pool.policy.outcome import COUNTED_AS_ERROR, FAULTS, FREE_MOVES, Refused, Window, parse_duration

_TYPE = "type.googleapis.com/google.rpc."
RPM = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
RPD = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
TPM = "GenerateContentInputTokensPerModelPerMinute-FreeTier"
NEWER_MESSAGE = (
    "You exceeded your current quota.\n* Quota exceeded for metric: generativelanguage.googleapis.com/"
    "generate_content_free_tier_requests, limit: 20, model: gemini-3.6-flash\nPlease retry in 36.429760048s."
)


def reason(word: str) -> Mapping[str, Any]:
    """Give an ErrorInfo detail."""
    return {"@type": _TYPE + "ErrorInfo", "reason": word, "domain": "googleapis.com"}


def violations(*listed: tuple[str, str | None]) -> Mapping[str, Any]:
    """Give a QuotaFailure detail of (quotaId, quotaValue)."""
    return {
        "@type": _TYPE + "QuotaFailure",
        "violations": [
            {"quotaId": quota_id, **({} if value is None else {"quotaValue": value})} for quota_id, value in listed
        ],
    }


def retry(delay: str) -> Mapping[str, Any]:
    """Give a RetryInfo detail."""
    return {"@type": _TYPE + "RetryInfo", "retryDelay": delay}


def refused(*details: Mapping[str, Any], message: str = "", retry_after: float | None = None) -> Failure:
    """Give a 429."""
    return Failure(429, "RESOURCE_EXHAUSTED", message, details, retry_after)


#: failure -> (kind, retry_after, window, quota_value)
QUOTA_ROWS: dict[str, tuple[Failure, Kind, float | None, Window | None, int | None]] = {
    "minute, full": (refused(violations((RPM, "20")), retry("26s")), Kind.QUOTA, 26, Window.MINUTE, 20),
    "order of details turned": (refused(retry("26s"), violations((RPM, "20"))), Kind.QUOTA, 26, Window.MINUTE, 20),
    "tokens": (refused(violations((TPM, "250000")), retry("7.5s")), Kind.QUOTA, 7.5, Window.MINUTE, 250000),
    "day with a short delay": (refused(violations((RPD, "250")), retry("5s")), Kind.QUOTA, 5, Window.DAY, 250),
    "day and minute at once": (
        refused(violations((RPM, "10"), (RPD, "250"), (TPM, "1000")), retry("36s")),
        Kind.QUOTA,
        36,
        Window.DAY,
        10,
    ),
    "no value": (refused(violations((RPM, None)), retry("3s")), Kind.QUOTA, 3, Window.MINUTE, None),
    "no violations": (refused(retry("12s")), Kind.QUOTA, 12, Window.MINUTE, None),
    "bare": (refused(message="Resource has been exhausted (e.g. check quota)."), Kind.QUOTA, None, Window.MINUTE, None),
    "only a message": (refused(message=NEWER_MESSAGE), Kind.QUOTA, 36.429760048, Window.MINUTE, 20),
    "header": (refused(retry_after=44.0), Kind.QUOTA, 44, Window.MINUTE, None),
    "RetryInfo before header and message": (
        refused(retry("26s"), message=NEWER_MESSAGE, retry_after=44.0),
        Kind.QUOTA,
        26,
        Window.MINUTE,
        20,
    ),
    "header before message": (refused(message=NEWER_MESSAGE, retry_after=44.0), Kind.QUOTA, 44, Window.MINUTE, 20),
    "unreadable delay": (refused(retry("soon")), Kind.QUOTA, None, Window.MINUTE, None),
    "limit 0 by value": (refused(violations((RPD, "0")), retry("9s")), Kind.NO_QUOTA_HERE, None, None, 0),
    "limit 0 beside others": (refused(violations((RPM, "0"), (RPD, "5"))), Kind.NO_QUOTA_HERE, None, None, 0),
    "limit 0 by message": (refused(message="Quota exceeded, limit: 0, model: m"), Kind.NO_QUOTA_HERE, None, None, 0),
    "unknown quota id": (refused(violations(("SpendPerTenMinutes", None))), Kind.QUOTA, None, Window.MINUTE, None),
    "value that is no number": (refused(violations((RPM, "many"))), Kind.QUOTA, None, Window.MINUTE, None),
}


@pytest.mark.parametrize("row", QUOTA_ROWS.values(), ids=QUOTA_ROWS.keys())
def test_quota_refusals(row: tuple[Failure, Kind, float | None, Window | None, int | None]):
    """Window, delay and limit are read from fields first, from the message last; any part may be missing."""
    failure, kind, retry_after, window, value = row
    outcome = classify(failure)
    assert (outcome.kind, outcome.retry_after, outcome.window, outcome.quota_value) == (
        kind,
        retry_after,
        window,
        value,
    )


def test_an_unknown_quota_id_is_named_for_the_log():
    """It is taken as a minute wall and said once, so that the table can grow."""
    assert classify(refused(violations(("SpendPerTenMinutes", None)))).unknown == "quota id SpendPerTenMinutes"
    assert classify(refused(violations((RPM, "5")))).unknown is None
    assert classify(refused()).unknown is None


@pytest.mark.parametrize("details", [({"violations": "none"},), ({"violations": [1, None]},), ({"violations": {}},)])
def test_quota_details_of_a_wrong_shape_are_left_out(details: tuple[Mapping[str, Any], ...]):
    """A body that is not as documented is still a quota refusal."""
    assert classify(refused(*details)).kind is Kind.QUOTA


INVALID = "API key not valid. Please pass a valid API key."
SUSPENDED = "Permission denied: Consumer 'api_key:...' has been suspended."
OTHER_ROWS: dict[str, tuple[Failure, Kind, Refused | None]] = {
    "key invalid": (Failure(400, "INVALID_ARGUMENT", INVALID, (reason("API_KEY_INVALID"),)), Kind.KEY_DEAD, None),
    "key expired": (
        Failure(400, "INVALID_ARGUMENT", "API key expired.", (reason("API_KEY_INVALID"),)),
        Kind.KEY_DEAD,
        None,
    ),
    "key invalid without details": (Failure(400, "INVALID_ARGUMENT", INVALID), Kind.KEY_DEAD, None),
    "key not found": (Failure(400, None, "API Key not found. Please pass a valid API key."), Kind.KEY_DEAD, None),
    "bad argument": (Failure(400, "INVALID_ARGUMENT", "Unknown field."), Kind.CALLER, Refused.INVALID),
    "bad argument that talks of a key": (
        Failure(400, "INVALID_ARGUMENT", "The field 'API key not valid' is unknown."),
        Kind.CALLER,
        Refused.INVALID,
    ),
    "location": (
        Failure(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        Kind.CALLER,
        Refused.LOCATION,
    ),
    "401": (Failure(401, "UNAUTHENTICATED", "", (reason("ACCESS_TOKEN_TYPE_UNSUPPORTED"),)), Kind.KEY_DEAD, None),
    "401 bare": (Failure(401, "UNAUTHENTICATED"), Kind.KEY_DEAD, None),
    "leaked": (Failure(403, "PERMISSION_DENIED", "Your API key was reported as leaked."), Kind.KEY_DEAD, None),
    "suspended": (Failure(403, "PERMISSION_DENIED", SUSPENDED, (reason("CONSUMER_SUSPENDED"),)), Kind.KEY_DEAD, None),
    "suspended without details": (Failure(403, "PERMISSION_DENIED", SUSPENDED), Kind.KEY_DEAD, None),
    "service blocked": (Failure(403, None, "", (reason("API_KEY_SERVICE_BLOCKED"),)), Kind.KEY_DEAD, None),
    "no permission": (
        Failure(403, "PERMISSION_DENIED", "The caller does not have permission"),
        Kind.NO_QUOTA_HERE,
        None,
    ),
    "no permission for a linked file": (
        Failure(403, "PERMISSION_DENIED", "The caller does not have permission", links_files=True),
        Kind.CALLER,
        Refused.INVALID,
    ),
    "not found": (Failure(404, "NOT_FOUND", "models/x is not found"), Kind.CALLER, Refused.UNKNOWN_MODEL),
    "timeout of the server": (Failure(408), Kind.FAULT, None),
    "too large": (Failure(413), Kind.CALLER, Refused.TOO_LARGE),
    "cancelled": (Failure(499, "CANCELLED"), Kind.CANCELLED, None),
    "internal": (Failure(500, "INTERNAL", "An internal error has occurred."), Kind.FAULT, None),
    "html": (Failure(502, "Bad Gateway", "<!DOCTYPE html><title>Error 502</title>"), Kind.FAULT, None),
    "overloaded": (Failure(503, "UNAVAILABLE", "The model is overloaded."), Kind.OVERLOADED, None),
    "overloaded, html": (Failure(503, "Service Unavailable", "<html>"), Kind.OVERLOADED, None),
    "deadline": (Failure(504, "DEADLINE_EXCEEDED"), Kind.FAULT, None),
    "redirect": (Failure(302), Kind.FAULT, None),
    "teapot": (Failure(418), Kind.FAULT, None),
    "no content": (Failure(204), Kind.FAULT, None),
    "timed out": (Failure(transport="timeout"), Kind.TIMEOUT, None),
    "refused": (Failure(transport="connect"), Kind.FAULT, None),
    "an error nobody expected": (Failure(transport="unexpected", message="KeyError"), Kind.FAULT, None),
    "reset": (Failure(transport="reset"), Kind.FAULT, None),
    "broken JSON": (Failure(transport="malformed"), Kind.FAULT, None),
    "cut off": (Failure(transport="truncated"), Kind.FAULT, None),
    "empty 200": (Failure(transport="empty"), Kind.FAULT, None),
    "never sent": (Failure(transport="local", message="contents: missing"), Kind.CALLER, Refused.INVALID),
    "prompt blocked": (Failure(blocked="prompt: SAFETY"), Kind.CALLER, Refused.BLOCKED),
    "account limited": (Failure(key_disabled=True), Kind.KEY_DEAD, None),
}


@pytest.mark.parametrize("row", OTHER_ROWS.values(), ids=OTHER_ROWS.keys())
def test_every_other_refusal(row: tuple[Failure, Kind, Refused | None]):
    """Each row of the table has one class, and the caller's own faults a reason."""
    failure, kind, why = row
    outcome = classify(failure)
    assert (outcome.kind, outcome.refused) == (kind, why)


@pytest.mark.parametrize("code", [204, 302, 405, 418, 501, 599])
def test_an_unknown_status_is_named_for_the_log(code: int):
    """It is taken as a fault, the mildest class that is safe."""
    outcome = classify(Failure(code, "ODD"))
    assert outcome.kind is Kind.FAULT
    assert outcome.unknown == f"HTTP {code} ODD"


def test_what_was_never_sent_counts_no_request():
    """A request that failed before it left the process is no HTTP request."""
    assert classify(Failure(transport="local")).requests == 0
    assert classify(Failure(transport="timeout")).requests == 1


def test_classes_lie_as_the_statistics_read_them():
    """The caller's own and cancelled ones are neither errors nor faults; free moves are errors but no faults."""
    assert {Kind.OK, Kind.CALLER, Kind.CANCELLED} == set(Kind) - COUNTED_AS_ERROR
    assert FAULTS | FREE_MOVES == COUNTED_AS_ERROR
    assert not FAULTS & FREE_MOVES


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("26s", 26.0),
        ("36.429760048s", 36.429760048),
        ("0s", 0.0),
        ("150ms", 0.15),
        ("1m30s", 90.0),
        ("2h", 7200.0),
        ("1h2m3.5s", 3723.5),
        ("", None),
        ("soon", None),
        ("26", None),
        ("-5s", None),
        ("5s later", None),
        (26, None),
        (None, None),
    ],
)
def test_durations(text: object, seconds: float | None):
    """The service's spellings are read as seconds; anything else is none."""
    assert parse_duration(text) == (None if seconds is None else pytest.approx(seconds))


def test_an_error_nobody_expected_is_named_for_the_log():
    """Its type is logged once, so that a mistake of our own cannot hide among the service's faults."""
    outcome = classify(Failure(transport="unexpected", message="KeyError"))
    assert outcome.unknown == "error KeyError"


@pytest.mark.parametrize(
    ("failure", "kind", "detail"),
    [
        (Failure(408), Kind.FAULT, "HTTP 408"),
        (Failure(500), Kind.FAULT, "HTTP 500"),
        (Failure(502), Kind.FAULT, "HTTP 502"),
        (Failure(504), Kind.FAULT, "HTTP 504"),
        (Failure(401), Kind.KEY_DEAD, "not accepted"),
        (Failure(401, details=(reason("SOMETHING"),)), Kind.KEY_DEAD, "SOMETHING"),
        (Failure(403, message="Your API key was reported as leaked."), Kind.KEY_DEAD, "reported as leaked"),
        (Failure(403, message="The consumer is Suspended."), Kind.KEY_DEAD, "suspended or blocked"),
        (Failure(403, message="Requests to this API are blocked."), Kind.KEY_DEAD, "suspended or blocked"),
        (Failure(403, message="no"), Kind.NO_QUOTA_HERE, "no permission for this model"),
        (refused(violations((RPD, "250"))), Kind.QUOTA, "daily limit"),
        (refused(violations((RPM, "20"))), Kind.QUOTA, "limit per minute"),
        (Failure(transport="reset"), Kind.FAULT, "reset"),
        (Failure(transport="timeout"), Kind.TIMEOUT, "no answer in time"),
    ],
)
def test_what_is_known_is_told_in_a_word(failure: Failure, kind: Kind, detail: str) -> None:
    """Nothing of it is strange, so nothing is noted for the log."""
    outcome = classify(failure)
    assert (outcome.kind, outcome.detail, outcome.unknown) == (kind, detail, None)
    assert (outcome.requests, outcome.input_tokens, outcome.output_tokens) == (1, 0, 0)


@pytest.mark.parametrize(
    ("failure", "unknown"),
    [
        (Failure(409), "HTTP 409 without status"),
        (Failure(503 - 2, "NEVER_SEEN"), "HTTP 501 NEVER_SEEN"),
        (Failure(None, None), "HTTP 0 without status"),
        (Failure(transport="unexpected", message="KeyError"), "error KeyError"),
    ],
)
def test_what_is_strange_is_noted(failure: Failure, unknown: str) -> None:
    """It counts as a fault, and its shape goes to the log."""
    outcome = classify(failure)
    assert (outcome.kind, outcome.unknown) == (Kind.FAULT, unknown)


@pytest.mark.parametrize(
    ("code", "word", "kind"),
    [
        (200, "UNAVAILABLE", Kind.OVERLOADED),
        (399, "UNAVAILABLE", Kind.OVERLOADED),
        (400, "UNAVAILABLE", Kind.CALLER),
        (200, "RESOURCE_EXHAUSTED", Kind.QUOTA),
        (200, "CANCELLED", Kind.CANCELLED),
    ],
)
def test_the_word_counts_where_the_code_is_no_error(code: int, word: str, kind: Kind) -> None:
    """An error inside a stream that began well has only its word."""
    assert classify(Failure(code, word)).kind is kind


def test_nothing_was_sent_by_a_call_that_failed_here() -> None:
    """The caller's own mistake, with no request counted."""
    outcome = classify(Failure(transport="local", message="bad schema"))
    assert (outcome.kind, outcome.refused, outcome.requests, outcome.detail) == (
        Kind.CALLER,
        Refused.INVALID,
        0,
        "bad schema",
    )


def test_an_overload_says_how_long_to_wait() -> None:
    """From the details or the header."""
    assert classify(Failure(503, details=(retry("7s"),))).retry_after == 7.0
    assert classify(Failure(503, retry_after=9.0)).retry_after == 9.0
    assert classify(Failure(503)).retry_after is None


def test_a_reason_that_condemns_the_key_goes_before_any_other() -> None:
    """Wherever it stands; empty ones and those that are no text are passed over."""
    details = (reason(""), {"reason": 5}, reason("RATE"), reason("API_KEY_EXPIRED"))
    assert classify(Failure(400, details=details)).detail == "API_KEY_EXPIRED"
    assert classify(Failure(401, details=details[:3])).detail == "RATE"
