"""What Google answers when it does not answer: one function per kind, in its own words and details.

Each returns a ``wire.Refusal``. The texts and details follow bodies that users of the service have published; the
``kind`` each carries is the word under which the emulator counts it and under which ``faults`` orders it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sandbox.gemini.wire import Json, Refusal

_TYPE = "type.googleapis.com/google.rpc."
_SERVICE = "generativelanguage.googleapis.com"
_LIMITS_PAGE = "https://ai.google.dev/gemini-api/docs/rate-limits"


def error_info(reason: str, **metadata: str) -> Json:
    """An ErrorInfo detail of the googleapis.com domain."""
    return {
        "@type": _TYPE + "ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": _SERVICE, **metadata},
    }


def localized(message: str) -> Json:
    """A LocalizedMessage detail that says the same in English."""
    return {"@type": _TYPE + "LocalizedMessage", "locale": "en-US", "message": message}


def _key_refused(message: str, kind: str) -> Refusal:
    details = (error_info("API_KEY_INVALID"), localized(message))
    return Refusal(400, "INVALID_ARGUMENT", message, details=details, kind=kind)


def key_invalid() -> Refusal:
    """The key is none: 400 with reason API_KEY_INVALID."""
    return _key_refused("API key not valid. Please pass a valid API key.", "invalid")


def key_expired() -> Refusal:
    """The key ran out: 400 with the same reason."""
    return _key_refused("API key expired. Please renew the API key.", "expired")


def key_missing() -> Refusal:
    """No key came with the request: 403."""
    message = (
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API."
    )
    return Refusal(403, "PERMISSION_DENIED", message, kind="missing")


def bad_argument() -> Refusal:
    """A 400 that names no reason: the request is at fault."""
    return Refusal(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", kind="400")


def location() -> Refusal:
    """The host's region is not served."""
    return Refusal(400, "FAILED_PRECONDITION", "User location is not supported for the API use.", kind="location")


def unauthenticated() -> Refusal:
    """A credential of the wrong sort: 401."""
    message = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
        "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    return Refusal(
        401,
        "UNAUTHENTICATED",
        message,
        details=(error_info("ACCESS_TOKEN_TYPE_UNSUPPORTED"),),
        kind="401",
    )


def forbidden() -> Refusal:
    """A bare 403: this key may not do this."""
    return Refusal(403, "PERMISSION_DENIED", "The caller does not have permission", kind="403")


def leaked() -> Refusal:
    """The key was found in public."""
    message = "Your API key was reported as leaked. Please use another API key."
    return Refusal(403, "PERMISSION_DENIED", message, kind="leaked")


def suspended(secret: str) -> Refusal:
    """The key's project is suspended; as the real service does, the body repeats the whole key."""
    message = f"Permission denied: Consumer 'api_key:{secret}' has been suspended."
    info = error_info("CONSUMER_SUSPENDED", containerInfo=f"api_key:{secret}", consumer="projects/000000000000")
    return Refusal(403, "PERMISSION_DENIED", message, details=(info, localized(message)), kind="suspended")


def service_blocked() -> Refusal:
    """The key's restrictions leave this API out."""
    method = "google.ai.generativelanguage.v1.GenerativeService.GenerateContent"
    message = f"Requests to this API {_SERVICE} method {method} are blocked."
    info = error_info("API_KEY_SERVICE_BLOCKED", methodName=method, apiName=_SERVICE)
    return Refusal(403, "PERMISSION_DENIED", message, details=(info, localized(message)), kind="blocked")


def model_missing(model: str, version: str, method: str) -> Refusal:
    """No such model, or it does not do this: 404."""
    message = (
        f"models/{model} is not found for API version {version}, or is not supported for {method}. "
        "Call ListModels to see the list of available models and their supported methods."
    )
    return Refusal(404, "NOT_FOUND", message)


def model_fault(model: str, version: str, method: str) -> Refusal:
    """Deny a model by an ordered fault: the same 404, counted under its own kind."""
    refusal = model_missing(model, version, method)
    return Refusal(404, refusal.status, refusal.message, kind="404")


def internal() -> Refusal:
    """500 as the service words it."""
    message = (
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting"
    )
    return Refusal(500, "INTERNAL", message, kind="500")


def overloaded() -> Refusal:
    """503: the model has too much to do."""
    return Refusal(503, "UNAVAILABLE", "The model is overloaded. Please try again later.", kind="503")


def deadline() -> Refusal:
    """504: the service gave up on itself."""
    message = "Deadline expired before operation could complete."
    return Refusal(504, "DEADLINE_EXCEEDED", message, kind="504")


def exhausted_bare() -> Refusal:
    """A 429 without any details."""
    message = "Resource has been exhausted (e.g. check quota)."
    return Refusal(429, "RESOURCE_EXHAUSTED", message, kind="429")


#: Windows of quota: name -> (quotaId, metric without the service).
WINDOWS = {
    "rpm": ("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "generate_content_free_tier_requests"),
    "tpm": (
        "GenerateContentInputTokensPerModelPerMinute-FreeTier",
        "generate_content_free_tier_input_token_count",
    ),
    "rpd": ("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "generate_content_free_tier_requests"),
}


def exhausted(
    model: str, broken: Sequence[tuple[str, int]], retry_after: float | None, *, kind: str = "429"
) -> Refusal:
    """A full 429: ``broken`` lists (window, limit), ``retry_after`` is in seconds (None: no RetryInfo)."""
    opening = (
        "You exceeded your current quota, please check your plan and billing details. "
        f"For more information on this error, head to: {_LIMITS_PAGE}."
    )
    lines = [opening]
    violations: list[Json] = []
    for window, limit in broken:
        quota_id, metric = WINDOWS[window]
        lines.append(f"* Quota exceeded for metric: {_SERVICE}/{metric}, limit: {limit}, model: {model}")
        violations.append(
            {
                "quotaMetric": f"{_SERVICE}/{metric}",
                "quotaId": quota_id,
                "quotaDimensions": {"location": "global", "model": model},
                "quotaValue": str(limit),
            }
        )
    details: list[Json] = [
        {"@type": _TYPE + "QuotaFailure", "violations": violations},
        {
            "@type": _TYPE + "Help",
            "links": [{"description": "Learn more about Gemini API quotas", "url": _LIMITS_PAGE}],
        },
    ]
    if retry_after is not None:
        lines.append(f"Please retry in {retry_after:.9f}s.")
        details.append({"@type": _TYPE + "RetryInfo", "retryDelay": f"{max(0, round(retry_after))}s"})
    return Refusal(429, "RESOURCE_EXHAUSTED", "\n".join(lines), details=details, kind=kind)


#: Refusals that need nothing but their kind.
PLAIN: dict[str, Callable[[], Refusal]] = {
    "400": bad_argument,
    "401": unauthenticated,
    "403": forbidden,
    "500": internal,
    "503": overloaded,
    "504": deadline,
    "blocked": service_blocked,
    "expired": key_expired,
    "invalid": key_invalid,
    "leaked": leaked,
    "location": location,
}
