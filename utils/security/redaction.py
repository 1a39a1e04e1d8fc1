"""Taking secrets out of text that leaves the process: logs, tracebacks, warnings, the last words of a crash.

``Redactor`` knows the secrets of this process by value, and the forms of foreign ones (Google keys, bot
tokens, tokens of interactions, passwords in database addresses, ``?key=``), and gives text back without
them. ``RedactingFilter`` does that to one log record: message, arguments, traceback and stack.
``install_redaction`` puts it where no handler can be forgotten, into the making of log records, and into
the hooks for uncaught errors of the main thread, of other threads and of destructors; warnings go through
logging. asyncio's own handler for errors in tasks logs, so it is covered too.

What always holds: a value given to ``Redactor.add`` comes out of none of these, also when percent-encoded.
Text for Discord is not made here: ``utils/rendering`` shows fixed sentences only.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any
from urllib.parse import quote

from utils.security.secret import Secret

# A shorter value may be part of an ordinary word; passwords in addresses are found by their place.
_SHORTEST_EXACT_VALUE = 6
# many keys begin alike, so that few of these are looked for
_HEAD = 4

_GONE = "<redacted>"

_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"AIza[0-9A-Za-z_-]{35}"), _GONE),
    (re.compile(r"\bAQ\.[0-9A-Za-z_.-]+"), _GONE),
    # a bot token: the id in base64, a time, a signature
    (re.compile(r"\b[0-9A-Za-z_-]{23,28}\.[0-9A-Za-z_-]{6,7}\.[0-9A-Za-z_-]{27,}"), _GONE),
    # whoever has an interaction's token may speak in the bot's name for 15 minutes
    (re.compile(r"(/(?:webhooks|interactions)/\d+/)[^/\s?\"']+"), rf"\1{_GONE}"),
    (re.compile(r"([a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@", re.IGNORECASE), rf"\1{_GONE}@"),
    (re.compile(r"([?&]key=)[^&\s\"'#]+", re.IGNORECASE), rf"\1{_GONE}"),
    (re.compile(r"(x-goog-api-key[\"']?\s*[:=]\s*[\"']?)[^\s\"',}]+", re.IGNORECASE), rf"\1{_GONE}"),
    (
        re.compile(r"(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:bot|bearer)\s+)[^\s\"',}]+", re.IGNORECASE),
        rf"\1{_GONE}",
    ),
)


class Redactor:
    """Knows the secrets of this process; ``clean`` gives text back without them."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._names: dict[str, str] = {}
        #: How long the known values are that begin with these characters, the longest first.
        self._lengths: dict[str, tuple[int, ...]] = {}
        #: What finds their beginnings, and of how many it knows: another thread may add one at any time.
        self._heads = (0, re.compile("(?!)"))
        for secret in secrets:
            self.add(secret)

    def add(self, secret: Secret) -> None:
        """Know one more secret from now on; its label takes its place in cleaned text."""
        value = secret.reveal().strip()
        if len(value) < _SHORTEST_EXACT_VALUE:
            return
        for spelling in {value, quote(value, safe=""), quote(value)}:
            self._names[spelling] = f"<secret {secret.label}>"
            head = spelling[:_HEAD]
            self._lengths[head] = tuple(sorted({*self._lengths.get(head, ()), len(spelling)}, reverse=True))

    def clean(self, text: str) -> str:
        """Give ``text`` back with every known secret, and everything in the form of one, replaced."""
        if self._names:
            text = self._without_known(text)
        for form, replacement in _FORMS:
            text = form.sub(replacement, text)
        return text

    def _without_known(self, text: str) -> str:
        count, heads = self._heads
        if count != len(self._lengths):
            # with whole values instead of their heads a thousand keys take 35 MB
            known = list(self._lengths)
            heads = re.compile("|".join(map(re.escape, known)))
            self._heads = (len(known), heads)
        kept: list[str] = []
        done = position = 0
        while (found := heads.search(text, position)) is not None:
            start = found.start()
            # the longest first, so that a secret which begins another does not leave the other's tail behind
            for length in self._lengths[found.group()]:
                name = self._names.get(text[start : start + length])
                if name is not None:
                    kept += text[done:start], name
                    done = position = start + length
                    break
            else:
                position = start + 1
        return "".join((*kept, text[done:]))


class RedactingFilter(logging.Filter):
    """Cleans a record's message, traceback and stack in place; lets every record through."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record; the traceback becomes text, so that no handler formats the live error anew."""
        record.msg = self._redactor.clean(_message_of(record))
        record.args = None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        record.exc_info = None
        if record.exc_text:
            record.exc_text = self._redactor.clean(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redactor.clean(record.stack_info)
        return True


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 - an argument's __str__ may raise anything; logging would then print it
        return f"{record.msg} (its arguments could not be formatted: {type(error).__name__})"


def install_redaction(redactor: Redactor) -> Callable[[], None]:
    """Clean every log record, warning and uncaught error of this process; gives back what undoes it."""
    cleaner = RedactingFilter(redactor)
    before = (
        logging.getLogRecordFactory(),
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        warnings.showwarning,
    )
    make_record = before[0]

    def make_clean_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        cleaner.filter(record)
        return record

    def tell(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        sys.stderr.write(redactor.clean("".join(traceback.format_exception(kind, error, trace))))

    def undo() -> None:
        logging.captureWarnings(capture=False)
        logging.setLogRecordFactory(before[0])
        sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = before[1:]

    logging.setLogRecordFactory(make_clean_record)
    sys.excepthook = tell
    threading.excepthook = lambda args: tell(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: tell(args.exc_type, args.exc_value, args.exc_traceback)
    logging.captureWarnings(capture=True)
    return undo
