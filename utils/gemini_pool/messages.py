"""Prompts as the API's turns: a text, a list of parts, or whole contents.

``to_contents`` answers a list of ``{"role": ..., "parts": [...]}`` dictionaries and raises ``UsageError`` with a
sentence for what cannot be one; dictionaries cost the SDK half of what typed objects do. Typed parts of the SDK pass
through unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from utils.gemini_pool.errors import UsageError

Content = dict[str, Any]
_MEDIA = ("inline_data", "inlineData", "file_data", "fileData")


def to_contents(prompt: str | Sequence[Any] | None, contents: Sequence[Content] | None) -> list[Content]:
    """Give the turns to send; exactly one of the two must be there, and must not be empty."""
    if (prompt is None) == (contents is None):
        raise UsageError("Give either a prompt or contents.")
    if contents is not None:
        if not contents or not _is_list(contents):
            raise UsageError("contents must be a list of at least one turn.")
        return list(contents)
    if prompt is None or not (isinstance(prompt, str) or _is_list(prompt)):
        raise UsageError("The prompt must be a text or a list of parts.")
    given = [prompt] if isinstance(prompt, str) else prompt
    parts = [{"text": part} if isinstance(part, str) else part for part in given]
    if not parts or all(_is_blank(part) for part in parts):
        raise UsageError("The prompt is empty: ask something.")
    return [{"role": "user", "parts": parts}]


def has_media(contents: Sequence[Content]) -> bool:
    """Whether any part is more than text, which takes the service longer."""
    return any(_is_media(part) for turn in contents for part in _parts_of(turn))


def _is_list(given: object) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, (str, bytes, bytearray))


def _is_blank(part: Any) -> bool:
    return isinstance(part, dict) and part.keys() == {"text"} and not str(part["text"]).strip()


def _parts_of(turn: Any) -> Sequence[Any]:
    parts = turn.get("parts") if isinstance(turn, Mapping) else getattr(turn, "parts", None)
    return parts if isinstance(parts, Sequence) else ()


def _is_media(part: Any) -> bool:
    if isinstance(part, Mapping):
        return any(part.get(name) is not None for name in _MEDIA)
    return any(getattr(part, name, None) is not None for name in ("inline_data", "file_data"))
