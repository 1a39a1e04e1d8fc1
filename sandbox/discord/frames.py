"""How gateway frames travel: plain text, one zlib stream or one zstd stream per connection.

``encoder`` returns a function from a frame's text to what is put on the wire. What always holds: each frame is flushed,
so that a client can read it at once, and the stream goes on over all frames of one connection.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import zstandard

Encoder = Callable[[str], str | bytes]


def encoder(compression: str | None) -> Encoder:
    """Return an encoder for the ``compress`` parameter of the gateway's address; raises ValueError for another."""
    if compression is None:
        return _plain
    if compression == "zlib-stream":
        return _zlib()
    if compression == "zstd-stream":
        return _zstd()
    raise ValueError(f"the gateway cannot compress by {compression}")


def _plain(text: str) -> str:
    return text


def _zlib() -> Encoder:
    stream = zlib.compressobj()
    return lambda text: stream.compress(text.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)


def _zstd() -> Encoder:
    stream = zstandard.ZstdCompressor().compressobj()
    return lambda text: stream.compress(text.encode()) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
