"""Explanations drawn: maps, and maps laid over their pictures, with what their colours mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from residua.insight.saliency.numbers import METHODS, Explained
from residua.insight.shared.plotting import BLUE, GREY, ORANGE
from residua.insight.shared.sheets import Margins, Tiles, aspect
from residua.insight.shared.text import short_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Bytes = NDArray[np.uint8]
# From nothing to much, ever darker, so that it can be read without colours; in blue for "against".
FOR = ("#FFFFFF", "#FBD7A1", "#E69F00", "#D55E00", "#6E2C00")
AGAINST = ("#FFFFFF", "#B5DAF2", "#56B4E9", "#0072B2", "#00304F")
OVERLAY = {"for": ORANGE, "against": BLUE}  # over a picture; pages draw with them too
STRONGEST = (
    99  # percentile of a map's sizes that has the full colour: single pixels would leave the rest pale
)
CELLS = 8  # of a sheet, from left to right, where several pictures stand side by side
LARGE = 64  # pixels of a side from which a picture is drawn larger


def scaled(values: NDArray[Any], method: str) -> NDArray[np.float64]:
    """A map (H, W) from 0 to 1, or from -1 to 1 where it is signed: 1 is its own 99th percentile."""
    sizes = np.abs(values.astype(np.float64))
    most = float(sizes.max() if method == "grad-cam" else np.percentile(sizes, STRONGEST))
    most = most or float(sizes.max()) or 1.0
    low = -1.0 if METHODS[method].signed else 0.0
    clipped: NDArray[np.float64] = np.clip(values / most, low, 1)
    return clipped


def colorize(shares: NDArray[np.float64]) -> Bytes:
    """Numbers from -1 to 1 as colours, (..., 3) uint8: blue through white to orange."""
    result = np.empty((*shares.shape, 3))
    for colors, side in ((FOR, shares >= 0), (AGAINST, shares < 0)):
        stops = np.array([_rgb(color) for color in colors])
        depth = np.abs(shares[side])
        for channel in range(3):
            result[side, channel] = np.interp(depth, np.linspace(0, 1, len(stops)), stops[:, channel])
    return result.round().astype(np.uint8)


def overlay(image: Bytes, values: NDArray[Any], method: str) -> Bytes:
    """A picture (H, W, 1 or 3) uint8 in grey with its map (H, W) over it, (H, W, 3) uint8.

    Orange counts for the class (or counts at all), blue against it; the stronger, the less of the picture
    is seen through it.
    """
    weights = (0.299, 0.587, 0.114) if image.shape[-1] == 3 else (1.0,)
    # Lighter than it is, so that colours stand out.
    return _blend(60 + 0.76 * (image.astype(np.float64) @ np.array(weights)), scaled(values, method))


def _blend(grey: NDArray[np.float64], shares: NDArray[np.float64]) -> Bytes:
    much = 0.92 * np.abs(shares)[..., None] ** 0.9
    colors = np.where((shares >= 0)[..., None], _rgb(OVERLAY["for"]), _rgb(OVERLAY["against"]))
    mixed = (1 - much) * grey[..., None] + much * colors
    return mixed.round().clip(0, 255).astype(np.uint8)


def _rgb(color: str) -> NDArray[np.float64]:
    return np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)], np.float64)


def picture_figure(explained: Explained, index: int) -> Figure:
    """One picture large: its maps in a row, below each the map over the picture, and what colours mean."""
    image, names = explained.images[index], list(explained.maps)
    width, tall = _cell(image, 1.45, 2.0)
    title = (
        f"{_name(explained, index)}: class {_answer(explained, index)}\n{_explained_class(explained, index)}"
    )
    tiles = Tiles(2, len(names) + 1, width, width * tall, title, Margins(above=0.36, below=0.46), size=10)
    tiles.picture(0, 0, image, "picture")
    _probable(tiles, explained, index)
    for column, name in enumerate(names, start=1):
        values = explained.maps[name][index]
        tiles.picture(0, column, colorize(scaled(values, name)))
        _heading(tiles, column, METHODS[name].title, _note(explained, name, index))
        tiles.picture(1, column, overlay(image, values, name), "over the picture")
        _color_bars(tiles, column, name, both=True)
    return tiles.figure


def abreast(methods: int) -> int:
    """Pictures that stand side by side on a sheet, each with the maps of so many methods."""
    return max(1, CELLS // (methods + 1))


def sheet_figure(explained: Explained, indices: Sequence[int]) -> Figure:
    """Several pictures, each with its maps over it to the right."""
    names = list(explained.maps)
    each, count = len(names) + 1, min(abreast(len(names)), len(indices))
    width, tall = _cell(explained.images[0], 1.15, 1.5)
    captions = [_caption(explained, index) for index in indices]
    alone = count == 1  # what is told of a picture then has room beside it
    above, left = (0.2, 1.5) if alone else (0.05 + 10 / 72 * max(map(len, captions)), 0.0)
    title = f"{short_label(explained.model.name, 40)}: where the score of the class comes from"
    rows = -(-len(indices) // count)
    tiles = Tiles(rows, each * count, width, width * tall, title, Margins(above, left, below=0.46), size=10)
    for number, (index, lines) in enumerate(zip(indices, captions, strict=True)):
        row, first = number // count, number % count * each
        image = explained.images[index]
        tiles.picture(row, first, image)
        if alone:
            tiles.row_name(row, "\n".join(lines))
        else:
            for number_below, line in enumerate(reversed(lines)):
                tiles.line(row, first, line, number_below)
        for column, name in enumerate(names, start=first + 1):
            text = short_label(METHODS[name].title, 21) if not row else ""
            tiles.picture(row, column, overlay(image, explained.maps[name][index], name), text)
            if not row:
                _color_bars(tiles, column, name, both=False)
    return tiles.figure


def _caption(explained: Explained, index: int) -> list[str]:
    """What is told of a picture on a sheet, in short lines."""
    classes, target = explained.model.classes, explained.targets[index]
    lines = [short_label(_name(explained, index), 20), *_short_answer(explained, index)]
    if target != explained.probabilities[index].argmax():
        lines.append(f"for: {short_label(classes[target], 15)}")
    return lines


def _cell(image: Bytes, small: float, large: float) -> tuple[float, float]:
    """Width of a cell in inches, and its height as a share of that."""
    return (large if max(image.shape[:2]) >= LARGE else small), aspect(image, 0.5, 2.0)


def _name(explained: Explained, index: int) -> str:
    return short_label(explained.names[index].rpartition("/")[2], 60)


def _percent(explained: Explained, index: int, label: int) -> str:
    return f"{100 * float(explained.probabilities[index, label]):.1f} %"


def _answer(explained: Explained, index: int) -> str:
    chosen = int(explained.probabilities[index].argmax())
    text = f"{short_label(explained.model.classes[chosen], 40)} ({_percent(explained, index, chosen)})"
    if explained.labels is not None and explained.labels[index] != chosen:
        text += f", is {short_label(explained.model.classes[explained.labels[index]], 40)}"
    return text


def _short_answer(explained: Explained, index: int) -> list[str]:
    chosen = int(explained.probabilities[index].argmax())
    lines = [f"{short_label(explained.model.classes[chosen], 13)} {_percent(explained, index, chosen)}"]
    if explained.labels is not None and explained.labels[index] != chosen:
        lines.append(f"is {short_label(explained.model.classes[explained.labels[index]], 16)}")
    return lines


def _explained_class(explained: Explained, index: int) -> str:
    target = int(explained.targets[index])
    score = f"{explained.unit} {float(explained.scores[index]):.3g}"
    if target == explained.probabilities[index].argmax():
        return f"maps for this class; its score: {score}"
    name = short_label(explained.model.classes[target], 40)
    return f"maps for the class {name} ({_percent(explained, index, target)}); its score: {score}"


def _note(explained: Explained, method: str, index: int) -> str:
    """What is told of a map beside the method's name."""
    if method == "grad-cam":
        return f"of {short_label(explained.layer, 18)}"
    if method == "occlusion":
        return "where a square is hidden"
    if method == "integrated" and explained.integrated is not None:
        share = 100 * explained.integrated.share[index]
        return f"complete but for {share:.2f} %" if share < 100 else "far from complete"
    return ""


def _heading(tiles: Tiles, column: int, title: str, note: str) -> None:
    tiles.line(0, column, title, number=1 if note else 0)
    if note:
        tiles.line(0, column, note, color=GREY)


def _probable(tiles: Tiles, explained: Explained, index: int) -> None:
    """The most probable classes as bars, where the overlay of the picture itself would be."""
    row = explained.probabilities[index]
    order = np.argsort(-row, kind="stable")[:5]
    left, top = tiles.corner(1, 0)
    tiles.line(1, 0, "probabilities")
    step = tiles.height / 5
    for number, label in enumerate(order.tolist()):
        middle = top - (number + 0.62) * step
        target = label == explained.targets[index]
        tiles.axes.barh(
            middle - 0.16 * step, tiles.width * float(row[label]), height=0.26 * step, left=left,
            color=ORANGE if target else GREY,
        )  # fmt: skip
        name = short_label(explained.model.classes[label], int(9 * tiles.width))
        text = f"{name} {_percent(explained, index, label)}"
        tiles.axes.text(left, middle, text, fontsize=7, va="bottom", ha="left")
    tiles.bound()


def _color_bars(tiles: Tiles, column: int, method: str, both: bool) -> None:
    """What the colours of a column mean, below its last row; both: of bare maps too, above the others."""
    known = METHODS[method]
    left, bottom = tiles.foot(column)
    shares = np.linspace(-1 if known.signed else 0, 1, 200)[None]
    laid = _blend(np.full(shares.shape, 150.0), shares)
    bars = [colorize(shares), laid] if both else [laid]
    for bar in bars:
        bottom -= 0.11
        extent = (left, left + tiles.width, bottom, bottom + 0.09)
        tiles.axes.imshow(bar, extent=extent, aspect="auto")
    tiles.bound()
    style: dict[str, Any] = {"fontsize": 7, "va": "top"}
    tiles.axes.text(left, bottom - 0.03, known.low, ha="left", **style)
    tiles.axes.text(left + tiles.width, bottom - 0.03, known.high, ha="right", **style)
