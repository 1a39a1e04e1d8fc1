"""What can go wrong between a finished sentence and its reader, as one tree.

DeliveryError                   the place of the answer did not take a text; a later one may be taken
├── PlaceClosedError            the place takes nothing until somebody opens it again
├── DeliveryRefusedError        it will not take this kind of text (a permission is missing)
└── PlaceGoneError              the place does not exist any more; nothing can be shown there
    └── TimeOverError           the right to write there was given for a time, which is over

Foreign errors end at ``utils/rendering/discord``; the message of these holds numbers of the platform's,
never its text. ``sentence_id`` names what a person is told (see ``utils/rendering/sentences``).
"""

from __future__ import annotations

from typing import ClassVar


class DeliveryError(Exception):
    """The place of the answer did not take a text."""

    sentence_id: ClassVar[str] = "error.discord"


class PlaceClosedError(DeliveryError):
    """The place takes no changes until it is opened again."""


class DeliveryRefusedError(DeliveryError):
    """The place refuses this kind of text, now and later."""


class PlaceGoneError(DeliveryError):
    """The message or channel of the answer does not exist any more, or its time is over."""


class TimeOverError(PlaceGoneError):
    """The right to write there was given for a time, which is over; the place itself is still there."""
