"""The process that draws: pictures come in on standard input, PNG files go out on standard output.

``python -m utils.rendering.charts_worker`` is started by ``charts.Charts`` and by nobody else. Each wish is a length
(``SIZE_BYTES``) and two pickled pictures, one in the reader's language and one in English; each answer a length and a
file. What always holds: one wish after another is answered, in order; it ends with its input, and so with whoever
started it; it gives way to whatever else the machine has to do.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import BinaryIO

from utils.rendering.charts import SIZE_BYTES
from utils.rendering.charts_drawing import draw_readable

_NICE = 10


def serve(wishes: BinaryIO, files: BinaryIO) -> None:
    """Draw until the wishes end."""
    while size := wishes.read(SIZE_BYTES):
        picture, in_english = pickle.loads(wishes.read(int.from_bytes(size)))  # noqa: S301 - our own process wrote it
        png = draw_readable(picture, in_english)
        files.write(len(png).to_bytes(SIZE_BYTES) + png)
        files.flush()


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(_NICE)
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except KeyboardInterrupt:
        # Ctrl-C reaches the whole group; whoever started this one sees to the rest
        sys.exit(130)
