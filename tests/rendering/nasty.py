"""Three hundred answers that a model could give to spoil a chat: fences, borders, mentions, invisible characters.

``NASTY`` gives each text by its name, made anew and always the same; ``open_fence`` reads a message's fences by rules
written down here a second time, apart from those of the code under test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

LIMIT: Final = 1900

_FENCES: Final = {
    "plain": ("```", "```", ""),
    "info": ("```python title=a.py", "```", ""),
    "c++": ("```c++", "```", ""),
    "tildes": ("~~~~", "~~~~", ""),
    "tildes with words": ("~~~js some words", "~~~", ""),
    "four": ("````md", "````", ""),
    "indented": ("   ```py", "   ```", ""),
    "in a list": ("- ```py", "  ```", "  "),
    "in a numbered list": ("1. ```sh", "   ```", "   "),
    "in a quote": ("> ```py", "> ```", "> "),
    "in two quotes": ("> > ```", "> > ```", "> > "),
    "behind words": ("Look here: ```py", "```", ""),
    "crlf": ("```py\r", "```\r", ""),
}
_TOKENS: Final = {
    "surrogates": "😀",
    "family": "👨‍👩‍👧‍👦",
    "flag": "🇹🇼",
    "skin tone": "👍🏽",
    "combining marks": "e\u0301\u0302",
    "many marks": "a" + "\u0301" * 9,
    "cjk": "漢",
    "jamo": "ᄀ" + "ᅡ" + "ᆨ",
    "hangul": "각",
    "keycap": "1\ufe0f\u20e3",
    "custom emoji": "<:thinking:123456789012345678>",
    "animated emoji": "<a:party:123456789012345678>",
    "link": "https://example.com/a_(b)?c=d#e",
    "masked link": "[a link](<https://example.com/x>)",
    "spoiler": "||a secret||",
    "bold": "**bold words**",
    "code span": "`a code span`",
    "timestamp": "<t:1700000000:R>",
    "slash command": "</ask:123456789012345678>",
    "rtl": "\u200fשלום\u200f",
    "override": "\u202eabc\u202c",
    "isolate": "\u2066abc\u2069",
    "zero width": "a\u200bb",
    "word joiner": "a\u2060b",
    "nul": "a\x00b",
    "ansi": "\x1b[31mred\x1b[0m",
    "variation": "❤️",
    "tag flag": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "backtick runs": "``a`b``",
    "crlf": "a\r\nb",
}
_MENTIONS: Final = {
    "everyone": "@everyone",
    "here": "@here",
    "user": "<@{user}>",
    "nick": "<@!{user}>",
    "role": "<@&{role}>",
    "channel": "<#{user}>",
    "zero width": "@\u200beveryone <@\u200b{user}>",
    "code": "`@everyone` `<@{user}>`",
    "escaped": "\\@everyone \\<@{user}> \\<@&{role}>",
    "fullwidth": "＠everyone ＠here",
    "link text": "[@everyone](https://example.com/<@{user}>)",
    "table": "| who |\n|---|\n| @everyone |\n| <@{user}> |",
    "quote": "> @here <@&{role}>",
    "fence": "```\n@everyone <@{user}>\n```",
    "fence open": "```\n@everyone <@{user}> <@&{role}>",
    "spoiler": "||@everyone||",
    "bold": "@**everyone** **@everyone**",
    "line break": "@every\none <@\n{user}>",
    "heading": "# @everyone",
    "small print": "-# @here <@{user}>",
    "many": "@everyone <@{user}> <@&{role}> " * 60,
    "rtl": "\u202e@everyone\u202c",
    "case": "@Everyone @HERE",
    "at once": "@everyone@here<@{user}><@&{role}>",
    "email": "a@everyone.example.com",
}
_ODD: Final = {
    "space": " \n\t \u00a0\u3000 \r\n ",
    "fence alone": "```",
    "two fences": "```\n```",
    "fences only": "```\n```\n" * 300,
    "open fences only": "```py\n" * 400,
    "tildes only": "~~~\n" * 500,
    "backticks": "`" * 5_000,
    "backticks by threes": "``` " * 1_000,
    "tildes long": "~" * 5_000,
    "one word": "x" * 6_000,
    "one cjk word": "漢" * 6_000,
    "one emoji word": "👨‍👩‍👧‍👦" * 700,
    "marks": "\u0301" * 5_000,
    "joiners": "\u200d" * 5_000,
    "nuls": "\x00" * 3_000,
    "bidi": "\u202e\u2066\u200f" * 1_500,
    "ansi": "\x1b[1;31m" * 800,
    "line breaks": "a" + "\n" * 4_000 + "b",
    "carriage returns": "a\r" * 2_500,
    "separators": "a\u2028b\u2029" * 1_200,
    "table": "| a | b |\n|---|---|\n" + "| @everyone | `x` |\n" * 300,
    "wide table": "| " + " | ".join(["cell"] * 900) + " |",
    "quotes": "> quoted words\n" * 400,
    "deep quotes": ">" * 500 + " deep\n" * 3 + "words " * 900,
    "deep list": "".join(f"{'  ' * depth}- item\n" for depth in range(150)),
    "headings": "# Head\n" * 500,
    "rules": "---\n" * 900,
    "spoilers": "||x" * 1_500,
    "stars": "*" * 6_000,
    "brackets": "[" * 3_000 + "](x)" * 800,
    "html": "<b>&amp;</b>" * 500,
    "math": "$$\\frac{1}{2}$$ " * 300,
    "slashes": "\\" * 4_000,
    "triple quote": ">>> " + "everything is quoted " * 200,
    "fence in a fence": "````md\n" + "```py\nx\n```\n" * 200 + "````\nafter",
    "fences in a row": "```py\na\n```\n" * 250,
    "fences without lines": "```a``` " * 500,
    "words behind code": "```py\nprint(1)```\n" + "after " * 700,
    "quote ends in code": "> ```\n> code\nplain words " + "and more " * 500,
    "tabs": "\t```py\n\tx\n\t```\n" * 200,
    "huge": "A sentence of some length, and a break.\n\n" * 2_400,
    "huge code": "```py\n" + "x = 1  # and so on\n" * 5_200 + "```",
    "huge word": "x" * 100_000,
    "long info": "```" + "n" * 80 + "\n" + "x\n" * 1_000 + "```",
    "long line in code": "```json\n" + '{"a": 1}, ' * 900 + "\n```",
    "long line in a quoted fence": "> ```json\n> " + '{"a": 1}, ' * 900 + "\n> ```",
}


def _texts() -> Iterator[tuple[str, str]]:
    for name, (opening, closing, prefix) in _FENCES.items():
        line = f"{prefix}value = 1  # a line of code\n"
        yield f"fence {name}, short", f"Words.\n{opening}\n{line}{closing}\nMore words."
        yield f"fence {name}, open", f"Words.\n{opening}\n{line * 5}"
        yield f"fence {name}, long", f"Words.\n{opening}\n{line * 150}{closing}\nMore words."
        yield f"fence {name}, long and open", f"{opening}\n{line * 150}"
        yield f"fence {name}, twice", f"{opening}\n{line * 70}{closing}\n\nBetween.\n\n{opening}\n{line * 70}{closing}"
        yield f"fence {name}, at the border", f"{'w ' * ((LIMIT - 8) // 2)}\n{opening}\n{line * 3}{closing}"
    for name, token in _TOKENS.items():
        size = len(token.encode("utf-16-le")) // 2
        yield f"border before {name}", "x" * LIMIT + token * 3
        yield f"border within {name}", "x" * (LIMIT - max(1, size // 2)) + token * 3
        yield f"border behind {name}", "x" * (LIMIT - size) + token * 3
        yield f"nothing but {name}", token * (4_500 // len(token))
        yield f"code of {name}", "```\n" + token * (4_500 // len(token)) + "\n```"
    for name, mention in _MENTIONS.items():
        yield f"mention {name}", mention
        yield f"mention {name}, at the border", "w " * (LIMIT // 2 - 3) + mention + " w" * 50
    for name, text in _ODD.items():
        yield f"odd {name}", text


NASTY: Final = dict(_texts())

_BEFORE = r"(?:[ \t]*(?:>|[-*+]|\d+[.)])[ \t]*)*[ \t]*"
_OPENS = re.compile(rf"(?P<before>{_BEFORE})(?P<marker>`{{3,16}}|~{{3,16}})(?P<info>[^`\n]{{0,60}})")
_OPENS_BEHIND = re.compile(r"(?P<before>)[^`]{1,80}(?P<marker>```)(?P<info>[\w+#.-]{0,20})")


def open_fence(message: str) -> str | None:
    """Give the marker of the fence that is open where a message ends, or None."""
    marker, quoted = None, False
    for line in message.split("\n"):
        bare = line.rstrip("\r")
        if marker is not None and quoted and not bare.lstrip().startswith(">"):
            marker = None
        if marker is None:
            found = _OPENS.fullmatch(bare) or _OPENS_BEHIND.fullmatch(bare)
            if found is not None:
                marker, quoted = found["marker"], ">" in found["before"]
            continue
        inner = re.sub(r"^(?:[ \t]*>[ \t]?)+", "", bare) if quoted else bare
        if _closes(inner, marker):
            marker = None
    return marker


def _closes(line: str, marker: str) -> bool:
    closing = line.strip()
    alone = set(closing) == {marker[0]} and len(closing) >= len(marker)
    return alone or (marker == "```" and re.fullmatch(r"[^`]{1,80}```", line.rstrip()) is not None)
