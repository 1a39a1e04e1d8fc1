"""Sentences for errors: one for every class, with its time where known, and nothing of the error's own text."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from utils.conversations import EmptyAnswerError
from utils.gemini_pool import (
    BlockedError,
    ModelOverloadedError,
    PoolError,
    QuotaExhaustedError,
    RequestError,
    UnavailableError,
    errors,
)
from utils.i18n import translate
from utils.rendering.errors import PlaceGoneError
from utils.rendering.sentences import error_sentence, relative_time

SECRET = "AIzaSyExample-secret"
POOL_ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, PoolError)]


def made(kind: type[PoolError]) -> PoolError:
    return BlockedError(SECRET, reason="SAFETY") if kind is BlockedError else kind(SECRET, retry_after=90.5)


@pytest.mark.parametrize("locale", ["en-US", "zh-TW"])
@pytest.mark.parametrize("kind", POOL_ERRORS)
def test_every_error_of_the_pool_is_one_sentence_without_its_text(kind, locale):
    """The reader learns what to do; the error's text, which may hold anything, stays out."""
    sentence = error_sentence(made(kind), locale, wall=lambda: 1000.0)
    assert SECRET not in sentence
    assert sentence.endswith("." if locale == "en-US" else "。")
    assert sentence.count(". ") + sentence.count("。") == (0 if locale == "en-US" else 1)
    assert "\n" not in sentence


def test_every_class_has_a_sentence_of_its_own():
    """Classes that mean different things to do are told apart."""
    sentences = {error_sentence(made(kind), "en-US", wall=lambda: 0.0) for kind in POOL_ERRORS}
    assert len(sentences) == len(POOL_ERRORS)


def test_a_known_time_is_a_timestamp_that_is_never_early():
    """Discord shows it as "in 2 minutes" in the reader's own language."""
    error = QuotaExhaustedError("x", retry_after=90.2)
    assert error_sentence(error, "en-US", wall=lambda: 1000.0).endswith("try again <t:1091:R>.")
    assert relative_time(5.0) == "<t:5:R>"


@pytest.mark.parametrize("retry_after", [None, float("inf"), float("nan")])
def test_an_unknown_time_is_not_invented(retry_after):
    """Without a figure the sentence has no timestamp."""
    assert "<t:" not in error_sentence(ModelOverloadedError("x", retry_after=retry_after), "en-US")


def test_a_class_without_a_sentence_takes_the_nearest_above():
    """New kinds of error are told as well as can be."""

    class NewError(RequestError):
        pass

    assert error_sentence(NewError("x"), "en-US") == translate("error.request", "en-US")


@pytest.mark.parametrize(
    ("error", "message_id"),
    [
        (EmptyAnswerError(), "error.empty_answer"),
        (PlaceGoneError("404"), "error.discord"),
        (asyncio.CancelledError(), "error.cancelled"),
        (ValueError(SECRET), "error.general"),
        (UnavailableError(SECRET), "error.unavailable"),
    ],
)
def test_errors_of_other_rooms_have_their_sentences(error, message_id):
    """Errors name their sentence themselves, and unknown ones get the general one."""
    assert error_sentence(error, "zh-TW") == translate(message_id, "zh-TW")


def test_the_reason_of_a_block_is_the_services_word_and_nothing_else():
    """Only letters of a constant are shown."""
    error = BlockedError("x", reason="PROHIBITED_CONTENT")
    assert "(PROHIBITED CONTENT)" in error_sentence(error, "en-US")
    assert "(OTHER)" in error_sentence(BlockedError("x", reason="\u6f22 123"), "en-US")
