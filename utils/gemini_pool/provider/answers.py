"""Whether an answer is one, and how pieces of it become a whole.

An HTTP 200 is not yet an answer: a blocked prompt, an empty body and a stream that ends without a finish reason look
like success to the SDK. ``Judge`` reads the pieces as they come and says what was wrong, as a ``Failure``.
``read_answer`` and ``read_document`` take plain answers off the wire: the first as the SDK's object, the second as
JSON, whose pieces ``merge`` joins before there is any object. What they cannot take is the SDK's to read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.genai import types

from utils.gemini_pool.policy.outcome import Failure
from utils.gemini_pool.provider.texts import read_text_answer

_BLOCKED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
    }
)
_COMPLETE = frozenset({"STOP", "MAX_TOKENS"})
_KEY_LIMITED = "PUP_LIMITED_DISABLED"


class Judge:
    """Reads responses, whole or in pieces, and knows at the end whether they were an answer."""

    __slots__ = ("_blocked", "_finish", "_has_content", "input_tokens", "output_tokens")

    def __init__(self) -> None:
        self._finish: str | None = None
        self._blocked: str | None = None
        self._has_content = False
        self.input_tokens = 0
        self.output_tokens = 0

    def read(self, response: types.GenerateContentResponse) -> None:
        """Take in a response or one piece of it."""
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            self._blocked = f"prompt: {_word(feedback.block_reason)}"
        for candidate in response.candidates or ():
            if candidate.content is not None and candidate.content.parts:
                self._has_content = True
            if candidate.finish_reason is not None:
                self._finish = _word(candidate.finish_reason)
        usage = response.usage_metadata
        if usage is not None:
            self.input_tokens = usage.prompt_token_count or 0
            self.output_tokens = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)

    def failure(self) -> Failure | None:
        """Say what is wrong with all that was read, or None when it is an answer."""
        if self._blocked is not None:
            return Failure(blocked=self._blocked)
        if self._finish is None:
            kind = "truncated" if self._has_content else "empty"
            return Failure(transport=kind, message="the answer ended without saying that it was complete")
        if self._finish in _BLOCKED:
            return Failure(blocked=f"answer: {self._finish}")
        if self._finish == _KEY_LIMITED:
            return Failure(key_disabled=True)
        if self._finish in _COMPLETE or self._has_content:
            return None
        return Failure(transport="malformed", message=f"the answer ended with {self._finish}")


def _word(value: object) -> str:
    return str(getattr(value, "value", value))


def plain_text(piece: types.GenerateContentResponse) -> str | None:
    """Give the text of a piece that another key could go on from; None when it holds more than one plain text."""
    candidates = piece.candidates or ()
    if len(candidates) > 1:
        return None
    parts = [
        part for one in candidates if one.content is not None for part in one.content.parts or () if not part.thought
    ]
    if any(part.text is None for part in parts):
        return None
    return "".join(part.text or "" for part in parts)


def with_text(piece: types.GenerateContentResponse, text: str) -> types.GenerateContentResponse:
    """Give a copy of a piece whose plain text is ``text``."""
    changed = piece.model_copy(deep=True)
    for candidate in changed.candidates or ():
        parts = candidate.content.parts if candidate.content is not None else None
        for part in parts or ():
            if not part.thought and part.text is not None:
                part.text, text = text, ""
    return changed


def read_answer(body: bytes, headers: Mapping[str, str]) -> types.GenerateContentResponse | None:
    """Read an answer or a piece of one as the SDK would; None for what the SDK has to see itself."""
    answer = read_text_answer(body) or _validated(body)
    if answer is None:
        return None
    if not answer.candidates and answer.prompt_feedback is None and answer.usage_metadata is None:
        return None
    if any(candidate.continuation_token for candidate in answer.candidates or ()):
        return None
    answer.sdk_http_response = types.HttpResponse.model_construct(headers=dict(headers))
    return answer


def _validated(body: bytes) -> types.GenerateContentResponse | None:
    try:
        return types.GenerateContentResponse.model_validate_json(body, extra="ignore")
    except ValueError:
        return None


def read_document(body: bytes) -> dict[str, Any] | None:
    """Read a piece of an answer that is nothing but text; None for anything else."""
    try:
        document: Any = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    candidates = document.get("candidates")
    if not isinstance(candidates, list) or not candidates or not all(_is_text_only(one) for one in candidates):
        return None
    return document


def _is_text_only(candidate: Any) -> bool:
    if not isinstance(candidate, dict) or "continuationToken" in candidate:
        return False
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    return isinstance(parts, list) and all(
        isinstance(part, dict) and part.keys() <= _TEXT_KEYS and isinstance(part.get("text"), str) for part in parts
    )


_TEXT_KEYS = frozenset({"text", "thought", "thoughtSignature"})


def to_document(piece: types.GenerateContentResponse) -> dict[str, Any]:
    """Give a piece that the SDK has read as JSON."""
    return piece.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"sdk_http_response"})


def merge(documents: Sequence[dict[str, Any]]) -> types.GenerateContentResponse:
    """Join the pieces of one stream into the response a whole answer would have been; the pieces are used up.

    Neighbouring texts of a candidate are joined (thoughts apart from answers); figures and reasons are the last ones.
    """
    whole: dict[str, Any] = {}
    merged: dict[int, dict[str, Any]] = {}
    for document in documents:
        candidates = document.pop("candidates", None) or ()
        whole.update(document)
        for candidate in candidates:
            index = candidate.get("index") or 0
            if index in merged:
                _append(merged[index], candidate)
            else:
                merged[index] = candidate
    if merged:
        whole["candidates"] = [merged[index] for index in sorted(merged)]
    return types.GenerateContentResponse.model_validate(whole, extra="ignore")


def _append(whole: dict[str, Any], piece: dict[str, Any]) -> None:
    content = piece.pop("content", None)
    whole.update(piece)
    new = (content or {}).get("parts")
    if not new:
        return
    parts = whole.setdefault("content", content).setdefault("parts", [])
    if parts is new:
        return
    for part in new:
        if parts and _is_plain(part) and _is_plain(parts[-1]) and part.get("thought") == parts[-1].get("thought"):
            parts[-1]["text"] += part["text"]
        else:
            parts.append(part)


def _is_plain(part: Mapping[str, Any]) -> bool:
    return part.get("text") is not None and part.get("thoughtSignature") is None
