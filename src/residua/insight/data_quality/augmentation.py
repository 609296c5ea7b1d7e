"""Training pictures before and after they are varied, as one sheet."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import DataOptions, SheetOptions
from residua.data.augmentation.mixup_cutmix import Mix
from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.dataset import DataSet
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.insight.shared.plotting import new_figure, save_figure

# What the sheet shows of each variation where none is asked for: option, value, and whether for colour alone.
CATALOGUE: tuple[tuple[str, float | bool, bool], ...] = (
    ("crop", 4, False),
    ("flip", True, False),
    ("cutout", 8, False),
    ("resized_crop", 0.25, False),
    ("rotate", 25, False),
    ("shear", 20, False),
    ("zoom", 0.4, False),
    ("elastic", 34, False),
    ("brightness", 0.5, False),
    ("contrast", 0.7, False),
    ("saturation", 0.9, True),
    ("hue", 60, True),
    ("tint", 0.3, True),
    ("pca_noise", 1.0, True),
    ("noise", 0.1, False),
    ("randaugment", 2, False),
    ("mixup", 1.0, False),
    ("cutmix", 1.0, False),
)
VARIATIONS = tuple(name for name, _, _ in CATALOGUE)
_IN_PIXELS = ("crop", "cutout")
_MOST_CLASSES_ASIDE = 7919  # a prime: steps through the split so that neighbours are of any class
_LEAST_SIDE = 64  # pixels that a small picture is enlarged to, by whole numbers


@dataclass(frozen=True, eq=False)
class Row:
    """A line of the sheet: what it is called, the picture as it is, and its variations; uint8."""

    title: str
    before: NDArray[np.uint8]
    after: tuple[NDArray[np.uint8], ...]


def vary(data: DataSet, options: DataOptions, sheet: SheetOptions) -> list[Row]:
    """The rows of the sheet: pictures with all the variations asked for, or one picture with each alone.

    Raises ResiduaError where data or options do not fit.
    """
    train = data.read("train")
    preprocessing = Preprocessing.measure(train.images)
    if options.input is not None and (options.input, options.input) != preprocessing.stored:
        stored = preprocessing.stored
        preprocessing = replace(preprocessing, height=options.input, width=options.input, source=stored)
    places = _places(train, sheet.pictures)
    plain = DataOptions()
    asked = any(getattr(options, name) not in (None, getattr(plain, name)) for name in VARIATIONS)
    if asked:
        crop, flip = data.card.recipe.crop_and_flip(options.crop, options.flip, options.resized_crop)
        chosen = replace(options, crop=crop, flip=flip)
        return [
            _row(str(data.classes[train.labels[place]]), train, preprocessing, chosen, sheet, place)
            for place in places
        ]
    rows = []
    scale = max(preprocessing.height / 32, 0.25)
    for number, (name, value, colourful) in enumerate(CATALOGUE):
        if colourful and preprocessing.channels != 3:
            continue
        amount: Any = value
        if name in _IN_PIXELS:  # suited to 32 pixels; larger pictures move farther
            amount = round(value * scale) or 1
        if name == "elastic":  # a displacement is in proportion to strength / smoothness
            amount = round(value * scale**2, 1)
        single: dict[str, Any] = {name: amount}
        alone = replace(_without(options), **single)
        if name == "elastic":
            alone = replace(alone, elastic_smooth=max(options.elastic_smooth * scale, 0.5))
        title = f"--{name.replace('_', '-')}" + ("" if value is True else f" {amount:g}")
        rows.append(_row(title, train, preprocessing, alone, sheet, places[number % len(places)]))
    return rows


def _without(options: DataOptions) -> DataOptions:
    plain = DataOptions()
    return replace(options, **{name: getattr(plain, name) for name in VARIATIONS})


def _places(train: Pictures, count: int) -> list[int]:
    """Places of training pictures, of one class after the other."""
    order = (np.arange(len(train)) * _MOST_CLASSES_ASIDE) % len(train)
    by_class = [order[train.labels[order] == label] for label in np.unique(train.labels)]
    rounds = [places[turn] for turn in range(count) for places in by_class if turn < len(places)]
    return [int(place) for place in rounds[:count]] or [0]


def _row(
    title: str,
    train: Pictures,
    preprocessing: Preprocessing,
    options: DataOptions,
    sheet: SheetOptions,
    place: int,
) -> Row:
    augment, mix = Augment.of(options, train.images), Mix(options.mixup, options.cutmix)
    batches = Batches(train, preprocessing, augment, 1, sheet.seed, mix)
    order = np.array([place], np.int64)
    before = preprocessing.normalize(train.images[order])
    after = [batches.make(order, epoch, 0).images for epoch in range(sheet.variations)]
    shown = [_shown(images, preprocessing) for images in (before, *after)]
    return Row(title, shown[0], tuple(shown[1:]))


def _shown(images: NDArray[np.float32], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """A normalised picture as it can be seen again."""
    light = images[0] * np.array(preprocessing.std) + np.array(preprocessing.mean)
    pixels: NDArray[np.uint8] = np.rint(np.clip(light, 0, 1) * 255).astype(np.uint8)
    return pixels


def draw_sheet(rows: list[Row], title: str, path: Path) -> Path:
    """Draw the sheet; the path. Raises ResiduaError where it cannot be written."""
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
    figure.suptitle(title, fontsize=11)
    return save_figure(figure, path)


def title_of(options: DataOptions) -> str:
    """The variations that were asked for, as options."""
    plain = DataOptions()
    words = []
    for entry in fields(options):
        value = getattr(options, entry.name)
        if entry.name in VARIATIONS and value not in (None, getattr(plain, entry.name)):
            flag = "--" + entry.name.replace("_", "-")
            words.append(flag if value is True else f"{flag} {value:g}")
    return " ".join(words)
