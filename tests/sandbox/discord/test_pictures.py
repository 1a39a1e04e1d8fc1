"""Sizes of pictures are read from their headers, and nothing else is taken for one."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.discord.pictures import size_of

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 960, 450)
GIF = b"GIF89a" + struct.pack("<HH", 320, 200)
JPEG = b"\xff\xd8" + b"\xff\xe0\x00\x04ab" + b"\xff\xc2" + struct.pack(">HBHH", 17, 8, 600, 800)


@pytest.mark.parametrize(("content", "size"), [(PNG, (960, 450)), (GIF, (320, 200)), (JPEG, (800, 600))])
def test_width_and_height_are_those_of_the_header(content, size):
    """Width first, in pixels."""
    assert size_of(content) == size


@pytest.mark.parametrize("content", [b"", b"text", PNG[:20], GIF[:8], JPEG[:8], b"\xff\xd8 no jpeg"])
def test_what_is_no_picture_or_ends_too_early_has_no_size(content):
    """It is no error either: people send what they like."""
    assert size_of(content) is None


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"GIF87a", b"\xff\xd8"]), st.binary(max_size=200))
def test_no_content_is_an_error(start, rest):
    """Whatever follows a known beginning, there is an answer."""
    found = size_of(start + rest)
    assert found is None or len(found) == 2
