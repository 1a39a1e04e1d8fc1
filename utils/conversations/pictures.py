"""How large a picture is, read from its header alone, so that nothing is ever decompressed to find out.

``pixels(content)`` knows PNG, JPEG, WebP and HEIF and answers None where no header says it. What always holds: pure; it
reads a bounded number of bytes but for the markers of a JPEG, which it steps over; it raises nothing, whatever the
bytes are. Formats: https://www.w3.org/TR/png/ , https://www.w3.org/Graphics/JPEG/itu-t81.pdf (B.1.1.3),
https://developers.google.com/speed/webp/docs/riff_container , ISO/IEC 23008-12 (``ispe``).
"""

from __future__ import annotations

import struct
from typing import Final

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"})
_HEIF_HEAD: Final = 64 * 1024
#: Markers of a JPEG that begin a frame, whose header holds the size.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_MOST_MARKERS: Final = 2_000


def pixels(content: bytes) -> int | None:
    """Give width times height as the header says, or None where no header of a known kind does."""
    try:
        size = _size(content)
    except (struct.error, IndexError):
        return None
    return size[0] * size[1] if size is not None else None


def _size(content: bytes) -> tuple[int, int] | None:
    if content.startswith(_PNG):
        width, height = struct.unpack_from(">II", content, 16)
        return width, height
    if content.startswith(b"\xff\xd8"):
        return _jpeg(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content)
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS:
        return _heif(content[:_HEIF_HEAD])
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    at = 2
    for _ in range(_MOST_MARKERS):
        if content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        else:
            at += 2 + struct.unpack_from(">H", content, at + 2)[0]
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    match content[12:16]:
        case b"VP8X":
            width = int.from_bytes(content[24:27], "little") + 1
            return width, int.from_bytes(content[27:30], "little") + 1
        case b"VP8L":
            bits = struct.unpack_from("<I", content, 21)[0]
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", content, 26)
            return width & 0x3FFF, height & 0x3FFF
        case _:
            return None


def _heif(head: bytes) -> tuple[int, int] | None:
    """Give the largest size that is named; tiles and previews have sizes of their own."""
    sizes = []
    at = head.find(b"ispe")
    while at >= 0:
        if at + 16 <= len(head):
            sizes.append(struct.unpack_from(">II", head, at + 8))
        at = head.find(b"ispe", at + 4)
    return max(sizes, key=lambda size: size[0] * size[1], default=None)
