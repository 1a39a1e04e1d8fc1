"""How many tokens something will be, before the service has counted it.

``text_tokens`` and ``file_tokens`` guess from what is known without asking anybody; ``Ratios`` sets the guesses right
with what the service counted in the same conversation last. What always holds: pure, and rather too many than too few:
four characters of a Latin text are one token, every other character is one. Files by the service's own rules where they
are simple: https://ai.google.dev/gemini-api/docs/tokens
"""

from __future__ import annotations

from collections import OrderedDict

_REMEMBERED = 10_000
_LEAST, _MOST = 0.25, 4.0
_IMAGE_TOKENS = 1_120
#: A video behind a link, whose length nobody here knows: five minutes at 100 tokens a second.
LINKED_VIDEO_TOKENS = 30_000
#: Bytes that are about one token: 32 tokens a second of sound at 16 kB, 300 of video at 250 kB, 258 a page at 100 kB.
_AUDIO_BYTES, _VIDEO_BYTES, _TEXT_BYTES, _OTHER_BYTES = 500, 800, 3, 400


def text_tokens(text: str) -> int:
    """Guess the tokens of a text."""
    # by the encoder, which is a hundred times as fast as a look at each character
    plain = len(text) if text.isascii() else len(text.encode("ascii", "ignore"))
    return -(-plain // 4) + len(text) - plain


def file_tokens(mime_type: str, size: int) -> int:
    """Guess the tokens of a file of so many bytes."""
    kind = mime_type.partition("/")[0]
    if kind == "image":
        return _IMAGE_TOKENS
    each = {"audio": _AUDIO_BYTES, "video": _VIDEO_BYTES, "text": _TEXT_BYTES}.get(kind, _OTHER_BYTES)
    return -(-size // each)


class Ratios:
    """By conversation: how many times the guess the service counted last."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, float] = OrderedDict()

    def of(self, conversation_id: int) -> float:
        """Give the factor for guesses in this conversation; 1 where nothing was counted yet."""
        return self._known.get(conversation_id, 1.0)

    def learn(self, conversation_id: int, *, guessed: int, counted: int) -> None:
        """Take in what the service counted for what was guessed at."""
        if guessed <= 0 or counted <= 0:
            return
        self._known[conversation_id] = min(_MOST, max(_LEAST, counted / guessed))
        self._known.move_to_end(conversation_id)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
