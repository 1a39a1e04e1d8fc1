"""Vectors for texts: deterministic, of length one, and near each other for texts that share words.

Every word adds to a few places of the vector, chosen by its digest. That is no model of meaning, but a search over
such vectors finds the text that has the question's words.
"""

from __future__ import annotations

import hashlib
import math
import re
import struct

from sandbox.gemini.prompts import content_text, content_tokens, read_contents
from sandbox.gemini.wire import Json, invalid

_DEFAULT_DIMENSIONS = 3072
_LEAST_DIMENSIONS = 1
_PLACES = 8
_WORD = re.compile(r"\w+")


def embed(request: Json) -> tuple[Json, int]:
    """One ``{values}`` and the tokens read, for one request ``{content, outputDimensionality?}``. Raises Refusal."""
    (content,) = read_contents(request.get("content"))
    dimensions = request.get("outputDimensionality") or _DEFAULT_DIMENSIONS
    if not isinstance(dimensions, int) or not _LEAST_DIMENSIONS <= dimensions <= _DEFAULT_DIMENSIONS:
        raise invalid(f"output_dimensionality must be between {_LEAST_DIMENSIONS} and {_DEFAULT_DIMENSIONS}.")
    return {"values": vector(content_text(content), dimensions)}, content_tokens(content)


def vector(text: str, dimensions: int) -> list[float]:
    """The unit vector of a text."""
    values = [0.0] * dimensions
    for word in _WORD.findall(text.lower()) or [""]:
        digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
        for place in struct.unpack(f">{_PLACES}I", digest):
            values[place % dimensions] += 1.0 if place & 0x8000_0000 else -1.0
    length = math.sqrt(sum(value * value for value in values))
    if length == 0:
        # Words can cancel out in few dimensions; any unit vector will do.
        return [1.0, *values[1:]]
    return [value / length for value in values]
