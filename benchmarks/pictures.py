"""How pictures of results look: one ink, few colours, panels in a grid, PNG without a word of the drawing program.

``panels`` makes the sheet, ``save`` writes it. Nothing here knows what is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture

INK, BLUE, GREY, RED = "#202124", "#1a73e8", "#b8c2cc", "#d93025"
YELLOW, ORANGE, PURPLE, BLACK = "#f9ab00", "#c5600a", "#9334e6", "#202124"
_DPI = 110

Axis = Literal["x", "y"]


@contextmanager
def sheet(
    target: Path, rows: int, columns: int, *, width_in: float, row_in: float, together: Axis
) -> Iterator[tuple[Picture, list[list[Axes]]]]:
    """Give a picture and its panels, row by row, and write it as PNG in the end; raises OSError.

    ``together``: of which axis the panels of one row have the same part.
    """
    with mpl.rc_context({"font.size": 9, "text.color": INK, "axes.labelcolor": INK}):
        picture = Picture(figsize=(width_in, rows * row_in), dpi=_DPI, facecolor="white", layout="constrained")
        grid = picture.subplots(
            rows,
            columns,
            squeeze=False,
            sharex="row" if together == "x" else "none",
            sharey="row" if together == "y" else "none",
        )
        yield picture, grid.tolist()
        picture.savefig(target, format="png", metadata={"Software": None})
