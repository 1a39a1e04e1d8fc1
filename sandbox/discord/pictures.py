"""How large a picture is, read from the first bytes of its file, as Discord tells it with an attachment.

PNG (https://www.w3.org/TR/png/#11IHDR), GIF (https://www.w3.org/Graphics/GIF/spec-gif89a.txt) and JPEG (ITU-T T.81,
B.2.2) are known; of anything else, and of files that end too early, nothing is said. Nothing is decoded.
"""

from __future__ import annotations

import struct

_PNG = b"\x89PNG\r\n\x1a\n"
_GIF = (b"GIF87a", b"GIF89a")
_JPEG = b"\xff\xd8"
#: Frame headers: all of SOF0 to SOF15 but the tables DHT, JPG and DAC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def size_of(content: bytes) -> tuple[int, int] | None:
    """Give a picture's width and height in pixels, or None for what is no picture known here."""
    try:
        if content.startswith(_PNG):
            return struct.unpack_from(">II", content, 16)
        if content.startswith(_GIF):
            return struct.unpack_from("<HH", content, 6)
        return _jpeg_size(content) if content.startswith(_JPEG) else None
    except struct.error:
        return None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    place = len(_JPEG)
    while True:
        mark, kind, length = struct.unpack_from(">BBH", content, place)
        if mark != 0xFF:
            return None
        if kind in _FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        place += 2 + length
