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
    """An empty figure of width x height inches that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure durably, as PNG or what the path's ending says; the path."""
    kind = path.suffix.lower().removeprefix(".") if path.suffix.lower() in SUFFIXES else "png"
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata=_METADATA.get(kind))
    write_durably(path, buffer.getvalue())
    return path


def short(name: str, letters: int) -> str:
    """The name, cut to so many letters."""
    return name if len(name) <= letters else name[: letters - 1].rstrip(" ,") + "…"


def tidy(axes: Any) -> None:
    """A faint grid, and a frame on two sides only."""
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def whole_ticks(axis: Any) -> None:
    """Ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))


class Tiles:
    """Equal cells in rows and columns, all in one axes in inches: axes of their own would take seconds.

    width, height: of a cell's picture in inches; above: room for its text, left: for that of the rows,
    below: for what is said of the columns.
    """

    def __init__(
        self,
        rows: int,
        columns: int,
        width: float,
        height: float,
        title: str,
        *,
        above: float,
        left: float = 0.0,
        below: float = 0.0,
        size: float = 11,
    ) -> None:
        gap = 0.08
        across = left + columns * (width + gap) + gap
        inches = max(across, 6.2)  # narrower, a title would not fit
        # A letter is about 0.6 of its size wide, an inch has 72 points.
        letters = int(72 * inches / (0.62 * size))
        lines = [part for line in title.split("\n") for part in textwrap.wrap(line, letters)]
        head = len(lines) * size * 1.35 / 72 + 0.12
        down = above + height + gap
        self.figure = new_figure(inches, head + rows * down + gap + below)
        self.figure.set_layout_engine("none")
        self.inches = self.figure.get_size_inches()
        self.figure.suptitle("\n".join(lines), fontsize=size, y=1 - 0.05 / self.inches[1], va="top")
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.width, self.height = width, height
        self.start, self.top = left + gap + (inches - across) / 2, self.inches[1] - head - above
        self.across, self.down, self.rows = width + gap, down, rows
        self.bound()

    def bound(self) -> None:
        """Keep the axes in inches, whatever was drawn."""
        self.axes.set_xlim(0, self.inches[0])
        self.axes.set_ylim(0, self.inches[1])

    def corner(self, row: int, column: int) -> tuple[float, float]:
        """Left and top of a cell's picture, in inches from below left."""
        return self.start + column * self.across, self.top - row * self.down

    def foot(self, column: int) -> tuple[float, float]:
        """Left and bottom of a column, below its last picture."""
        left, top = self.corner(self.rows - 1, column)
        return left, top - self.height

    def picture(self, row: int, column: int, image: NDArray[Any], text: str = "", **style: Any) -> None:
        """Draw a picture (H, W, 1 or 3), or a map (H, W), with a line of text above."""
        left, top = self.corner(row, column)
        self.axes.imshow(
            image[..., 0] if image.shape[-1] == 1 and image.ndim == 3 else image,
            extent=(left, left + self.width, top - self.height, top), aspect="auto", interpolation="nearest",
            **(shades(image) | style),
        )  # fmt: skip
        self.bound()
        if text:
            self.line(row, column, text)

    def line(self, row: int, column: int, text: str, number: int = 0, color: str = "black") -> None:
        """Text above a cell's picture; number: how many lines are below it."""
        left, top = self.corner(row, column)
        place = (left + self.width / 2, top + 0.035 + 10 / 72 * number)
        self.axes.text(*place, text, ha="center", va="bottom", fontsize=8, color=color)

    def row_name(self, row: int, text: str) -> None:
        """Text to the left of a row."""
        left, top = self.corner(row, 0)
        self.axes.text(left - 0.07, top - self.height / 2, text, ha="right", va="center", fontsize=9)

    def ring(self, row: int, column: int, down: float, right: float) -> None:
        """A ring on a cell's picture, at shares of its height and width."""
        left, top = self.corner(row, column)
        place = left + right * self.width, top - down * self.height
        # White around the colour, so that it is seen on any picture.
        for color, width in (("white", 3.0), (ORANGE, 1.3)):
            style: dict[str, Any] = {"markersize": 11, "markerfacecolor": "none", "markeredgewidth": width}
            self.axes.plot(*place, "o", markeredgecolor=color, **style)


def shades(image: NDArray[Any]) -> dict[str, Any]:
    """How imshow is to read a picture: grey or colour, uint8 or from 0 to 1."""
    most = 255 if image.dtype == np.uint8 else 1
    return {"cmap": "gray" if image.shape[-1] == 1 else None, "vmin": 0, "vmax": most}


def picture_sheet(
    images: NDArray[np.uint8],
    captions: Sequence[Sequence[tuple[str, str]]],
    title: str,
    columns: int = 8,
) -> Figure:
    """Pictures in reading order, above each its lines of text.

    images: (N, H, W, C) uint8. captions: for each picture, lines as (text, colour).
    """
    columns = min(columns, len(images))
    lines = max(map(len, captions), default=0)
    tall = min(max(images.shape[1] / images.shape[2], 0.5), 2.0)
    tiles = Tiles(-(-len(images) // columns), columns, 1.45, 1.45 * tall, title, above=0.14 * lines + 0.05)
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(number, columns)
        tiles.picture(row, column, image)
        for place, (text, colour) in enumerate(reversed(caption)):
            tiles.line(row, column, text, place, colour)
    return tiles.figure
