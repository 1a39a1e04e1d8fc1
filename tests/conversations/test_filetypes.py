"""What a file is, by its bytes: names and declared types change nothing that the bytes say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conversations.samples import FILES, OPUS
from utils.conversations.filetypes import Recognised, recognise


def kind(found: Recognised | None) -> str | None:
    return found.mime_type if found is not None else None


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_its_bytes_say(name):
    """Each is known without anything being declared, and the bytes go on as they are."""
    content, expected = FILES[name]
    found = recognise(name, None, content)
    assert kind(found) == expected
    if found is not None:
        assert found.content == content


@pytest.mark.parametrize("declared", ["image/png", "audio/ogg", "text/plain", "application/pdf", "nonsense"])
@pytest.mark.parametrize("name", ["photo.jpg", "film.mov", "paper.pdf", "a.zip", "a.exe", "noise.bin"])
def test_what_is_declared_does_not_make_a_file_what_it_is_not(name, declared):
    """A picture declared as a sound stays a picture, and a program stays one."""
    content, expected = FILES[name]
    assert kind(recognise("renamed.txt", declared, content)) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("film.mp4", "audio/mp4"), ("film.webm", "audio/webm"), ("film.mov", "video/mov")]
)
def test_a_container_holds_sound_where_it_is_declared_to(name, expected):
    """The same container is used for sound and video; only then the sender's word counts."""
    assert kind(recognise(name, "audio/x-something", FILES[name][0])) == expected


@pytest.mark.parametrize(
    ("content", "declared", "text"),
    [
        ("héllo".encode("utf-16"), None, "héllo"),
        (b"\xef\xbb\xbfhello", None, "hello"),
        ("你好，世界".encode("big5"), "text/plain; charset=big5", "你好，世界"),
        ("café".encode("latin-1"), 'text/plain; charset="ISO-8859-1"', "café"),
    ],
)
def test_texts_go_on_as_utf_8(content, declared, text):
    """Whatever character set a text came in, the API gets the one it reads."""
    assert recognise("a.txt", declared, content) == Recognised("text/plain", text.encode())


@pytest.mark.parametrize("charset", ["zlib", "punycode", "unicode_escape", "idna", "no-such-set", "utf-7"])
def test_a_declared_set_that_is_no_set_of_characters_is_passed_over(charset):
    """A sender cannot choose how bytes are unpacked."""
    content = "你好，世界".encode("big5")
    assert recognise("a.txt", f"text/plain; charset={charset}", content) is None


@given(st.binary(max_size=200), st.text(max_size=12), st.one_of(st.none(), st.text(max_size=40)))
def test_any_bytes_are_judged_without_an_error(content, name, declared):
    """Whatever is sent, there is an answer."""
    found = recognise(name, declared, content)
    assert found is None or "/" in found.mime_type


@given(st.integers(min_value=1, max_value=len(OPUS)))
def test_a_file_cut_short_is_judged_without_an_error(length):
    """Half a file is still a file of its kind, or none."""
    assert kind(recognise("a.ogg", "audio/ogg", OPUS[:length])) in {"audio/ogg", None, "text/plain"}
