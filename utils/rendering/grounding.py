"""The pages that an answer with web search rests on, as lines of small print under it.

``sources_markdown(metadata, locale)`` takes the API's grounding metadata (its chunks, and what was searched for) and
gives Markdown, "" where there is nothing to show. What always holds: each source has a line, a number and a link that
shows no preview; a title is foreign text and can neither end its link nor format what follows; only http and https
addresses become links; the whole is short, however many and long the addresses are, and no link is ever cut. That what
was searched for is shown with a way to the search is asked for in
https://ai.google.dev/gemini-api/docs/google-search (search suggestions).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

from utils.i18n import translate

_MOST_SOURCES: Final = 8
_MOST_QUERIES: Final = 3
_MOST_TITLE: Final = 60
_MOST_ADDRESS: Final = 800
_MOST_UNITS: Final = 1_700
_SEARCH: Final = "https://www.google.com/search?q="
_FORMATTING: Final = frozenset("[]()<>`*_~|\\@")


def sources_markdown(metadata: Any, locale: str) -> str:
    """Write the sources of an answer, each with its number, and what was searched for."""
    lines = _source_lines(getattr(metadata, "grounding_chunks", None) or ())
    queries = getattr(metadata, "web_search_queries", None) or ()
    shown = [str(query)[:200] for query in queries[:_MOST_QUERIES]]
    searched = " · ".join(_link(query, _SEARCH + quote_plus(query)) for query in shown)
    if lines:
        lines.insert(0, translate("chat.sources", locale))
    if searched:
        lines.append(translate("made.searched", locale, queries=searched))
    return "\n\n" + "\n".join(f"-# {line}" for line in lines) if lines else ""


def _source_lines(chunks: Iterable[Any]) -> list[str]:
    found: dict[str, str] = {}
    for chunk in chunks:
        web = getattr(chunk, "web", None)
        address = str(getattr(web, "uri", None) or "")
        if _is_linkable(address):
            found.setdefault(address, str(getattr(web, "title", None) or urlsplit(address).hostname))
    lines: list[str] = []
    room = _MOST_UNITS
    for address, title in found.items():
        line = f"{len(lines) + 1}. {_link(title, address)}"
        room -= len(line)
        if room < 0 or len(lines) == _MOST_SOURCES:
            break
        lines.append(line)
    return lines


def _is_linkable(address: str) -> bool:
    begins = address.startswith(("https://", "http://"))
    return begins and len(address) <= _MOST_ADDRESS and address.isprintable() and not set(address) & set("<> ")


def _link(title: str, address: str) -> str:
    kept = "".join(char for char in title if char.isprintable() and char not in _FORMATTING)
    return f"[{' '.join(kept.split())[:_MOST_TITLE].strip() or '?'}](<{address}>)"
