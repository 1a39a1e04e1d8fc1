"""What a question may look like: cheap checks made before anything is stored or sent.

``check_text``, ``check_attachment``, ``check_attachments``, ``check_model`` and ``check_temperature``
answer None or a ``Refusal``: the id of one sentence and its values, which ``Refusal.sentence(locale)``
spells out.

What always holds: no await, no I/O, and a declared size is judged before a byte is fetched. The limits are
ours and stay below the service's (100 MB of inline data a request, of which base64 takes a third). Discord
takes 6000 characters in a slash option; the longer text limit is met by messages and modals only. Which
types of file the API takes is said in ``filetypes``; what is found out once a file is here in ``media``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from utils.conversations.filetypes import is_gif, may_be_read
from utils.i18n import translate

MAX_TEXT_CHARACTERS = 8_000
MAX_ATTACHMENTS = 10
MAX_ATTACHMENT_BYTES = 10 * 1024 * 1024
MAX_ATTACHMENTS_BYTES = 20 * 1024 * 1024
TEMPERATURE_RANGE = (0.0, 2.0)

_MIB = 1024 * 1024
_MAX_SHOWN_NAME = 80


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a question is not taken: a message id of ``utils.i18n`` and the values of its placeholders."""

    message_id: str
    values: Mapping[str, object]

    def sentence(self, locale: str) -> str:
        """Say it to a reader of that locale, in one sentence that tells what to do."""
        return translate(self.message_id, locale, **self.values)


class DeclaredFile(NamedTuple):
    """A file as its sender declares it: the size in bytes; the MIME type may be missing or wrong."""

    name: str
    size: int
    mime_type: str | None


def check_text(text: str) -> Refusal | None:
    """Refuse a question that is empty or longer than ``MAX_TEXT_CHARACTERS`` once stripped."""
    count = len(text.strip())
    if count == 0:
        return Refusal("ask.empty", {})
    if count > MAX_TEXT_CHARACTERS:
        return Refusal("ask.too_long", {"count": count, "limit": MAX_TEXT_CHARACTERS})
    return None


def check_attachment(name: str, size: int, mime_type: str | None) -> Refusal | None:
    """Refuse one file by its declared name, size in bytes and MIME type."""
    shown = shown_word(name)
    if is_gif(name, mime_type):
        return Refusal("ask.attachment_gif", {"name": shown})
    if not may_be_read(name, mime_type):
        return Refusal("ask.attachment_type", {"name": shown})
    return size_refusal(name, size, MAX_ATTACHMENT_BYTES)


def size_refusal(name: str, size: int, limit: int) -> Refusal | None:
    """Refuse a file that is empty or larger than ``limit``, both in bytes."""
    shown = shown_word(name)
    if size <= 0:
        return Refusal("ask.attachment_empty", {"name": shown})
    if size > limit:
        return Refusal("ask.attachment_too_large", {"name": shown, "size": _mebibytes(size), "limit": limit // _MIB})
    return None


def check_attachments(files: Sequence[DeclaredFile | tuple[str, int, str | None]]) -> Refusal | None:
    """Refuse a question's files: too many, any one of them, or too large together."""
    if len(files) > MAX_ATTACHMENTS:
        return Refusal("ask.too_many_attachments", {"count": len(files), "limit": MAX_ATTACHMENTS})
    for name, size, mime_type in files:
        refusal = check_attachment(name, size, mime_type)
        if refusal is not None:
            return refusal
    total = sum(size for _, size, _ in files)
    if total > MAX_ATTACHMENTS_BYTES:
        values = {"size": _mebibytes(total), "limit": MAX_ATTACHMENTS_BYTES // _MIB}
        return Refusal("ask.attachments_too_large", values)
    return None


def check_model(name: str, known: Collection[str]) -> Refusal | None:
    """Refuse a model that is not among the known names; where nothing is known yet, the service decides."""
    bare = name.strip().removeprefix("models/")
    if bare and (not known or bare in known):
        return None
    return Refusal("ask.model_unknown", {"model": shown_word(bare)})


def check_temperature(value: float) -> Refusal | None:
    """Refuse a temperature outside ``TEMPERATURE_RANGE``, or one that is no number."""
    low, high = TEMPERATURE_RANGE
    if low <= value <= high:
        return None
    return Refusal("ask.temperature", {"low": f"{low:g}", "high": f"{high:g}"})


def shown_word(name: str) -> str:
    """Give a foreign word so that it can stand between backticks in a sentence, and not leave them."""
    plain = "".join(" " if char == "`" or not char.isprintable() else char for char in name).strip() or "?"
    return plain if len(plain) <= _MAX_SHOWN_NAME else plain[: _MAX_SHOWN_NAME - 1] + "…"


def _mebibytes(size: int) -> str:
    # rounded up, so that a file a few bytes over the limit is never said to have exactly the limit
    return f"{-(-size * 10 // _MIB) / 10:g}"
