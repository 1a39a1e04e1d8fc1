"""The size of a picture, read from its header alone."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.conversations.samples import HEIC, picture, png_header
from utils.conversations.pictures import pixels


@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.integers(1, 60), st.integers(1, 60))
def test_headers_say_what_the_library_wrote(kind, width, height):
    """Width times height, as Pillow made it."""
    assert pixels(picture(kind, (width, height))) == width * height


def test_lossless_and_extended_webp_are_read_too():
    """WebP has three kinds of header."""
    for options in ({"lossless": True}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}):
        file = io.BytesIO()
        Image.new("RGBA", (33, 17)).save(file, "WEBP", **options)
        assert pixels(file.getvalue()) == 33 * 17


def test_a_bomb_is_known_by_its_header():
    """A hundred bytes that would be ten thousand million pixels."""
    assert pixels(png_header(100_000, 100_000)) == 10**10


def test_the_largest_size_named_in_a_heif_counts():
    """Tiles and previews are smaller than the picture."""
    assert pixels(HEIC) == 4000 * 3000
    small = b"\0\0\0\x14ispe\0\0\0\0" + (10).to_bytes(4, "big") * 2
    assert pixels(HEIC + small) == 4000 * 3000


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@given(data=st.data())
def test_what_is_cut_short_or_changed_raises_nothing(kind, data):
    """A header that is not whole says nothing."""
    content = bytearray(picture(kind))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    found = pixels(bytes(content[: data.draw(st.integers(0, len(content)))]))
    assert found is None or found >= 0


def test_a_jpeg_of_nothing_but_markers_ends():
    """Markers are stepped over, but not for ever."""
    assert pixels(b"\xff\xd8" + b"\xff\xe1\0\2" * 100_000) is None
    assert pixels(b"\xff\xd8" + b"\xff" * 100_000) is None
    assert pixels(b"plain text") is None
