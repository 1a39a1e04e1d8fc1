"""Which models a user may choose, from the pool's cache alone.

``ModelChoices`` answers autocompletion and the check of a chosen name without any request. ``keep_fresh``
is the one task that asks the pool to list its models: at the start, then hourly, sooner after a failure.
What always holds: no answer here waits for the network; before the first list every name is let through,
and the service decides.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from discord import app_commands

from utils.conversations.abilities import made_by
from utils.gemini_pool import GeminiAPIPool, PoolError

_log = logging.getLogger(__name__)

_MOST_CHOICES = 25
_FRESH_S = 3600.0
_RETRY_S = 60.0


class ModelChoices:
    """The models that can generate, as last listed."""

    def __init__(self, pool: GeminiAPIPool, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._pool = pool
        self._sleep = sleep

    def names(self) -> tuple[str, ...]:
        """Name the models that can answer in words, or none when nothing was listed yet."""
        listed = self._pool.known_models()
        return tuple(model.name for model in listed if model.can_generate and made_by(model.name) == "text")

    def choices(self, current: str) -> list[app_commands.Choice[str]]:
        """Offer at most 25 models that contain what was typed, those that begin with it first."""
        typed = current.strip().lower()
        found = [name for name in self.names() if typed in name.lower()]
        found.sort(key=lambda name: not name.lower().startswith(typed))
        return [app_commands.Choice(name=name[:100], value=name[:100]) for name in found[:_MOST_CHOICES]]

    async def keep_fresh(self) -> None:
        """List the models again and again, until cancelled."""
        while True:
            try:
                await self._pool.list_models()
            except PoolError as error:
                _log.warning("the models could not be listed: %s", error)
                await self._sleep(_RETRY_S)
            else:
                await self._sleep(_FRESH_S)
