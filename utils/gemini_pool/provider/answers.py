"""Whether an answer is one, and how pieces of it become a whole.

An HTTP 200 is not yet an answer: a blocked prompt, an empty body and a stream that ends without a finish reason look
like success to the SDK. ``Judge`` reads the pieces as they come and says what was wrong, as a ``Failure``.
"""

from __future__ import annotations

from collections.abc import Sequence

from google.genai import types

from utils.gemini_pool.policy.outcome import Failure

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


def merge(pieces: Sequence[types.GenerateContentResponse]) -> types.GenerateContentResponse:
    """Join the pieces of one stream into the response a whole answer would have been.

    Neighbouring texts of a candidate are joined (thoughts apart from answers); figures and reasons are the last ones.
    """
    last = pieces[-1].model_copy()
    merged: dict[int, types.Candidate] = {}
    for piece in pieces:
        for candidate in piece.candidates or ():
            index = candidate.index or 0
            known = merged.get(index)
            if known is None:
                merged[index] = candidate.model_copy(deep=True)
                continue
            _append(known, candidate)
    last.candidates = [merged[index] for index in sorted(merged)] or None
    return last


def _append(whole: types.Candidate, piece: types.Candidate) -> None:
    for name in type(piece).model_fields:
        value = getattr(piece, name)
        if name != "content" and value is not None:
            setattr(whole, name, value)
    if piece.content is None or not piece.content.parts:
        return
    if whole.content is None:
        whole.content = piece.content.model_copy(deep=True)
        return
    parts = whole.content.parts = list(whole.content.parts or ())
    for part in piece.content.parts:
        before = parts[-1] if parts else None
        if before is not None and _is_plain_text(part) and _is_plain_text(before) and part.thought == before.thought:
            before.text = (before.text or "") + (part.text or "")
        else:
            parts.append(part.model_copy())


def _is_plain_text(part: types.Part) -> bool:
    return part.text is not None and part.thought_signature is None
