"""Training pictures before and after they are varied, as one sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from residua.insight.augmentation.numbers import Row
from residua.insight.shared.plotting import new_figure
from residua.insight.shared.text import short_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEAST_SIDE = 64  # pixels that a small picture is enlarged to, by whole numbers


def augmentation_figure(rows: list[Row], title: str) -> Figure:
    """The sheet: a row for each picture, which stands unvaried at its beginning."""
    height, width, _ = rows[0].before.shape
    times = max(1, -(-_LEAST_SIDE // max(height, width)))
    h, w, gap = height * times, width * times, max(2, height * times // 16)
    columns = 1 + len(rows[0].after)
    sheet = np.full((len(rows) * (h + gap) - gap, columns * (w + gap) + gap, 3), 255, np.uint8)
    for number, row in enumerate(rows):
        for column, picture in enumerate((row.before, *row.after)):
            # A wider gap after the first, which is not varied.
            left = column * (w + gap) + (2 * gap if column else 0) - (gap if column else 0)
            large = picture.repeat(times, axis=0).repeat(times, axis=1)
            sheet[number * (h + gap) : number * (h + gap) + h, left : left + w] = large
    inches = 0.85
    figure = new_figure(columns * inches + 1.8, len(rows) * inches * height / width + 0.7)
    axes = figure.subplots()
    axes.imshow(sheet, interpolation="nearest")
    axes.set_yticks(
        [number * (h + gap) + h / 2 for number in range(len(rows))], [row.title for row in rows], fontsize=8
    )
    starts = [column * (w + gap) + (gap if column else 0) + w / 2 for column in range(columns)]
    axes.set_xticks(starts, ["before", *(f"epoch {number}" for number in range(1, columns))], fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.suptitle(short_label(title, int(9 * columns + 18)), fontsize=11)
    return figure
