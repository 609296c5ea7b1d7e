"""What all pictures share: figures without a display, colours, sheets of small pictures."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from residua.files.durable import write_durably

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette (2008): told apart with every kind of colour vision.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
AMBER, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#000000", "#767676"
PALETTE = (BLUE, ORANGE, GREEN, PINK, AMBER, SKY, BLACK)
TRAINING, VALIDATION = BLUE, ORANGE


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of width x height inches that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, durably; the path."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": "residua"})
    write_durably(path, buffer.getvalue())
    return path


def short(name: str, letters: int) -> str:
    """The name, cut to so many letters."""
    return name if len(name) <= letters else name[: letters - 1].rstrip(" ,") + "…"


def show(axes: Any, picture: NDArray[Any]) -> None:
    """Draw one (H, W, 1 or 3) picture, uint8 or from 0 to 1, without axes and without smoothing."""
    grey = picture.shape[-1] == 1
    most = 255 if picture.dtype == np.uint8 else 1
    axes.imshow(
        picture[..., 0] if grey else picture, cmap="gray" if grey else None, vmin=0, vmax=most,
        interpolation="nearest",
    )  # fmt: skip
    axes.set_axis_off()


def tidy(axes: Any) -> None:
    """A faint grid, and a frame on two sides only."""
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def whole_ticks(axis: Any) -> None:
    """Ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))


def picture_sheet(
    images: NDArray[np.uint8],
    captions: Sequence[Sequence[tuple[str, str]]],
    title: str,
    columns: int = 8,
) -> Figure:
    """Pictures in reading order, above each its lines of text.

    images: (N, H, W, C) uint8. captions: for each picture, lines as (text, colour).
    """
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = max(4, min(columns, len(images)))  # narrower, a title would not fit
    rows = max(1, -(-len(images) // columns))
    lines = max(map(len, captions), default=0)
    height, width = images.shape[1:3]
    # Square cells: higher pictures would leave their captions far apart.
    side, line = 1.45, 0.145
    tall = side * min(max(height / width, 0.5), 2.0)
    figure = new_figure(columns * (side + 0.12), rows * (tall + lines * line + 0.1) + 0.55)
    figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.05))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, image, caption in zip(grid.flat, images, captions, strict=False):
        show(axes, image)
        for place, (text, colour) in enumerate(caption):
            below = len(caption) - 1 - place
            axes.annotate(
                text, (0.5, 1), xycoords="axes fraction", xytext=(0, 2.5 + 10 * below),
                textcoords="offset points", ha="center", va="bottom", fontsize=8, color=colour,
            )  # fmt: skip
    # A letter is about 0.09 inches wide.
    letters = int((columns * (side + 0.12)) / 0.09)
    wrapped = "\n".join(part for line in title.split("\n") for part in textwrap.wrap(line, letters))
    figure.suptitle(wrapped, fontsize=11)
    return figure
