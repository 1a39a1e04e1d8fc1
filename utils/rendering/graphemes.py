"""Where text may be cut so that no reader sees half a character, and how long Discord may take it to be.

``units(text)`` counts UTF-16 units, the longest of the counts in question (which one Discord uses is not
documented). ``is_border(text, index)`` tells whether a cut there leaves every visible character whole:
combining marks, emoji sequences with joiners, skin tones, flags, Hangul syllables and the invisible marks
of right-to-left text stay with their neighbours. ``longest_prefix(text, room)`` is the longest head within
so many units that ends at a border.

What always holds: pure, and a prefix is never empty for a text that is not: a single character longer than
the room is cut between code points. The rules follow Unicode's UAX 29 as far as the standard library's
tables go.
"""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"
_ZERO_WIDTH_SPACE = "\u200b"
_LARGEST_ONE_UNIT = "\uffff"


def units(text: str) -> int:
    """Count the UTF-16 units of a text."""
    if text.isascii() or max(text) <= _LARGEST_ONE_UNIT:
        return len(text)
    return len(text) + sum(char > _LARGEST_ONE_UNIT for char in text)


def is_border(text: str, index: int) -> bool:
    """Tell whether the text may be cut in front of ``text[index]``."""
    if index <= 0 or index >= len(text):
        return True
    before, after = text[index - 1], text[index]
    if before.isascii() and after.isascii():
        return not (before == "\r" and after == "\n")
    if before == _JOINER or _extends(after) or _is_invisible_mark(before):
        return False
    if _is_flag_letter(before) and _is_flag_letter(after):
        return _flag_letters_before(text, index) % 2 == 0
    if _is_hangul(before) and _is_jamo(after):
        return False
    return not ("\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff")


def longest_prefix(text: str, room: int) -> int:
    """Give the length in code points of the longest head of at most ``room`` units that ends at a border.

    At least 1 for a text that is not empty, also where the room is smaller.
    """
    length = _code_points_within(text, room)
    border = length
    while border > 0 and not is_border(text, border):
        border -= 1
    return border or max(1, length)


def _code_points_within(text: str, room: int) -> int:
    head = text[: max(0, room)]
    if units(head) <= room:
        return len(head)
    used = 0
    for index, char in enumerate(head):
        used += 1 if char <= _LARGEST_ONE_UNIT else 2
        if used > room:
            return index
    return len(head)


def _extends(char: str) -> bool:
    return (
        unicodedata.category(char) in {"Mn", "Me", "Mc"}
        or char == _JOINER
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or _is_invisible_mark(char)
    )


def _is_invisible_mark(char: str) -> bool:
    return unicodedata.category(char) == "Cf" and char != _ZERO_WIDTH_SPACE


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _flag_letters_before(text: str, index: int) -> int:
    start = index
    while start > 0 and _is_flag_letter(text[start - 1]):
        start -= 1
    return index - start


def _is_hangul(char: str) -> bool:
    return _is_jamo(char) or "\uac00" <= char <= "\ud7a3"


def _is_jamo(char: str) -> bool:
    return "\u1100" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7ff"
