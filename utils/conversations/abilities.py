"""Which models make pictures or speech, and which of them these keys were refused.

``made_by(name)`` tells by a model's name what it gives, since the service's list does not say it. ``Abilities`` puts
the models that make something in the order in which they are to be tried, and remembers for a while which were refused,
so that a person is told before waiting. What always holds: it asks nobody and does no I/O; a refusal is forgotten when
the keys change, and after an hour at most, since their plans change too. Names: https://ai.google.dev/gemini-api/docs/models
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from utils.gemini_pool import PoolError, QuotaExhaustedError, UnknownModelError

Made = Literal["text", "picture", "speech", "nothing"]

_REMEMBERED_S: Final = 3600.0
#: A limit that is over sooner is no refusal: whoever asks may as well wait.
_SHORT_S: Final = 120.0
_OTHERS: Final = (
    "embedding",
    "-live",
    "native-audio",
    "aqa",
    "robotics",
    "computer-use",
    "-transcribe",
    "veo",
    "lyria",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The models to try, in this order. Where there are none, ``known`` tells whether the keys' models are known.

    ``retry_after_s``: when one that was refused may be tried again; None where there is no such model.
    """

    models: tuple[str, ...]
    known: bool
    retry_after_s: float | None = None


def made_by(name: str) -> Made:
    """Tell by its name what a model that generates gives."""
    bare = name.removeprefix("models/").lower()
    if "-tts" in bare:
        return "speech"
    if "-image" in bare or "nano-banana" in bare:
        return "picture"
    return "nothing" if any(word in bare for word in _OTHERS) else "text"


class Abilities:
    """What the current keys were found to be able to; ``clock`` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused_until: dict[str, float] = {}
        self._keys: Hashable = None

    def choose(self, made: Made, known_models: Iterable[str], *, keys: Hashable = None) -> Choice:
        """Give the models that make this; stable and larger ones stand before previews and small ones.

        ``keys``: something that is another whenever the keys are others.
        """
        if keys != self._keys:
            self._keys = keys
            self._refused_until.clear()
        now = self._clock()
        listed = list(known_models)
        able = [name for name in listed if made_by(name) == made]
        able.sort(key=lambda name: ("preview" in name or "-exp" in name, "lite" in name))
        models = tuple(name for name in able if self._refused_until.get(name, 0.0) <= now)
        until = min((self._refused_until[name] for name in able if name not in models), default=None)
        return Choice(models, bool(listed), None if until is None else until - now)

    def note(self, model: str, error: PoolError) -> bool:
        """Take in how a request to a model failed; gives whether it means that these keys cannot use it now."""
        match error:
            case UnknownModelError():
                refused_s = _REMEMBERED_S
            case QuotaExhaustedError() if error.retry_after is None or error.retry_after >= _SHORT_S:
                refused_s = min(error.retry_after or _REMEMBERED_S, _REMEMBERED_S)
            case _:
                return False
        self._refused_until[model] = self._clock() + refused_s
        return True
