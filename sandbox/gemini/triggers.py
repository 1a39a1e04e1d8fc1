"""Words in a question that make the emulated model do something worth seeing.

``TRIGGERS`` is the whole table and ``help`` prints it; ``pieces`` gives what a question asks for, in the table's order.
A piece is a text, or a part of the API (an image). Function calls, JSON and thinking also depend on how the request is
configured and are ``answers``' work; the table only names them, so that a person finds them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice

from sandbox.gemini.media import picture
from sandbox.gemini.wire import Json

_MAX_COUNT = 20_000
_PROSE = (
    "The emulated model has much to say about very little and says it in plain words so that long answers can be "
    "tried without a key. Every sentence here is made on this machine."
)

Make = Callable[[int, str], str | Json]


@dataclass(frozen=True, slots=True)
class Trigger:
    """One row: the pattern in the question, what it does, and how (given the number found and the question)."""

    pattern: re.Pattern[str]
    example: str
    effect: str
    make: Make | None = None
    usual: int = 0


def _code(lines: int, _question: str) -> str:
    body = "\n".join(f"    total += {n}  # step {n}" for n in range(1, lines + 1))
    return f"```python\ndef add_up() -> int:\n    total = 0\n{body}\n    return total\n```"


def _long(words: int, _question: str) -> str:
    text = list(islice(cycle(_PROSE.split()), words))
    paragraphs = [" ".join(text[at : at + 80]) for at in range(0, len(text), 80)]
    return "\n\n".join(paragraphs)


def _table(rows: int, _question: str) -> str:
    lines = [f"| {n} | {n * n} | {'even' if n % 2 == 0 else 'odd'} |" for n in range(1, rows + 1)]
    return "\n".join(["| number | square | parity |", "|---:|---:|---|", *lines])


def _list(items: int, _question: str) -> str:
    return "\n".join(f"{n}. item number {n}\n   - with a remark" for n in range(1, items + 1))


def _markdown(_count: int, _question: str) -> str:
    return (
        "# A heading\n\n**bold**, *italic*, ~~struck~~, `code`, ||spoiler|| and [a link](https://example.com).\n\n"
        "> a quotation\n\n- [ ] a task\n- [x] a task done"
    )


def _cjk(repeats: int, _question: str) -> str:
    line = "這是模擬的回答，用來檢查中文、日本語のテキスト、한국어 문장이 잘 나뉘는지。👩‍👩‍👧‍👦🎉"
    return "\n".join([line] * repeats)


def _mentions(_count: int, _question: str) -> str:
    return "@everyone @here <@100000000000000001> <@&100000000000000002>: nobody must be notified by this line."


def _unbroken(length: int, _question: str) -> str:
    return "x" * length


def _image(_count: int, question: str) -> Json:
    data = base64.b64encode(picture(question)).decode()
    return {"inlineData": {"mimeType": "image/png", "data": data}}


def _row(pattern: str, example: str, effect: str, make: Make | None = None, usual: int = 0) -> Trigger:
    return Trigger(re.compile(pattern, re.IGNORECASE), example, effect, make, usual)


TRIGGERS: tuple[Trigger, ...] = (
    _row(r"\bcode(?: of (?P<n>\d+) lines)?\b", "code of 200 lines", "a block of Python", _code, 5),
    _row(r"\b(?:long|(?P<n>\d+) words)\b", "900 words", "a long text (long: 800 words)", _long, 800),
    _row(r"\btable(?: of (?P<n>\d+) rows)?\b", "table of 5 rows", "a table", _table, 5),
    _row(r"\blist(?: of (?P<n>\d+) items)?\b", "list of 7 items", "a numbered list", _list, 5),
    _row(r"\bmarkdown\b", "markdown", "every kind of formatting", _markdown),
    _row(r"\bcjk(?: of (?P<n>\d+) lines)?\b|中文", "cjk of 80 lines", "Chinese, Japanese, Korean, emoji", _cjk, 3),
    _row(r"\bmentions?\b", "mentions", "@everyone and other mentions", _mentions),
    _row(r"\bunbroken(?: (?P<n>\d+))?\b", "unbroken 5000", "one word of that length", _unbroken, 3_000),
    _row(r"\b(?:image|picture|draw)\b", "draw", "a picture (PNG)", _image),
    _row(r"\bthink(?:ing)?\b", "think", "thoughts before the answer"),
    _row(r"\bcall\b|\btool\b", "call", "a function call, where the request declares functions"),
    _row(r"\b(?:calculate|compute|run)\b", "calculate 6 + 7", "code that is run, where the request allows it"),
    _row(r"\bjson\b", "json", "JSON, where the request sets responseMimeType or a schema"),
    _row(r"\bcontinue\b", "continue where you stopped", "the rest of an answer that was cut short"),
    _row(r"#q-[\w-]+", "#q-123", "the id is repeated in the first line of the answer"),
)
_HELP = re.compile(r"\bhelp\b|幫助", re.IGNORECASE)


def pieces(question: str) -> list[str | Json]:
    """What the question asks for beyond the plain answer: texts and parts, in the table's order."""
    found: list[str | Json] = [_help()] if _HELP.search(question) else []
    for trigger in TRIGGERS:
        match = trigger.pattern.search(question)
        if match is not None and trigger.make is not None:
            found.append(trigger.make(_count(match, trigger.usual), question))
    return found


def _count(match: re.Match[str], usual: int) -> int:
    number = match.groupdict().get("n")
    if not number:
        return usual
    # More digits than the limit has are over it; int() must not see a number of any length.
    return min(int(number), _MAX_COUNT) if len(number) < 8 else _MAX_COUNT


def _help() -> str:
    lines = [f"- `{trigger.example}`: {trigger.effect}" for trigger in TRIGGERS]
    return "Words in a question that I act on:\n" + "\n".join(lines)
