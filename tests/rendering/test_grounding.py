"""The sources under an answer: numbered links that nothing foreign can break."""

from __future__ import annotations

import re
from types import SimpleNamespace as Shape
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from utils.rendering.grounding import sources_markdown
from utils.rendering.splitting import split

_LINE = re.compile(r"-# \d+\. \[[^\[\]()<>]+\]\(<https?://[^<>\s]+>\)")


def metadata(*pages: tuple[str | None, str | None], queries: tuple[str, ...] = ()) -> Any:
    chunks = [Shape(web=Shape(uri=uri, title=title)) for uri, title in pages]
    return Shape(grounding_chunks=chunks, web_search_queries=queries)


def test_each_page_has_a_number_once():
    """Links without a preview, one a line, and what was searched for below."""
    shown = sources_markdown(
        metadata(("https://a.example/", "A"), ("https://b.example/", "B"), ("https://a.example/", "A again")), "en-US"
    )
    assert shown.splitlines() == [
        "",
        "",
        "-# Sources:",
        "-# 1. [A](<https://a.example/>)",
        "-# 2. [B](<https://b.example/>)",
    ]


def test_what_was_searched_for_leads_to_the_search():
    """A query is foreign text too."""
    shown = sources_markdown(metadata(queries=("who [is] & why?",)), "en-US")
    assert shown == "\n\n-# Searched for: [who is & why?](<https://www.google.com/search?q=who+%5Bis%5D+%26+why%3F>)"


def test_nothing_is_shown_where_there_is_nothing():
    """No metadata, no pages, pages without addresses."""
    assert sources_markdown(None, "en-US") == ""
    assert sources_markdown(Shape(), "en-US") == ""
    assert (
        sources_markdown(metadata((None, "A"), ("javascript:alert(1)", "B"), ("https://x.example/> <", "C")), "") == ""
    )


def test_a_page_without_a_title_bears_its_hosts_name():
    """Or nothing that can be read."""
    assert "[a.example]" in sources_markdown(metadata(("https://a.example/x", None)), "en-US")
    assert "[?]" in sources_markdown(metadata(("https://a.example/x", "]()<>")), "en-US")


def test_long_addresses_leave_room_for_the_answer():
    """The service's own addresses have hundreds of characters: as many as fit are shown, and each whole."""
    pages = [(f"https://redirect.example/{'x' * 400}{number}", f"Page {number}") for number in range(20)]
    shown = sources_markdown(metadata(*pages, ("https://redirect.example/" + "y" * 900, "too long")), "en-US")
    assert len(shown) < 2_000
    assert 2 <= shown.count("](<") <= 8
    for message in split("An answer." + shown):
        assert message.count("](<") == message.count(">)")


@given(
    st.lists(st.tuples(st.text(max_size=30), st.one_of(st.none(), st.text(max_size=80))), max_size=5),
    st.lists(st.text(max_size=30), max_size=4),
)
def test_no_page_breaks_the_list(pages, queries):
    """Whatever pages are called, each line is a number and a link."""
    made = metadata(*((f"https://a.example/{path}", title) for path, title in pages), queries=tuple(queries))
    shown = sources_markdown(made, "en-US").splitlines()
    numbered = [line for line in shown if re.match(r"-# \d", line)]
    assert all(_LINE.fullmatch(line) for line in numbered), numbered
