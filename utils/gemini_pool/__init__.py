"""AI answers over a pool of Gemini keys: the front door.

Names are looked up when first used, so importing this loads no SDK, reads no environment and starts nothing. The
functions work on the process's default pool; ``GeminiAPIPool`` is for whoever wants their own. Errors: ``errors``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utils.gemini_pool.chat import Chat
    from utils.gemini_pool.configuration import Configuration, ConfiguredKey, read
    from utils.gemini_pool.default import (
        create_chat,
        gemini_pool,
        generate_content,
        get_api_key_stats,
        get_pool_stats,
        install_default_pool,
        reset_api_pool,
        reset_api_stats,
        stream_content,
    )
    from utils.gemini_pool.errors import (
        AllKeysDeadError,
        BlockedError,
        ConfigurationError,
        DeadlineError,
        InvalidRequestError,
        KeyFormatError,
        ModelOverloadedError,
        NoKeysError,
        PoolClosedError,
        PoolError,
        QuotaExhaustedError,
        RequestError,
        RequestTooLargeError,
        UnavailableError,
        UnknownModelError,
        UpstreamError,
        UsageError,
    )
    from utils.gemini_pool.keyring import KeyCheck, Keyring, ListedKey
    from utils.gemini_pool.models import ModelInfo, successor_of
    from utils.gemini_pool.policy import Wait
    from utils.gemini_pool.policy.alerts import Alert, AlertKind
    from utils.gemini_pool.policy.config import PoolConfig
    from utils.gemini_pool.policy.explaining.recorded import Recorded, RecordedAttempt
    from utils.gemini_pool.pool import GeminiAPIPool

_ROOMS = {
    "chat": ("Chat",),
    "configuration": ("Configuration", "ConfiguredKey", "read"),
    "default": (
        "create_chat",
        "gemini_pool",
        "generate_content",
        "get_api_key_stats",
        "get_pool_stats",
        "install_default_pool",
        "reset_api_pool",
        "reset_api_stats",
        "stream_content",
    ),
    "errors": (
        "AllKeysDeadError",
        "BlockedError",
        "ConfigurationError",
        "DeadlineError",
        "InvalidRequestError",
        "KeyFormatError",
        "ModelOverloadedError",
        "NoKeysError",
        "PoolClosedError",
        "PoolError",
        "QuotaExhaustedError",
        "RequestError",
        "RequestTooLargeError",
        "UnavailableError",
        "UnknownModelError",
        "UpstreamError",
        "UsageError",
    ),
    "keyring": ("KeyCheck", "Keyring", "ListedKey"),
    "models": ("ModelInfo", "successor_of"),
    "policy": ("Wait",),
    "policy.alerts": ("Alert", "AlertKind"),
    "policy.config": ("PoolConfig",),
    "policy.explaining.recorded": ("Recorded", "RecordedAttempt"),
    "pool": ("GeminiAPIPool",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Alert",
    "AlertKind",
    "AllKeysDeadError",
    "BlockedError",
    "Chat",
    "Configuration",
    "ConfigurationError",
    "ConfiguredKey",
    "DeadlineError",
    "GeminiAPIPool",
    "InvalidRequestError",
    "KeyCheck",
    "KeyFormatError",
    "Keyring",
    "ListedKey",
    "ModelInfo",
    "ModelOverloadedError",
    "NoKeysError",
    "PoolClosedError",
    "PoolConfig",
    "PoolError",
    "QuotaExhaustedError",
    "Recorded",
    "RecordedAttempt",
    "RequestError",
    "RequestTooLargeError",
    "UnavailableError",
    "UnknownModelError",
    "UpstreamError",
    "UsageError",
    "Wait",
    "create_chat",
    "gemini_pool",
    "generate_content",
    "get_api_key_stats",
    "get_pool_stats",
    "install_default_pool",
    "read",
    "reset_api_pool",
    "reset_api_stats",
    "stream_content",
    "successor_of",
]


def __getattr__(name: str) -> Any:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{room}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
