"""Which models make what, and which were refused."""

from __future__ import annotations

import pytest

from utils.conversations.abilities import Abilities, made_by
from utils.gemini_pool import BlockedError, DeadlineError, PoolError, QuotaExhaustedError, UnknownModelError

NAMES = (
    "gemini-4-hydrogen",
    "gemini-3.1-flash-lite-image",
    "gemini-3-pro-image-preview",
    "gemini-nano-banana-2.1",
    "gemini-3.8-flash-tts",
    "gemini-3.8-live",
    "gemini-3.5-transcribe",
)


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("gemini-4-hydrogen", "text"),
        ("models/gemini-nano-banana-2.1", "picture"),
        ("gemini-3.1-flash-image", "picture"),
        ("gemini-3.8-flash-lite-tts", "speech"),
        ("gemini-3.8-live-extended-thinking", "nothing"),
        ("gemini-embedding-2", "nothing"),
        ("gemma-3-27b-it", "text"),
    ],
)
def test_a_models_name_says_what_it_makes(name, made):
    """The service's list does not say it."""
    assert made_by(name) == made


def test_stable_and_large_models_are_tried_first():
    """Previews and small ones come last."""
    choice = Abilities().choose("picture", NAMES)
    assert choice.models == ("gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image", "gemini-3-pro-image-preview")
    assert choice.known


def test_nothing_is_known_before_the_first_list():
    """That is told apart from models that cannot do it."""
    assert not Abilities().choose("picture", ()).known
    assert Abilities().choose("speech", ("gemini-4-hydrogen",)).known


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (UnknownModelError("x"), 3600.0),
        (QuotaExhaustedError("x", retry_after=40_000.0), 3600.0),
        (QuotaExhaustedError("x", retry_after=300.0), 300.0),
        (QuotaExhaustedError("x"), 3600.0),
    ],
)
def test_a_refusal_is_remembered_and_forgotten(error: PoolError, seconds: float):
    """As long as the service says, an hour at most; then the model is tried again."""
    clock = Clock()
    abilities = Abilities(clock)
    assert abilities.note("gemini-3.8-flash-tts", error)
    choice = abilities.choose("speech", NAMES)
    assert (choice.models, choice.retry_after_s) == ((), seconds)
    clock.now += seconds
    assert abilities.choose("speech", NAMES).models == ("gemini-3.8-flash-tts",)


def test_other_keys_may_do_what_these_may_not():
    """A key that was added takes effect at once."""
    abilities = Abilities()
    abilities.choose("speech", NAMES, keys=frozenset({"a"}))
    abilities.note("gemini-3.8-flash-tts", QuotaExhaustedError("x"))
    assert not abilities.choose("speech", NAMES, keys=frozenset({"a"})).models
    assert abilities.choose("speech", NAMES, keys=frozenset({"a", "b"})).models


@pytest.mark.parametrize(
    "error", [BlockedError("x", reason="SAFETY"), DeadlineError("x"), QuotaExhaustedError("x", retry_after=20.0)]
)
def test_what_passes_is_no_refusal(error: PoolError):
    """A blocked question, a slow service and a full minute say nothing of what keys may."""
    abilities = Abilities()
    assert not abilities.note("gemini-3.8-flash-tts", error)
    assert abilities.choose("speech", NAMES).models
