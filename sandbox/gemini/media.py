"""Pictures and sounds that the emulator makes by hand, so that no library and no file is needed.

Both are deterministic: the same words give the same bytes.
"""

from __future__ import annotations

import hashlib
import math
import struct
import zlib

_SIDE = 256
_RATE = 24_000


def picture(words: str) -> bytes:
    """A PNG of 256 x 256 pixels, a gradient between two colours drawn from the words."""
    digest = hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()
    start, end = digest[:3], digest[3:6]
    rows = bytearray()
    for y in range(_SIDE):
        left = bytes((a * (_SIDE - y) + b * y) // _SIDE for a, b in zip(start, end, strict=True))
        right = bytes(255 - value for value in left)
        # Filter type 0, then two halves: enough of a picture to be seen, small enough to send.
        rows += b"\0" + left * (_SIDE // 2) + right * (_SIDE // 2)
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(rows))) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tone(words: str) -> bytes:
    """Half a second of a pure tone: 16-bit PCM, mono, 24,000 samples a second, pitch drawn from the words."""
    hertz = 220 + hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()[0] * 2
    samples = (round(8_000 * math.sin(2 * math.pi * hertz * n / _RATE)) for n in range(_RATE // 2))
    return b"".join(struct.pack("<h", sample) for sample in samples)
