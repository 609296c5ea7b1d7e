"""Sheets of small pictures: equal cells in rows and columns, with lines of text above them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from residua.insight.shared.plotting import ORANGE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Margins:
    """Room for text, in inches: above each picture, to the left of the rows, below the columns."""

    above: float
    left: float = 0.0
    below: float = 0.0


class Tiles:
    """Equal cells in rows and columns, all in one axes in inches: axes of their own would take seconds.

    width, height: of a cell's picture in inches. size: of the title's letters, in points.
    """

    def __init__(
        self,
        rows: int,
        columns: int,
        width: float,
        height: float,
        title: str,
        margins: Margins,
        size: float = 11,
    ) -> None:
        gap = 0.08
        above, left, below = margins.above, margins.left, margins.below
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
            without_grey_axis(image),
            extent=(left, left + self.width, top - self.height, top), aspect="auto", interpolation="nearest",
            **(shades(image) | style),
        )  # fmt: skip
        self.bound()
        if text:
            self.line(row, column, text)

    def line(self, row: int, column: int, text: str, number: int = 0, color: str = "black") -> None:
        """Text above a cell's picture; number: how many lines are below it."""
        left, top = self.corner(row, column)
        point = (left + self.width / 2, top + 0.035 + 10 / 72 * number)
        self.axes.text(*point, text, ha="center", va="bottom", fontsize=8, color=color)

    def captioned(
        self, row: int, column: int, image: NDArray[Any], caption: Sequence[tuple[str, str]]
    ) -> None:
        """Draw a picture with lines of text, each with its colour, above."""
        self.picture(row, column, image)
        for number, (text, color) in enumerate(reversed(caption)):
            self.line(row, column, text, number, color)

    def row_name(self, row: int, text: str) -> None:
        """Text to the left of a row."""
        left, top = self.corner(row, 0)
        self.axes.text(left - 0.07, top - self.height / 2, text, ha="right", va="center", fontsize=9)

    def ring(self, row: int, column: int, down: float, right: float) -> None:
        """A ring on a cell's picture, at shares of its height and width."""
        left, top = self.corner(row, column)
        point = left + right * self.width, top - down * self.height
        # White around the colour, so that it is seen on any picture.
        for color, width in (("white", 3.0), (ORANGE, 1.3)):
            style: dict[str, Any] = {"markersize": 11, "markerfacecolor": "none", "markeredgewidth": width}
            self.axes.plot(*point, "o", markeredgecolor=color, **style)


def shades(image: NDArray[Any]) -> dict[str, Any]:
    """How imshow is to read a picture: grey or colour, uint8 or from 0 to 1."""
    most = 255 if image.dtype == np.uint8 else 1
    return {"cmap": "gray" if image.shape[-1] == 1 else None, "vmin": 0, "vmax": most}


def without_grey_axis(image: NDArray[Any]) -> NDArray[Any]:
    """A picture as imshow takes it: (H, W) where it is grey, else (H, W, 3)."""
    return image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image


def aspect(image: NDArray[Any], least: float, most: float) -> float:
    """Height by width of a picture (H, W, ...), no further from a square than these bounds."""
    height, width = map(float, image.shape[:2])
    return min(max(height / width, least), most)


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
    tall = aspect(images[0], 0.5, 2.0)
    rows, margins = -(-len(images) // columns), Margins(above=0.14 * lines + 0.05)
    tiles = Tiles(rows, columns, 1.45, 1.45 * tall, title, margins)
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(number, columns)
        tiles.captioned(row, column, image, caption)
    return tiles.figure
