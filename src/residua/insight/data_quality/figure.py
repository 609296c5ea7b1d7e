"""A check of a data set as one picture: counts, sizes or samples, and the copies side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from residua.data.dataset import SPLITS
from residua.data.quality.findings import Findings, worst_pairs
from residua.data.quality.near_duplicates import take_pictures
from residua.files.names import distinct
from residua.insight.shared.plotting import TEST, TRAINING, VALIDATION, new_figure
from residua.insight.shared.text import TITLE, short_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_BARS = 40
_PAIRS = 12
_LETTERS = 22


def check_figure(findings: Findings) -> Figure:
    """The findings: above counts beside sizes (or samples), below the copies that matter most."""
    pairs = worst_pairs(findings, _PAIRS)
    bars = min(len(findings.classes), _MOST_BARS)
    above = max(3.6, 0.22 * bars + 1.2)
    rows = -(-len(pairs) // 4)
    figure = new_figure(12, above + 1.75 * rows + 0.3)
    top: Any = figure
    if rows:
        parts: Any = figure.subfigures(2, 1, height_ratios=[above, 1.75 * rows + 0.3])
        top, below = parts
        _copies(below, findings, pairs, rows)
    left, right = top.subplots(1, 2, width_ratios=[1.3, 1])
    _counts(left, findings)
    if len(findings.sizes) > 1:
        _sizes(right, findings)
    else:
        _samples(right, findings)
    name = short_label(Path(findings.data).name or findings.data, TITLE)
    total = sum(map(len, findings.splits.values()))
    top.suptitle(f"{name}: {total:,} pictures, {len(findings.classes):,} classes", fontsize=12)
    return figure


def _counts(axes: Any, findings: Findings) -> None:
    """Bars of each class's pictures, its splits end to end; of many classes a curve by size."""
    colors = dict(zip(SPLITS, (TRAINING, VALIDATION, TEST), strict=True))
    counts = {split: np.array(findings.counts[split]) for split in SPLITS}
    axes.spines[["top", "right"]].set_visible(False)
    if len(findings.classes) > _MOST_BARS:
        order = np.argsort(-counts["train"], kind="stable")
        for split in SPLITS:
            axes.plot(np.arange(1, len(order) + 1), counts[split][order], color=colors[split], label=split)
        axes.set_xlabel("class, by the number of its training pictures")
        axes.set_ylabel("pictures")
        axes.set_ylim(bottom=0)
    else:
        rows = np.arange(len(findings.classes))
        start = np.zeros(len(rows), np.int64)
        for split in SPLITS:
            axes.barh(rows, counts[split], left=start, color=colors[split], label=split, height=0.75)
            start += counts[split]
        names = [short_label(name, _LETTERS) for name in distinct(findings.classes)]
        axes.set_yticks(rows, names, fontsize=8)
        axes.invert_yaxis()
        axes.set_xlabel("pictures")
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)


def _sizes(axes: Any, findings: Findings) -> None:
    sizes = np.array(list(findings.sizes))
    counts = np.array(list(findings.sizes.values()))
    axes.scatter(
        sizes[:, 0], sizes[:, 1], s=8 + 120 * counts / counts.max(), color=TRAINING, alpha=0.35, lw=0
    )
    side = 1.05 * float(sizes.max())
    axes.plot([0, side], [0, side], color="0.7", lw=0.8, zorder=0)
    axes.set(xlim=(0, side), ylim=(0, side), xlabel="width (pixels)", ylabel="height (pixels)")
    axes.set_aspect("equal")
    axes.spines[["top", "right"]].set_visible(False)
    (w, h), count = findings.sizes.most_common(1)[0]
    axes.set_title(f"{len(sizes):,} sizes, most often {w}x{h} ({count:,})", fontsize=10)


def _samples(axes: Any, findings: Findings) -> None:
    """Some training pictures of every class, a class a row."""
    train = findings.splits["train"]
    rows, columns = min(len(findings.classes), 10), 10
    h, w, _ = findings.shape
    sheet = np.full((rows * (h + 1), columns * (w + 1), 3), 255, np.uint8)
    for row in range(rows):
        indices = np.flatnonzero(train.labels == row)[:columns]
        for column, image in enumerate(train.images[indices]):
            sheet[row * (h + 1) : row * (h + 1) + h, column * (w + 1) : column * (w + 1) + w] = image
    axes.imshow(sheet, interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(f"all {w}x{h}; the first of each class", fontsize=10)


def _copies(figure: Any, findings: Findings, pairs: Any, rows: int) -> None:
    """The pairs that matter most, each with both names."""
    grid = np.atleast_2d(figure.subplots(rows, 4))
    images = [pictures.images for pictures in findings.splits.values()]
    for axes in grid.flat[len(pairs) :]:
        axes.set_axis_off()
    for axes, (one, other) in zip(grid.flat, pairs, strict=False):
        axes.imshow(_beside(take_pictures(images, np.array([one, other]))), interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color("0.7")
        names = [findings.name(index) for index in (one, other)]
        axes.set_title("\n".join(_title(*name) for name in names), fontsize=7, loc="left", pad=2)
    figure.suptitle("Copies: those with two labels, then those across splits, the surest first", fontsize=10)


def _title(split: str, name: str, kind: str) -> str:
    return f"{split}  {short_label(Path(name).name, _LETTERS)}  {short_label(kind, _LETTERS)}"


def _beside(pair: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two pictures (2, H, W, C) side by side in colour, a grey line between them."""
    color = pair if pair.shape[-1] == 3 else pair.repeat(3, axis=-1)
    gap = np.full((color.shape[1], max(1, color.shape[2] // 28), 3), 178, np.uint8)
    return np.concatenate([color[0], gap, color[1]], axis=1)
