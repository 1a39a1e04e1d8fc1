"""What becomes of a fetched file, and which videos a text points to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conversations.samples import FILES, png_header
from utils.conversations import Attachment
from utils.conversations.limits import MAX_ATTACHMENT_BYTES, Refusal
from utils.conversations.media import take, video_links

VIDEO = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


def said(found: Attachment | Refusal) -> str:
    return found.message_id if isinstance(found, Refusal) else found.mime_type


@pytest.mark.parametrize(
    ("name", "declared", "content", "expected"),
    [
        ("a.png", "image/png", FILES["photo.jpg"][0], "image/jpeg"),
        ("a.txt", "text/plain", FILES["photo.png"][0], "image/png"),
        ("a.png", "image/png", FILES["a.exe"][0], "ask.attachment_type"),
        ("a.png", "image/png", b"just words", "file.pretends"),
        ("a.mp3", "audio/mpeg", b"<html></html>", "file.pretends"),
        ("a.ts", "video/mp2t", b"let x = 1", "text/plain"),
        ("a.svg", "image/svg+xml", FILES["drawing.svg"][0], "text/plain"),
        ("a.jpg", "image/jpeg", FILES["photo.gif"][0], "ask.attachment_gif"),
        ("a.png", "image/png", b"", "ask.attachment_empty"),
        ("a.txt", "text/plain", b"x" * (MAX_ATTACHMENT_BYTES + 1), "ask.attachment_too_large"),
        ("a.png", "image/png", png_header(5_000, 10_000), "image/png"),
        ("a.png", "image/png", png_header(5_001, 10_000), "file.too_many_pixels"),
        ("a.txt", "text/plain", FILES["a.zip"][0], "ask.attachment_type"),
    ],
)
def test_the_bytes_decide(name, declared, content, expected):
    """Lies, bombs, empty and oversized files are refused by what is there, whatever was declared."""
    assert said(take(name, declared, content)) == expected


@pytest.mark.parametrize("locale", ["en-US", "zh-TW", "ko", "id", "ru"])
def test_every_refusal_is_one_line_in_every_language(locale):
    """Names cannot break out of their sentence."""
    for content in (b"just words", png_header(9_000, 9_000)):
        found = take("a`@everyone`\n.png", "image/png", content)
        assert isinstance(found, Refusal)
        assert found.sentence(locale).count("`") == 2
        assert "\n" not in found.sentence(locale)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"what is in {VIDEO}?", (VIDEO,)),
        ("https://youtu.be/dQw4w9WgXcQ?si=abc&t=10", (VIDEO,)),
        ("<https://m.youtube.com/watch?list=x&v=dQw4w9WgXcQ>", (VIDEO,)),
        ("[this](https://youtube.com/shorts/dQw4w9WgXcQ)", (VIDEO,)),
        ("https://www.youtube.com/live/dQw4w9WgXcQ?feature=share", (VIDEO,)),
        (f"{VIDEO} {VIDEO} https://youtu.be/dQw4w9WgXcQ", (VIDEO,)),
        ("https://www.youtube.com/@somebody", ()),
        ("https://www.youtube.com/watch?v=short", ()),
        ("https://www.youtube.com.evil.example/watch?v=dQw4w9WgXcQ", ()),
        ("https://evil.example/https://youtu.be/dQw4w9WgXcQ", ()),
        ("http://[::1/watch?v=dQw4w9WgXcQ", ()),
        ("no link", ()),
    ],
)
def test_videos_are_known_by_their_addresses(text, expected):
    """Every way in which YouTube writes a video, and nothing that only looks like one."""
    assert video_links(text) == expected


def test_so_many_videos_are_taken_and_no_more():
    """The first three of five."""
    links = [f"https://youtu.be/{number:011d}" for number in range(5)]
    assert video_links(" ".join(links)) == tuple(
        f"https://www.youtube.com/watch?v={number:011d}" for number in range(3)
    )


@given(st.text(alphabet="htps:/youtbe.cmwach?v=&[]@%#d 1", max_size=80))
def test_any_text_is_read_without_an_error(text):
    """Whatever looks like an address, there is an answer."""
    assert all(link.startswith("https://www.youtube.com/watch?v=") for link in video_links(text))
