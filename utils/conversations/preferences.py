"""What applies to a conversation beside its own choices: its persona, and what its server chose.

``Preferences`` answers from memory what servers chose (``guild``) and who personas are (``persona``); as the ``Guide``
of ``Conversations`` it joins both with the conversation's own choices (``guides``), which come first. All changes go
through here, so that they take effect with the next question; changes by another process are seen after ``fresh_s``
seconds. What always holds: a persona that was deleted, or taken back from the server by its maker, is not
used any more, and the conversation goes on without it; what is read while it changes is not remembered. Who may change
what is decided by whoever calls.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, Generic, TypeVar

from utils.conversations.guides import OwnChoices
from utils.conversations.ports import Guidance
from utils.storage import (
    AccessKind,
    Conversation,
    GuildSettings,
    GuildSettingsStore,
    Persona,
    Personas,
    SafetyLevel,
    SettingsChange,
)

#: Names in ``Conversation.options``: the persona chosen here (None: none, whatever the server's), and by whom.
PERSONA_OPTION: Final = "persona_id"
PERSONA_USER_OPTION: Final = "persona_user_id"

_REMEMBERED = 10_000
_FRESH_S = 60.0
_CATEGORIES = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
#: From what likelihood on the service blocks, https://ai.google.dev/gemini-api/docs/safety-settings
_THRESHOLDS: Final[dict[SafetyLevel, str]] = {
    "off": "OFF",
    "low": "BLOCK_ONLY_HIGH",
    "medium": "BLOCK_MEDIUM_AND_ABOVE",
    "high": "BLOCK_LOW_AND_ABOVE",
}

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Preferences:
    """Personas and the choices of servers, remembered; serves one event loop. ``clock`` gives monotonic seconds."""

    def __init__(
        self,
        settings: GuildSettingsStore,
        personas: Personas,
        *,
        clock: Callable[[], float] = time.monotonic,
        fresh_s: float = _FRESH_S,
    ) -> None:
        self._own = OwnChoices()
        self._settings = settings
        self._guilds: _Memory[int, GuildSettings] = _Memory(settings.get, clock, fresh_s)
        self._known: _Memory[int, Persona | None] = _Memory(personas.get, clock, fresh_s)

    async def guidance(self, conversation: Conversation) -> Guidance:
        """Give what a conversation's next question is asked with."""
        own = await self._own.guidance(conversation)
        guild_id = conversation.guild_id
        settings = await self.guild(guild_id) if guild_id is not None else None
        persona = await self._persona_of(conversation, settings)
        texts = [text for text in (own.instructions, _introduced(persona)) if text]
        return Guidance(
            model=own.model or (settings.model if settings is not None else None),
            instructions="\n\n".join(texts) or None,
            temperature=own.temperature,
            options={**safety_options(settings.safety if settings is not None else None), **own.options},
        )

    async def guild(self, guild_id: int) -> GuildSettings:
        """Give what a server chose."""
        return await self._guilds.get(guild_id)

    def language(self, guild_id: int) -> str | None:
        """Give the locale that a server chose, as far as it is remembered, without waiting."""
        found = self._guilds.peek(guild_id)
        return found.language if found is not None else None

    async def change(self, guild_id: int, change: SettingsChange) -> None:
        """Store some of a server's choices."""
        await self._settings.change(guild_id, change)
        self._guilds.drop(guild_id)

    async def restrict(self, guild_id: int, kind: AccessKind, name: str, role_id: int) -> None:
        """Let a role use a command or model, and from the first role on only such roles."""
        await self._settings.restrict(guild_id, kind, name, role_id)
        self._guilds.drop(guild_id)

    async def open_to_all(self, guild_id: int, kind: AccessKind, name: str) -> bool:
        """Let everybody use a command or model again; False: everybody could."""
        opened = await self._settings.open_to_all(guild_id, kind, name)
        self._guilds.drop(guild_id)
        return opened

    async def persona(self, persona_id: int) -> Persona | None:
        """Give a persona by its id, or None."""
        return await self._known.get(persona_id)

    def persona_changed(self, persona_id: int) -> None:
        """Forget what is remembered of a persona; it was changed, shared, taken back or deleted."""
        self._known.drop(persona_id)

    def forget(self) -> None:
        """Forget all that is remembered, after a person's or a server's rows were deleted."""
        self._guilds.clear()
        self._known.clear()

    async def _persona_of(self, conversation: Conversation, settings: GuildSettings | None) -> Persona | None:
        chosen_by = None
        if PERSONA_OPTION in conversation.options:
            persona_id = conversation.options[PERSONA_OPTION]
            chosen_by = conversation.options.get(PERSONA_USER_OPTION)
        else:
            persona_id = settings.persona_id if settings is not None else None
        found = await self.persona(persona_id) if persona_id is not None else None
        if found is None:
            return None
        is_shared_here = found.guild_id is not None and found.guild_id == conversation.guild_id
        return found if is_shared_here or found.user_id == chosen_by else None


def persona_options(persona: Persona | None, user_id: int) -> dict[str, Any]:
    """Give what to put into ``Conversation.options`` when a user chooses a persona, or (None) none at all."""
    return {PERSONA_OPTION: persona.id if persona is not None else None, PERSONA_USER_OPTION: user_id}


def safety_options(level: SafetyLevel | None) -> dict[str, Any]:
    """Give the pool's options for a safety level; None: the service's own settings."""
    if level is None:
        return {}
    threshold = _THRESHOLDS[level]
    return {
        "safety_settings": [
            {"category": f"HARM_CATEGORY_{category}", "threshold": threshold} for category in _CATEGORIES
        ]
    }


def _introduced(persona: Persona | None) -> str | None:
    if persona is None:
        return None
    return f'In this conversation you are "{persona.name}":\n{persona.instructions}'


class _Memory(Generic[K, V]):
    """What was read by key, for a while; a value that was dropped while it was read is not kept."""

    def __init__(self, read: Callable[[K], Awaitable[V]], clock: Callable[[], float], fresh_s: float) -> None:
        self._read = read
        self._clock = clock
        self._fresh_s = fresh_s
        self._values: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._drops = 0
        self._reading: dict[K, asyncio.Future[V]] = {}

    async def get(self, key: K) -> V:
        found = self._values.get(key)
        if found is not None and self._clock() < found[1]:
            return found[0]
        reading = self._reading.get(key)
        if reading is None:
            # many may ask at once: one reads for all
            reading = self._reading[key] = asyncio.ensure_future(self._refill(key))
            reading.add_done_callback(functools.partial(self._read_ended, key))
        return await asyncio.shield(reading)

    async def _refill(self, key: K) -> V:
        drops = self._drops
        value = await self._read(key)
        if drops == self._drops:
            self._values[key] = (value, self._clock() + self._fresh_s)
            self._values.move_to_end(key)
            if len(self._values) > _REMEMBERED:
                self._values.popitem(last=False)
        return value

    def _read_ended(self, key: K, reading: asyncio.Future[V]) -> None:
        if self._reading.get(key) is reading:
            del self._reading[key]
        if not reading.cancelled():
            # whoever asked may have gone; an error that nobody hears is not worth a warning
            reading.exception()

    def peek(self, key: K) -> V | None:
        found = self._values.get(key)
        return found[0] if found is not None else None

    def drop(self, key: K) -> None:
        self._drops += 1
        self._values.pop(key, None)
        self._reading.pop(key, None)

    def clear(self) -> None:
        self._drops += 1
        self._reading.clear()
        self._values.clear()
