"""What can go wrong in a conversation beyond what the pool reports.

PoolError
├── UnavailableError
│   ├── EmptyAnswerError        the model ended its answer without a word
│   ├── StoppedAnswerError      somebody stopped the answer before its first word
│   └── FilesLostError          the process that was to fetch a question's files ended first
└── UsageError
    └── TurnStateError          a turn is asked to do what its state does not allow
        └── AnswerTakenError    somebody else answers the turn now, or nobody does any more: say nothing

So whoever asks a question has one tree to catch. ``sentence_id`` names what a person is told, since the
tables of ``utils/rendering/sentences`` cannot know these classes. Errors of the store pass through as they
are.
"""

from __future__ import annotations

import re
from typing import ClassVar

from utils.gemini_pool import PoolError, UnavailableError, UsageError


class EmptyAnswerError(UnavailableError):
    """The model ended its answer without a word."""

    sentence_id: ClassVar[str] = "error.empty_answer"

    def __init__(self) -> None:
        super().__init__("The model answered with nothing; word the question differently and ask again.")


class StoppedAnswerError(UnavailableError):
    """Somebody stopped the answer before its first word."""

    sentence_id: ClassVar[str] = "error.cancelled"

    def __init__(self) -> None:
        super().__init__("The answer was stopped; ask again if you still want it.")


class FilesLostError(UnavailableError):
    """The process that was to fetch the files of a question ended before it had them."""

    sentence_id: ClassVar[str] = "error.interrupted"

    def __init__(self) -> None:
        super().__init__("The files of the question were not fetched before a restart; ask again.")


class TurnStateError(UsageError):
    """A turn is asked to do what its state does not allow."""


class AnswerTakenError(TurnStateError):
    """The turn is not this answer's any more: it was changed, removed, or another process has it."""

    def __init__(self) -> None:
        super().__init__("The question was changed or removed while it was answered; look at its newest answer.")


def error_kind(error: BaseException) -> str:
    """Name an error's class for the store: ``QuotaExhaustedError`` is ``quota_exhausted``."""
    name = type(error).__name__.removesuffix("Error")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def error_detail(error: BaseException) -> str:
    """Give what may be stored about an error: the pool's own sentence, or only the class of anything else."""
    return str(error)[:500] if isinstance(error, PoolError) else type(error).__name__
