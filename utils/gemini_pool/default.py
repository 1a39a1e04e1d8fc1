"""The default pool of a process, and the plain functions over it.

Built on first use from the environment and ``.env`` in the working folder, or installed by a program that composes its
own. What always holds: nothing happens at import; a process has one default pool.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from utils.gemini_pool import configuration
from utils.gemini_pool.errors import PoolError
from utils.gemini_pool.pool import GeminiAPIPool
from utils.settings import environment

if TYPE_CHECKING:
    from utils.gemini_pool.chat import Chat
    from utils.gemini_pool.provider.attempts import Response

_lock = threading.Lock()
_installed: list[GeminiAPIPool] = []


def default_pool() -> GeminiAPIPool:
    """Give the default pool, building it when there is none; raises ``ConfigurationError``."""
    with _lock:
        if not _installed:
            _installed.append(GeminiAPIPool.from_configuration(lambda: configuration.read(environment())))
        return _installed[0]


async def _default_pool() -> GeminiAPIPool:
    # building it reads a file, which is a thread's work
    return _installed[0] if _installed else await asyncio.to_thread(default_pool)


def install_default_pool(pool: GeminiAPIPool | None) -> None:
    """Make ``pool`` the default one; None: the next use builds one anew."""
    with _lock:
        _installed[:] = [pool] if pool is not None else []


class DefaultPool:
    """Stands for the default pool; every attribute is looked up on it at the moment of use."""

    def __getattr__(self, name: str) -> Any:
        return getattr(default_pool(), name)

    def __repr__(self) -> str:
        return "<the default Gemini pool>"

    async def generate_content(self, *args: Any, **options: Any) -> tuple[Response, bool] | tuple[PoolError, bool]:
        """Answer like ``GeminiAPIPool.generate_content``."""
        return await generate_content(*args, **options)


gemini_pool = DefaultPool()


async def generate_content(*args: Any, **options: Any) -> tuple[Response, bool] | tuple[PoolError, bool]:
    """Answer ``(response, True)`` or ``(error, False)``, as ``GeminiAPIPool.generate_content``."""
    try:
        pool = await _default_pool()
    except PoolError as error:
        return error, False
    return await pool.generate_content(*args, **options)


async def stream_content(*args: Any, **options: Any) -> AsyncGenerator[Response, None]:
    """Yield the pieces of an answer, as ``GeminiAPIPool.stream_content``."""
    pool = await _default_pool()
    async with aclosing(pool.stream_content(*args, **options)) as pieces:
        async for piece in pieces:
            yield piece


async def create_chat(
    model_name: str | None = None, *, history: Sequence[dict[str, Any]] = (), **options: Any
) -> tuple[Chat, int] | tuple[None, int]:
    """Answer ``(chat, instance_index)`` or ``(None, -1)``, as ``GeminiAPIPool.create_chat``."""
    pool = await _default_pool()
    return await pool.create_chat(model_name, history=history, **options)


def get_pool_stats() -> dict[str, dict[str, Any]]:
    """Answer the figures of every model's pool."""
    return default_pool().get_model_stats()


def get_api_key_stats() -> dict[str, Any]:
    """Answer the figures of every key."""
    return default_pool().get_api_key_stats()


def reset_api_pool(model_name: str | None = None) -> None:
    """Start health anew and read the keys again."""
    default_pool().reset_api_pool(model_name)


def reset_api_stats() -> None:
    """Empty the counts."""
    default_pool().reset_api_stats()
