"""The feature map drawn: pictures laid out by what the head of a network reads of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from residua.insight.inspection.feature_map import (
    LEAST_TSNE,
    Floats,
    Method,
    principal_components,
    tsne_coordinates,
)
from residua.insight.inspection.numbers import Inside
from residua.insight.shared.plotting import BLUE, ORANGE, new_figure, tidy
from residua.insight.shared.sheets import without_grey_axis
from residua.insight.shared.text import TITLE, short_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE, HIGH = 11, 9.4  # inches

MOST_NAMES = 30  # of classes on the map
SIDE = 22  # points of a drawn picture


def feature_map_figure(inside: Inside, method: Method = "pca", seed: int = 0) -> Figure:
    """The sample laid out in two dimensions with its pictures on it, framed by right and wrong answers.

    Where pictures would lie on one another only the first is drawn; all others are points.
    """
    count = len(inside.places)
    if method == "tsne" and count >= LEAST_TSNE:
        points = tsne_coordinates(inside.features, seed)
        how = "t-SNE: neighbours matter, far distances and axes mean nothing"
        across, upwards = "first dimension (no unit)", "second dimension (no unit)"
    else:
        points, shares = principal_components(inside.features, 2)
        how = f"PCA: the two directions hold {100 * shares.sum():.1f} % of the variance"
        across, upwards = (
            f"{name} principal component ({100 * share:.1f} % of the variance)"
            for name, share in zip(("first", "second"), shares, strict=True)
        )
    figure = new_figure(WIDE, HIGH)
    axes = figure.subplots()
    tidy(axes)
    axes.set_xlabel(across)
    axes.set_ylabel(upwards)
    answered, indices = inside.answered, inside.places
    right = answered.chosen[indices] == answered.labels[indices]
    for mask, color, marker, name in (
        (right, BLUE, "o", f"right ({int(right.sum()):,})"),
        (~right, ORANGE, "X", f"wrong ({int((~right).sum()):,})"),
    ):
        if mask.any():
            axes.scatter(
                points[mask, 0], points[mask, 1], s=14, color=color, marker=marker, linewidths=0, label=name
            )
    drawn = _thumbnails(axes, points, inside.images, right)
    _names(axes, points, answered.labels[indices], answered.classes)
    axes.margins(0.05)
    axes.legend(
        frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=9, borderaxespad=0.1
    )
    title = short_label(answered.title, TITLE)
    figure.suptitle(
        f"{title}: what the head reads of {count:,} pictures, {drawn:,} of them drawn\n{how}",
        fontsize=11,
    )
    return figure


def _thumbnails(axes: Any, points: Floats, images: NDArray[np.uint8], right: NDArray[np.bool_]) -> int:
    """Draw every picture that has room beside those before it, the wrong answers first. Returns how many."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    # How far apart pictures lie at least, in shares of the map: a picture's size with its frame.
    least = 1.1 * (SIDE + 5) / (72 * np.array([WIDE - 1.2, HIGH - 1.7]))
    low, high = points.min(axis=0), points.max(axis=0)
    spread = (points - low) / np.maximum(high - low, 1e-9)
    side = max(images.shape[1:3])
    drawn: list[int] = []
    for index in np.argsort(right, kind="stable").tolist():
        if (np.abs(spread[drawn] - spread[index]) < least).all(axis=1).any():
            continue
        drawn.append(index)
        picture = images[index]
        small = picture[:: max(1, side // 64), :: max(1, side // 64)]
        drawable = without_grey_axis(small)
        box = OffsetImage(
            drawable,
            zoom=SIDE / max(small.shape[:2]),
            cmap="gray" if drawable.ndim == 2 else None,
            interpolation="bilinear",
        )
        frame = {"edgecolor": BLUE if right[index] else ORANGE, "linewidth": 0.8 if right[index] else 2.0}
        axes.add_artist(AnnotationBbox(box, tuple(points[index]), pad=0.06, bboxprops=frame))
    return len(drawn)


def _names(axes: Any, points: Floats, labels: NDArray[np.int64], classes: tuple[str, ...]) -> None:
    """The classes' names at their middles; of many classes those with most pictures."""
    present, counts = np.unique(labels, return_counts=True)
    for label in present[np.argsort(-counts, kind="stable")][:MOST_NAMES]:
        # The median lies among the pictures even where a few are far away.
        middle = np.median(points[labels == label], axis=0)
        axes.text(
            *middle, short_label(classes[label], 18), fontsize=13, fontweight="bold", zorder=10,
            ha="center", va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 2},
        )  # fmt: skip
