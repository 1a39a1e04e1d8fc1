"""Redaction: no secret leaves by a log, a traceback, a warning or an uncaught error."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import sys
import threading
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.security import RedactingFilter, Redactor, Secret, install_redaction

CANARY = "canary/value+4711=="


class Seen(logging.Handler):
    """Keeps what it is given: the records, and the lines a formatter makes of them."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.lines.append(logging.Formatter().format(record))


@pytest.fixture
def redactor():
    return Redactor([Secret(CANARY, "north-1")])


@pytest.fixture
def log(redactor):
    """Install redaction, and give a logger whose handler was there before."""
    text = io.StringIO()
    logger = logging.getLogger("tests.redaction")
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    undo = install_redaction(redactor)
    yield logger, text
    undo()
    logger.removeHandler(handler)


def test_a_known_value_is_replaced_by_its_label(redactor):
    """The value goes, its harmless name stays, also where the value is percent-encoded."""
    assert redactor.clean(f"key {CANARY} refused") == "key <secret north-1> refused"
    assert redactor.clean("?k=canary%2Fvalue%2B4711%3D%3D&x") == "?k=<secret north-1>&x"


def test_the_longer_of_two_secrets_wins():
    """A secret that begins another one does not leave the other's tail in the text."""
    redactor = Redactor([Secret("abcdef", "short"), Secret("abcdef-and-more", "long")])
    assert redactor.clean("abcdef-and-more abcdef") == "<secret long> <secret short>"


@given(
    values=st.lists(st.text("ab", min_size=6, max_size=9), min_size=1, max_size=6, unique=True),
    text=st.text("ab ", max_size=80),
)
def test_the_first_and_longest_is_taken_out_wherever_values_overlap(values: list[str], text: str):
    """As one pattern of all values would, from left to right, the longest first."""
    names = {value: f"<secret {number}>" for number, value in enumerate(values)}
    redactor = Redactor(Secret(value, str(number)) for number, value in enumerate(values))
    pattern = "|".join(sorted(values, key=len, reverse=True))
    assert redactor.clean(text) == re.sub(pattern, lambda found: names[found.group()], text)


def test_a_value_that_is_added_later_is_known_at_once(redactor):
    """Also where it begins as another does."""
    assert redactor.clean("canary-the-second") == "canary-the-second"
    redactor.add(Secret("canary-the-second", "south-1"))
    assert redactor.clean(f"canary-the-second {CANARY}") == "<secret south-1> <secret north-1>"


def test_short_values_do_not_garble_ordinary_text():
    """A password of three letters is not searched for everywhere."""
    assert Redactor([Secret("bot", "password")]).clean("the bot") == "the bot"


GOOGLE_KEY = "AI" + "za" + "x" * 35
NEW_KEY = "A" + "Q." + "Ab1_-" * 6
TOKEN = ".".join(["MTA" + "1" * 23, "Gabcde", "s" * 30])


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"bad key {GOOGLE_KEY}!", GOOGLE_KEY),
        (f"bad key {NEW_KEY} and more", NEW_KEY),
        (f"token {TOKEN} refused", TOKEN),
        ("postgresql://bot:pa-ss@db/name", "pa-ss"),
        ("GET /v1/models?key=abc123&x=1", "abc123"),
        ("GET /v1/models?alt=sse&key=abc123", "abc123"),
        ("{'x-goog-api-key': 'abc123'}", "abc123"),
        ("Authorization: Bot abc123", "abc123"),
        ('{"authorization": "Bearer abc123"}', "abc123"),
        ("POST https://discord.com/api/v10/webhooks/123/abc123?wait=1", "abc123"),
        ("/interactions/123/abc123/callback", "abc123"),
    ],
)
def test_the_forms_of_secrets_are_known(redactor, text, secret):
    """What has the form of a secret goes, even though nobody told its value."""
    cleaned = redactor.clean(text)
    assert secret not in cleaned
    assert "<redacted>" in cleaned


def test_ordinary_text_stays_as_it_is(redactor):
    """Addresses without passwords, host:port pairs, prose and code are left alone."""
    text = "see https://ai.google.dev:443/gemini-api?x=1 and mail me@here.test; utils.gemini_pool.provider"
    assert redactor.clean(text) == text


def test_messages_arguments_tracebacks_and_stacks_are_clean(log):
    """Every part of a log record is cleaned, before any handler sees it."""
    logger, text = log

    def fail() -> None:
        error = f"refused {CANARY}"
        raise RuntimeError(error)

    logger.info("direct %s", CANARY)
    logger.info({"key": CANARY})
    try:
        fail()
    except RuntimeError:
        logger.exception("failed with %s", CANARY, stack_info=True)
    written = text.getvalue()
    assert CANARY not in written
    assert written.count("<secret north-1>") >= 4
    assert "RuntimeError: refused <secret north-1>" in written
    assert "in fail" in written


def test_a_handler_added_later_is_covered(log):
    """Redaction sits in the making of records, so that a handler nobody thought of gets clean ones."""
    logger, _text = log
    late = Seen()
    logger.addHandler(late)
    logger.warning("late %s", CANARY)
    logger.removeHandler(late)
    assert late.lines == ["late <secret north-1>"]
    assert late.records[0].args is None


def test_a_record_that_cannot_be_formatted_does_not_fall_back_to_its_arguments(log, capsys):
    """Logging's own report of a broken call would print the arguments; it never comes to that."""
    logger, text = log
    logger.info("%d", CANARY)
    assert CANARY not in text.getvalue() + capsys.readouterr().err
    assert "could not be formatted" in text.getvalue()


def test_the_filter_works_on_a_handler_alone(redactor):
    """RedactingFilter cleans records where it is not installed process-wide."""
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "key %s", (CANARY,), None)
    assert RedactingFilter(redactor).filter(record) is True
    assert record.getMessage() == "key <secret north-1>"


@pytest.mark.filterwarnings("default")
def test_warnings_are_clean(log, redactor):
    """Warnings go through logging, and so come out clean."""
    handler = Seen()
    logging.getLogger("py.warnings").addHandler(handler)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(f"odd {CANARY}", UserWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    logging.getLogger("py.warnings").removeHandler(handler)
    assert any("odd <secret north-1>" in line for line in handler.lines)
    assert not any(CANARY in line for line in handler.lines)


def test_uncaught_errors_are_clean(log, capsys):
    """The last words of the main thread and of another thread show the traceback without the secret."""
    try:
        raise RuntimeError(CANARY)
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
        threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, None)))
    shown = capsys.readouterr().err
    assert shown.count("RuntimeError: <secret north-1>") == 2
    assert CANARY not in shown


async def test_an_error_in_a_forgotten_task_is_clean(log, redactor):
    """Asyncio reports an error nobody awaited through logging, and so without the secret."""
    handler = Seen()
    logging.getLogger("asyncio").addHandler(handler)

    async def fail() -> None:
        raise RuntimeError(CANARY)

    task = asyncio.ensure_future(fail())
    await asyncio.wait([task])
    del task
    logging.getLogger("asyncio").removeHandler(handler)
    assert any("RuntimeError: <secret north-1>" in line for line in handler.lines)
    assert not any(CANARY in line for line in handler.lines)


def test_everything_is_put_back(redactor):
    """What installing changed, undoing restores."""
    before = (logging.getLogRecordFactory(), sys.excepthook, threading.excepthook, sys.unraisablehook)
    install_redaction(redactor)()
    assert (logging.getLogRecordFactory(), sys.excepthook, threading.excepthook, sys.unraisablehook) == before
