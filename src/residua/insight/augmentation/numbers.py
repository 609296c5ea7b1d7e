"""Training pictures before and after they are varied: the rows of a sheet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import DataOptions, SheetOptions
from residua.data.augmentation.mixup_cutmix import Mix
from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.dataset import SPLITS, DataSet
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing

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
_MOST_SIDE = 512  # pixels of a picture on the sheet
_STRIDE = 7919  # a prime: steps through the split so that neighbours are of any class


@dataclass(frozen=True, eq=False)
class Row:
    """A line of the sheet: what it is called, the picture as it is, and its variations; uint8.

    Pictures of more than 512 pixels a side are averaged to less.
    """

    title: str
    before: NDArray[np.uint8]
    after: tuple[NDArray[np.uint8], ...]


def vary_pictures(data: DataSet, options: DataOptions, sheet: SheetOptions) -> list[Row]:
    """The rows of the sheet: pictures with all the variations asked for, or one picture with each alone.

    Raises ResiduaError where data or options do not fit.
    """
    # A folder of test pictures alone can be looked at too.
    train = next((part for part in map(data.read, SPLITS) if len(part)), data.read("train"))
    preprocessing = Preprocessing.measure(train.images)
    if options.input is not None and (options.input, options.input) != preprocessing.stored:
        stored = preprocessing.stored
        preprocessing = replace(preprocessing, height=options.input, width=options.input, source=stored)
    indices = _choose_indices(train, sheet.pictures)
    defaults = DataOptions()
    any_chosen = any(getattr(options, name) not in (None, getattr(defaults, name)) for name in VARIATIONS)
    if any_chosen:
        crop, flip = data.card.recipe.crop_and_flip(options.crop, options.flip, options.resized_crop)
        chosen = replace(options, crop=crop, flip=flip)
        return [
            _row(str(data.classes[train.labels[index]]), train, preprocessing, chosen, sheet, index)
            for index in indices
        ]
    return [
        _row(title, train, preprocessing, alone, sheet, indices[number % len(indices)])
        for number, (title, alone) in enumerate(each_alone(options, preprocessing))
    ]


def each_alone(options: DataOptions, preprocessing: Preprocessing) -> list[tuple[str, DataOptions]]:
    """Each variation of the catalogue by itself, as strong as suits pictures of this size, and its title."""
    scale = max(preprocessing.height / 32, 0.25)
    # Scaled too, unless somebody has chosen one.
    smooth = options.elastic_smooth
    if smooth == DataOptions().elastic_smooth:
        smooth = max(smooth * scale, 0.5)
    chosen = []
    for name, value, colored in CATALOGUE:
        if colored and preprocessing.channels != 3:
            continue
        amount: Any = value
        if name in _IN_PIXELS:  # suited to 32 pixels; larger pictures move farther
            amount = round(value * scale) or 1
        if name == "elastic":  # a displacement is in proportion to strength / smoothness
            amount = min(round(value * scale * smooth / DataOptions().elastic_smooth, 1), 1e6)
        single: dict[str, Any] = {name: amount}
        alone = replace(_without_variations(options), elastic_smooth=smooth, **single)
        title = f"--{name.replace('_', '-')}" + ("" if value is True else f" {amount:g}")
        chosen.append((title, alone))
    return chosen


def _without_variations(options: DataOptions) -> DataOptions:
    defaults = DataOptions()
    return replace(options, **{name: getattr(defaults, name) for name in VARIATIONS})


def _choose_indices(train: Pictures, count: int) -> list[int]:
    """Places of training pictures, of one class after the other."""
    order = (np.arange(len(train)) * _STRIDE) % len(train)
    by_class = [order[train.labels[order] == label] for label in np.unique(train.labels)]
    rounds = [indices[turn] for turn in range(count) for indices in by_class if turn < len(indices)]
    return [int(index) for index in rounds[:count]] or [0]


def _row(
    title: str,
    train: Pictures,
    preprocessing: Preprocessing,
    options: DataOptions,
    sheet: SheetOptions,
    index: int,
) -> Row:
    augment, mix = Augment.of(options, train.images), Mix(options.mixup, options.cutmix)
    batches = Batches(train, preprocessing, augment, 1, sheet.seed, mix)
    order = np.array([index], np.int64)
    before = preprocessing.normalize(train.images[order])
    after = [batches.make(order, epoch, 0).images for epoch in range(sheet.variations)]
    pictures = [_as_picture(images, preprocessing) for images in (before, *after)]
    return Row(title, pictures[0], tuple(pictures[1:]))


def _as_picture(images: NDArray[np.float32], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """A normalised picture as it can be seen again; a large one averaged to what a sheet has room for."""
    light = images[0] * np.array(preprocessing.std) + np.array(preprocessing.mean)
    times = -(-max(light.shape[:2]) // _MOST_SIDE)
    if times > 1:
        h, w = light.shape[0] // times or 1, light.shape[1] // times or 1
        light = light[: h * times, : w * times].reshape(h, -1, w, times, light.shape[2]).mean(axis=(1, 3))
    pixels: NDArray[np.uint8] = np.rint(np.clip(light, 0, 1) * 255).astype(np.uint8)
    return pixels
