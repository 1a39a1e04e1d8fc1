"""One text out of two: an answer that broke off, and its continuation by another key.

Pure. ``Joint`` keeps what a reader has seen and trims from a continuation the words that it says again. What always
holds: nothing the reader has seen is changed; an answer with more than plain text in it (a function call, a picture,
several candidates) cannot be continued, because nothing could say where it stopped.
"""

from __future__ import annotations

_LONGEST_REPEAT = 400
#: A shorter repeat may be how the text really goes on ("very, very").
_SHORTEST_REPEAT = 12


class Joint:
    """What was seen of one answer."""

    __slots__ = ("_begins", "_said", "resumable")

    def __init__(self) -> None:
        self._said: list[str] = []
        self._begins = False
        self.resumable = True

    @property
    def said(self) -> str:
        """All the reader has seen."""
        return "".join(self._said)

    def break_off(self) -> None:
        """Note that the next text begins a continuation."""
        self._begins = bool(self._said)

    def take(self, text: str | None) -> str:
        """Take the next text in (None: more than plain text); answers what of it the reader has not seen."""
        if text is None:
            self.resumable = False
            return ""
        if self._begins and text:
            self._begins = False
            text = text[repeated(self.said, text) :]
        self._said.append(text)
        return text


def repeated(said: str, text: str) -> int:
    """How many characters at the beginning of ``text`` repeat the end of ``said``."""
    for length in range(min(len(said), len(text), _LONGEST_REPEAT), _SHORTEST_REPEAT - 1, -1):
        if said.endswith(text[:length]):
            return length
    return 0
