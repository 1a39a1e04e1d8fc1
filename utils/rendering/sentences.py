"""One sentence for everything that can go wrong with an answer, in the reader's language.

``error_sentence(error, locale)`` picks the sentence by the error's class: its own, or the nearest class
above it in the pool's tree. Where the error knows when another try makes sense, the sentence says so as a
Discord timestamp, which every reader sees in their own language and zone.

What always holds: one sentence, and it says what to do; nothing of the error's own text is in it, because
that may hold what people or services wrote (the reason of a block, one word of the service's, is the
exception); an error of an unknown class gets the general sentence. An error class outside the pool's tree
names its sentence itself, by an attribute ``sentence_id``.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable
from typing import Final

from utils import gemini_pool as pool
from utils.i18n import translate

_GENERAL = "error.general"

_SENTENCES: Final[dict[type[BaseException], str]] = {
    pool.PoolError: "error.pool",
    pool.ConfigurationError: "error.configuration",
    pool.NoKeysError: "error.no_keys",
    pool.KeyFormatError: "error.key_format",
    pool.PoolClosedError: "error.pool_closed",
    pool.UsageError: "error.general",
    pool.RequestError: "error.request",
    pool.InvalidRequestError: "error.invalid_request",
    pool.UnknownModelError: "error.unknown_model",
    pool.RequestTooLargeError: "error.request_too_large",
    pool.BlockedError: "error.blocked",
    pool.UnavailableError: "error.unavailable",
    pool.AllKeysDeadError: "error.all_keys_dead",
    pool.QuotaExhaustedError: "error.quota",
    pool.ModelOverloadedError: "error.overloaded",
    pool.UpstreamError: "error.upstream",
    pool.DeadlineError: "error.deadline",
    asyncio.CancelledError: "error.cancelled",
}
#: The same sentence with a time in it.
_WITH_TIME: Final[dict[str, str]] = {
    "error.unavailable": "error.unavailable.retry",
    "error.quota": "error.quota.retry",
    "error.overloaded": "error.overloaded.retry",
    "error.upstream": "error.upstream.retry",
    "error.deadline": "error.deadline.retry",
}


def error_sentence(error: BaseException, locale: str, *, wall: Callable[[], float] = time.time) -> str:
    """Say to a reader of that locale what went wrong and what to do; ``wall`` gives unix seconds."""
    sentence_id = _sentence_id(error)
    retry_after = getattr(error, "retry_after", None)
    if sentence_id in _WITH_TIME and isinstance(retry_after, int | float) and math.isfinite(retry_after):
        when = relative_time(wall() + max(0.0, retry_after))
        return translate(_WITH_TIME[sentence_id], locale, when=when)
    return translate(sentence_id, locale, reason=_reason(error))


def relative_time(at: float) -> str:
    """Write an instant (unix seconds) so that Discord shows it as "in 5 minutes"; never earlier than it is."""
    return f"<t:{math.ceil(at)}:R>"


def _sentence_id(error: BaseException) -> str:
    own = getattr(error, "sentence_id", None)
    if isinstance(own, str):
        return own
    for kind in type(error).__mro__:
        if kind in _SENTENCES:
            return _SENTENCES[kind]
    return _GENERAL


def _reason(error: BaseException) -> str:
    if not isinstance(error, pool.BlockedError):
        return ""
    return re.sub(r"[^A-Z_]", "", error.reason.upper())[:40].replace("_", " ").strip() or "OTHER"
