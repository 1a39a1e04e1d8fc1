"""The lines of a Markdown text, as far as cutting it needs to know them.

``scan(text)`` gives every line with its kind (text, blank, heading, table row, and the opening, code and
closing lines of a fence) and the ``Fence`` that is open after it. ``opened_by`` and ``Fence.closed_by``
are the two rules behind it: a fence is three or more backticks or tildes on a line of their own, with an
optional language, and is closed by at least as many of the same; anything inside, shorter fences too, is
code. It may stand in quotes and lists; in a quote it ends where the quote does. Three backticks at the end of
a line of words open one too, and end one, since Discord shows it so.

What always holds: lines join to the text, and a fence line is short (``MAX_FENCE_UNITS``), because indents,
markers and languages longer than anybody writes are taken as plain text; so a cut never has to divide one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

#: So much space at its end a fence line may have; Discord drops it where it ends a message.
MAX_TAIL = 64
#: The longest opening or closing line, in UTF-16 units: what is before, marker, 60 characters of two units, space.
MAX_FENCE_UNITS = 40 + 16 + 2 * 60 + MAX_TAIL

_CONTAINERS = r"(?=.{0,40}?[`~]{3})((?:[ \t]{0,8}(?:>|[-*+]|\d{1,9}[.)])[ \t]{1,4}|[ \t]{0,8}>)*)[ \t]{0,16}"
_OPENING = re.compile(_CONTAINERS + r"(`{3,16}(?!`)|~{3,16}(?!~))([^`\n]{0,60})\r?\n?\Z")
_CLOSING = re.compile(r"[ \t]{0,16}(`{3,16}|~{3,16})[ \t]{0,60}\r?\n?\Z")
_QUOTED = re.compile(r"[ \t]{0,8}>[ \t]?")
_AFTER_WORDS = re.compile(r"[^`\n]{1,80}(`{3})(?!`)([\w+#.-]{0,20})\r?\n?\Z")
_BEHIND_CODE = re.compile(r"[^`\n]{1,80}```[ \t]{0,16}\r?\n?\Z")
_HEADING = re.compile(r"#{1,6} ")
_MAX_LANGUAGE = 32


class LineKind(Enum):
    """What a line is to whoever cuts the text."""

    TEXT = "text"
    BLANK = "blank"
    HEADING = "heading"
    TABLE = "table"
    OPENING = "opening"
    CODE = "code"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Fence:
    """An open fence: its marker, the language behind it, and the quote marks before each of its lines."""

    marker: str
    language: str
    quote: str = ""

    @property
    def opening(self) -> str:
        """The line, with its end, that opens the same fence again."""
        return f"{self.quote}{self.marker}{self.language}\n"

    @property
    def closing(self) -> str:
        """The line, without an end, that closes it."""
        return f"{self.quote}{self.marker}"

    def closed_by(self, line: str) -> bool:
        """Tell whether the line closes this fence."""
        for _ in self.quote.strip():
            line = _QUOTED.sub("", line, count=1)
        match = _CLOSING.match(line)
        if match is not None:
            return match[1].startswith(self.marker)
        return self.marker == "```" and _BEHIND_CODE.match(line) is not None

    def holds(self, line: str) -> bool:
        """Tell whether the line is still in what the fence stands in."""
        return not self.quote or _QUOTED.match(line) is not None


@dataclass(frozen=True, slots=True)
class Line:
    """One line, its end included: ``text[start:end]``; ``fence`` is what is open after it."""

    start: int
    end: int
    kind: LineKind
    fence: Fence | None


def opened_by(line: str) -> Fence | None:
    """Give the fence that the line opens outside of any other, or None."""
    without_tail = line.rstrip()
    if len(line) - len(without_tail) <= MAX_TAIL:
        line = without_tail
    match = _OPENING.match(line)
    if match is None:
        after_words = _AFTER_WORDS.match(line)
        return Fence(after_words[1], after_words[2]) if after_words is not None else None
    language = match[3].split(maxsplit=1)
    return Fence(match[2], language[0][:_MAX_LANGUAGE] if language else "", "> " * match[1].count(">"))


def scan(text: str) -> list[Line]:
    """Read the lines of a text from its beginning, where no fence is open."""
    lines: list[Line] = []
    fence: Fence | None = None
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        kind, fence = _read(text[start:end], fence)
        lines.append(Line(start, end, kind, fence))
        start = end
    return lines


def _read(line: str, fence: Fence | None) -> tuple[LineKind, Fence | None]:
    if fence is not None and fence.holds(line):
        return (LineKind.CLOSING, None) if fence.closed_by(line) else (LineKind.CODE, fence)
    opened = opened_by(line)
    if opened is not None:
        return LineKind.OPENING, opened
    content = line.strip()
    if not content:
        return LineKind.BLANK, None
    if content.startswith("|"):
        return LineKind.TABLE, None
    return (LineKind.HEADING if _HEADING.match(content) else LineKind.TEXT), None
