"""What all figures share: no display, colours, axes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.files.durable import write_durably

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette (2008), grey in place of its yellow, which is faint on white: told apart with every
# kind of colour vision.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
AMBER, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#000000", "#767676"
PALETTE = (BLUE, ORANGE, GREEN, PINK, AMBER, SKY, BLACK, GREY)
TRAINING, VALIDATION, TEST = BLUE, ORANGE, GREEN

# What a file of a figure may end in.
SUFFIXES = (".png", ".jpg", ".jpeg", ".pdf", ".svg", ".svgz", ".eps", ".ps", ".tif", ".tiff", ".webp")
# What the file says of itself: nothing of the day, so that the same figure gives the same bytes.
_METADATA = {
    "png": {"Software": "residua"},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "svgz": {"Date": None},
}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of width x height inches that needs no display and draws text as it is written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from residua.insight.shared.plain_figure import PlainFigure

    figure = PlainFigure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure durably, as PNG or what the path's ending says; the path."""
    kind = path.suffix.lower().removeprefix(".") if path.suffix.lower() in SUFFIXES else "png"
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata=_METADATA.get(kind))
    write_durably(path, buffer.getvalue())
    return path


def tidy(axes: Any) -> None:
    """A faint grid, and a frame on two sides only."""
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def whole_ticks(axis: Any) -> None:
    """Ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))
