"""Which models there are: the service's own list, kept for an hour, and dated data for when it cannot be asked.

``ModelInfo`` is one model; ``Catalogue`` keeps the list; ``model_data`` has the successors of retired ids. What
always holds: ``known`` never does I/O; a retired id is named in the log once. Asking the service is the pool's work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from utils.gemini_pool import model_data

_log = logging.getLogger(__name__)

KEPT_FOR_S = 3600.0


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model; limits in tokens, 0 when not known."""

    name: str
    display_name: str
    input_token_limit: int = 0
    output_token_limit: int = 0
    can_generate: bool = True


class Catalogue:
    """The list of models as last heard, and the names asked for."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._models: tuple[ModelInfo, ...] = ()
        self._heard_at = float("-inf")
        self._named: set[str] = set()

    @property
    def known(self) -> tuple[ModelInfo, ...]:
        """The service's last list; empty before it was first heard."""
        return self._models

    @property
    def is_fresh(self) -> bool:
        """Whether the service was asked within the last hour."""
        return self._clock() - self._heard_at < KEPT_FOR_S

    def hear(self, models: Sequence[ModelInfo]) -> None:
        """Take in the service's list."""
        self._models = tuple(models)
        self._heard_at = self._clock()

    def fallback(self) -> tuple[ModelInfo, ...]:
        """Give the ids of the data file, for when the service cannot be asked."""
        return tuple(ModelInfo(name, name) for name in model_data.KNOWN)

    def resolve(self, name: str) -> str:
        """Give the id to ask for: without ``models/``, and the successor where the service still had none better."""
        bare = name.removeprefix("models/")
        successor = successor_of(bare)
        if successor is None or any(model.name == bare for model in self._models):
            return bare
        if bare not in self._named:
            self._named.add(bare)
            _log.warning("%s is retired (as of %s): %s answers instead", bare, model_data.AS_OF, successor)
        return successor


def successor_of(name: str) -> str | None:
    """Name the model that answers in place of a retired one, by the dated data; None: it is not known to be retired."""
    return model_data.SUCCESSORS.get(name.removeprefix("models/"))
