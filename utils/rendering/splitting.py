"""Cut an answer into messages that Discord takes and people can read.

``split(text, limit)`` gives the messages of a finished answer; ``preview(text, limit)`` the one message
that stands for an answer still being written. ``pieces`` is the rule behind both: each ``Piece`` is a
stretch of the text with the fence lines added around it.

What always holds: the bodies of all pieces join to the text, nothing lost or doubled; no piece is longer
than the limit in UTF-16 units; every fence opened in a piece is closed in it and opened again, with its
language, in the next; no visible character is divided. A cut falls between paragraphs, else lines, else
sentences, else words, else characters, and a table or code block that fits into one message is moved
rather than divided. When and where messages are sent is for ``utils/rendering/discord`` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from utils.rendering.fences import MAX_FENCE_UNITS, Fence, LineKind, opened_by, scan
from utils.rendering.graphemes import is_border, longest_prefix, units

#: Discord takes 2000 characters a message; the margin is for the doubt about how it counts.
MESSAGE_LIMIT = 1900
#: Below this a fence opened again, its longest line and its closing might leave no room for text.
SMALLEST_LIMIT = 400

_CURSOR = "▍"
_PREVIEW_RESERVE = 24
_PARTIAL_FENCE = re.compile(r"(?:\A|(?<=\n))[ \t]*(?:`{1,2}|~{1,2}|`{3,}[^`\n]*|~{3,}[^\n]*)\Z")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\s+|[。！？｡][」』”’）]*")
_SPACE = re.compile(r"\s+")
_SHORT_HEAD = 0.15


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text (``body``) between the fence lines that were added to make it whole by itself."""

    opening: str
    body: str
    closing: str

    @property
    def text(self) -> str:
        """The message: without blank lines at its head and space at its tail, which Discord drops anyway."""
        separator = "" if not self.closing or self.body.endswith("\n") else "\n"
        shown = f"{self.opening}{self.body}{separator}{self.closing}".rstrip().lstrip("\r\n")
        if not self.closing and self.body[-1:].isspace():
            # without the space behind it, what was no fence line may be one, and what ended a quote no longer does
            lines = scan(shown)
            fence = lines[-1].fence if lines else None
            return shown if fence is None else f"{shown}\n{fence.closing}"
        return shown


class _Level(IntEnum):
    """How good a place to cut is."""

    BAD = 0  # between a fence line and its code: leaves an empty code block behind
    CHARACTER = 1
    SPACE = 2
    SENTENCE = 3
    BLOCK = 4  # between lines of one table or code block, or behind a heading
    LINE = 5
    PARAGRAPH = 6


@dataclass(frozen=True, slots=True)
class _Cut:
    position: int
    fill: float  # share of the room that is used
    level: _Level
    line: int  # index of the line the next piece starts in
    fence: Fence | None


def split(text: str, limit: int = MESSAGE_LIMIT) -> list[str]:
    """Give the messages of a finished answer, each at most ``limit`` UTF-16 units and none of them blank.

    Raises ValueError for a limit under ``SMALLEST_LIMIT``.
    """
    return [piece.text for piece in pieces(text, limit) if piece.body.strip()]


def preview(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Give the one message that shows a running answer: its head, a cursor, and how much more there is.

    Empty as long as there is nothing to show. A fence still open is closed behind the cursor, and a fence
    line that has only begun to arrive is left out. Raises ValueError for a limit that is too small.
    """
    shown = _PARTIAL_FENCE.sub("", text).rstrip()
    # a piece has at most `limit` code points: what lies far behind cannot change it, and previews are frequent
    first = next(pieces(shown[: 4 * limit], limit - _PREVIEW_RESERVE), None)
    if first is None or not first.body.strip():
        return ""
    rest = len(shown) - len(first.body)
    if rest > 0:
        return f"{first.text}\n-# … +{rest:,}"
    last = scan(first.body)[-1]
    separator = "\n" if last.kind in {LineKind.OPENING, LineKind.CLOSING} else ""
    if separator and last.fence is not None:
        separator += last.fence.quote
    return Piece(first.opening, f"{first.body}{separator}{_CURSOR}", first.closing).text


def pieces(text: str, limit: int) -> Iterator[Piece]:
    """Cut the text; pieces of nothing but space are among the answers, so that the bodies join to the text."""
    if limit < SMALLEST_LIMIT:
        raise ValueError(f"a message limit must be at least {SMALLEST_LIMIT} units, not {limit}")
    splitter = _Splitter(text, limit)
    cut = _Cut(0, 0.0, _Level.PARAGRAPH, 0, None)
    while cut.position < len(text):
        following = splitter.next_cut(cut)
        yield Piece(
            splitter.opening(cut),
            text[cut.position : following.position],
            following.fence.closing if following.fence else "",
        )
        cut = following


class _Splitter:
    """The lines of one text and the choice of the next cut."""

    def __init__(self, text: str, limit: int) -> None:
        self._text = text
        self._limit = limit
        self._lines = scan(text)

    def opening(self, start: _Cut) -> str:
        """Give what stands before the piece that starts there; in a quote also before the rest of a divided line."""
        if start.fence is None:
            return ""
        divided = self._text[start.position - 1] != "\n"
        return start.fence.opening + (start.fence.quote if divided else "")

    def next_cut(self, start: _Cut) -> _Cut:
        """Choose where the piece that starts at ``start`` ends."""
        room = self._limit - units(self.opening(start))
        cuts: list[_Cut] = []
        used = 0
        for index in range(start.line, len(self._lines)):
            line = self._lines[index]
            stretch = self._text[max(line.start, start.position) : line.end]
            if not _fits(stretch.rstrip("\n"), room - used - _closing_units(line.fence)):
                cuts.extend(self._cuts_within(index, stretch, used, room))
                return self._best(cuts, index) if cuts else self._forced(index, stretch, room)
            used += units(stretch)
            cuts.append(_Cut(line.end, used / room, self._level_after(index), index + 1, line.fence))
        return cuts[-1]

    def _cuts_within(self, index: int, stretch: str, used: int, room: int) -> Iterator[_Cut]:
        """Places inside the first line that does not fit, one for each level."""
        line = self._lines[index]
        left = room - used - _closing_units(line.fence)
        if line.kind in {LineKind.OPENING, LineKind.CLOSING} or left <= 0:
            return
        reach = longest_prefix(stretch, left)
        begin = line.end - len(stretch)
        for level, ends in _ends_by_level(stretch[:reach], in_code=line.fence is not None):
            for end in ends:
                if end == reach or is_border(stretch, end):
                    if _makes_a_fence(stretch, end):
                        continue
                    fill = (used + units(stretch[:end])) / room
                    yield _Cut(begin + end, fill, level, index, line.fence)
                    break

    def _forced(self, index: int, stretch: str, room: int) -> _Cut:
        """Cut where it must be, in a line in which every place is a bad one."""
        line = self._lines[index]
        reach = longest_prefix(stretch, room - _closing_units(line.fence))
        # hundreds of marks on one letter have no border, but what follows them must not become a fence either
        end = next((end for end in range(reach, 0, -1) if not _makes_a_fence(stretch, end)), reach)
        return _Cut(line.end - len(stretch) + end, 1.0, _Level.BAD, index, line.fence)

    def _level_after(self, index: int) -> _Level:
        kind, fence = self._lines[index].kind, self._lines[index].fence
        following = self._lines[index + 1].kind if index + 1 < len(self._lines) else LineKind.BLANK
        if fence is not None:
            at_edge = kind is LineKind.OPENING or following is LineKind.CLOSING
            return _Level.BAD if at_edge else _Level.BLOCK
        if kind is LineKind.HEADING or kind is following is LineKind.TABLE:
            return _Level.BLOCK
        if kind in {LineKind.BLANK, LineKind.CLOSING}:
            return _Level.PARAGRAPH
        if following in {LineKind.BLANK, LineKind.OPENING, LineKind.HEADING}:
            return _Level.PARAGRAPH
        return _Level.LINE

    def _best(self, cuts: list[_Cut], overflow: int) -> _Cut:
        """Choose the last cut of the best level that leaves the piece reasonably full."""
        block = self._block_units(overflow)
        head_fill = _SHORT_HEAD
        if block is not None:
            # a block that fits into a message is moved whole; one that does not starts where it stands
            head_fill = 0.0 if block <= self._limit else 0.5
        preferences = (
            ({_Level.PARAGRAPH}, 0.5),
            ({_Level.PARAGRAPH, _Level.LINE}, 0.5),
            ({_Level.PARAGRAPH, _Level.LINE}, head_fill),
            ({_Level.BLOCK}, 0.3),
            ({_Level.SENTENCE}, 0.5),
            ({_Level.SPACE}, 0.5),
            (set(_Level) - {_Level.BAD}, 0.0),
        )
        for levels, fill in preferences:
            fitting = [cut for cut in cuts if cut.level in levels and cut.fill >= fill]
            if fitting:
                return max(fitting, key=lambda cut: cut.position)
        return cuts[-1]

    def _block_units(self, index: int) -> int | None:
        """Measure the table or code block that the line belongs to; None when it belongs to neither."""
        if not self._in_block(index):
            return None
        first = last = index
        while first > 0 and self._same_block(first - 1):
            first -= 1
        while last + 1 < len(self._lines) and self._same_block(last):
            last += 1
        return units(self._text[self._lines[first].start : self._lines[last].end].rstrip("\n"))

    def _in_block(self, index: int) -> bool:
        kind = self._lines[index].kind
        return kind in {LineKind.OPENING, LineKind.CODE, LineKind.CLOSING, LineKind.TABLE}

    def _same_block(self, index: int) -> bool:
        """Tell whether the line and the next one belong to one table or code block."""
        if self._lines[index].fence is not None:
            return True
        return self._lines[index].kind is self._lines[index + 1].kind is LineKind.TABLE


def _fits(text: str, room: int) -> bool:
    return len(text) <= room and units(text) <= room


def _closing_units(fence: Fence | None) -> int:
    return 1 + units(fence.closing) if fence else 0


def _ends_by_level(head: str, *, in_code: bool) -> Iterator[tuple[_Level, Iterator[int]]]:
    if not in_code:
        yield _Level.SENTENCE, reversed([match.end() for match in _SENTENCE_END.finditer(head)])
    yield _Level.SPACE, reversed([match.end() for match in _SPACE.finditer(head)])
    yield _Level.CHARACTER, iter(range(len(head), 0, -1))


def _makes_a_fence(stretch: str, end: int) -> bool:
    """Tell whether a cut there would turn either part of a line into a fence line."""
    return _looks_like_fence(stretch[:end]) or _looks_like_fence(stretch[end:])


def _looks_like_fence(stretch: str) -> bool:
    """Tell whether a part of a line would be read as a fence line where it begins or ends a message."""
    return _fits(stretch, MAX_FENCE_UNITS + 2) and opened_by(stretch) is not None
