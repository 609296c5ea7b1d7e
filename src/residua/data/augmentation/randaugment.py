"""RandAugment: a few operations in a row, drawn for each picture, all of one strength.

Cubuk, Zoph, Shlens, Le 2020, RandAugment: Practical automated data augmentation with a reduced search
space, 1909.13719, with the fourteen operations of its section 3. Where it leaves room: strengths are those
of AutoAugment (1805.09501, table 6) at 10; brightness, colour, contrast and sharpness depart from 1 in
either direction, so that a higher magnitude always means a stronger change.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from residua.data.augmentation import color
from residua.data.augmentation.geometric import affine
from residua.data.random_numbers import RANDAUGMENT, Floats, RandomNumbers
from residua.data.resampling import sample, sampling_grid

MOST = 10.0  # the magnitude at which an operation is as strong as it gets

# (pictures, strength from 0 to 1, sign +1 or -1 per picture, the colour outside) -> pictures
Operation = Callable[[Floats, float, Floats, Floats], Floats]


def randaugment(images: Floats, count: int, magnitude: float, fill: Floats, random: RandomNumbers) -> Floats:
    """Apply `count` operations in a row to each picture, each drawn by (seed, epoch, index).

    images: (N, H, W, C) float32 from 0 to 1. magnitude: 0 to 10. fill: (C,) the colour that moves in from
    outside. Returns the same shape, from 0 to 1.
    """
    names = tuple(OPERATIONS)
    strength = magnitude / MOST
    for turn in range(count):
        stream = RANDAUGMENT + 3 * turn
        chosen = random.integers(stream, len(names))
        signs = np.where(random.coins(stream + 1), 1, -1).astype(np.float32)
        images = images.copy()
        for number, name in enumerate(names):
            members = np.flatnonzero(chosen == number)
            if members.size and name != "identity":
                changed = OPERATIONS[name](images[members], strength, signs[members], fill)
                images[members] = np.clip(changed, 0, 1)
    return images


def _moved(images: Floats, fill: Floats, matrix: Floats, shift: Floats | None = None) -> Floats:
    n, h, w, _ = images.shape
    middle = np.tile(np.array([h / 2, w / 2], np.float32), (n, 1))
    if shift is not None:
        middle = middle + shift
    return sample(images, sampling_grid(matrix, middle, np.ones((n, 2), np.float32), h, w), fill)


def _rotate(images: Floats, strength: float, signs: Floats, fill: Floats) -> Floats:
    return _moved(images, fill, affine(len(images), rotate=np.float32(np.deg2rad(30) * strength) * signs))


def _shear_x(images: Floats, strength: float, signs: Floats, fill: Floats) -> Floats:
    return _moved(images, fill, affine(len(images), shear_x=np.float32(0.3 * strength) * signs))


def _shear_y(images: Floats, strength: float, signs: Floats, fill: Floats) -> Floats:
    return _moved(images, fill, affine(len(images), shear_y=np.float32(0.3 * strength) * signs))


def _translate(axis: int) -> Operation:
    def move(images: Floats, strength: float, signs: Floats, fill: Floats) -> Floats:
        shift = np.zeros((len(images), 2), np.float32)
        # 150 of 331 pixels, AutoAugment's range; whole pixels, so that nothing is blurred.
        shift[:, axis] = np.rint(150 / 331 * strength * images.shape[1 + axis] * signs)
        return _moved(images, fill, affine(len(images)), shift)

    return move


def _factor(change: Callable[[Floats, Floats], Floats]) -> Operation:
    def apply(images: Floats, strength: float, signs: Floats, fill: Floats) -> Floats:
        return change(images, 1 + np.float32(0.9 * strength) * signs)

    return apply


def sharpness(images: Floats, factors: Floats) -> Floats:
    """Move away from the smoothed picture by (N,) factors: 0 smooths, 2 sharpens; the border stays."""
    smooth = images.copy()
    inner = images[:, 1:-1, 1:-1] * 4
    for y in range(3):
        for x in range(3):
            inner = inner + images[:, y : y + images.shape[1] - 2, x : x + images.shape[2] - 2]
    smooth[:, 1:-1, 1:-1] = inner / 13  # Pillow's SMOOTH: 5 in the middle, 1 around
    return smooth + (images - smooth) * factors[:, None, None, None]


def auto_contrast(images: Floats) -> Floats:
    """Stretch each channel of each picture to the range from 0 to 1; one of a single value stays."""
    low = images.min(axis=(1, 2), keepdims=True)
    high = images.max(axis=(1, 2), keepdims=True)
    room = high - low
    stretched: Floats = np.where(room > 1e-3, (images - low) / np.maximum(room, 1e-3), images)
    return stretched


def equalize(images: Floats) -> Floats:
    """Spread the values of each channel of each picture so that all are about equally frequent."""
    n, h, w, c = images.shape
    values = np.rint(images * 255).astype(np.int64).transpose(0, 3, 1, 2).reshape(n * c, h * w)
    rows = np.arange(n * c)[:, None] * 256
    counts = np.bincount((values + rows).ravel(), minlength=n * c * 256).reshape(n * c, 256)
    below = np.cumsum(counts, axis=1)
    least = np.take_along_axis(below, values.min(axis=1)[:, None], axis=1)
    room = h * w - least
    share = np.where(room > 0, (below - least) / np.maximum(room, 1), np.arange(256) / 255)
    spread = np.take_along_axis(share, values, axis=1).reshape(n, c, h, w)
    result: Floats = np.ascontiguousarray(spread.transpose(0, 2, 3, 1), dtype=np.float32)
    return result


def posterize(images: Floats, bits: int) -> Floats:
    """Keep the highest `bits` of the 8 bits of every value."""
    step = 1 << (8 - bits)
    levels = np.rint(images * 255).astype(np.int32) // step * step
    return levels.astype(np.float32) / np.float32(255)


def solarize(images: Floats, threshold: float) -> Floats:
    """Invert all values from `threshold` on."""
    inverted: Floats = np.where(images >= threshold, 1 - images, images)
    return inverted


OPERATIONS: dict[str, Operation] = {
    "identity": lambda images, strength, signs, fill: images,
    "auto-contrast": lambda images, strength, signs, fill: auto_contrast(images),
    "equalize": lambda images, strength, signs, fill: equalize(images),
    "rotate": _rotate,
    "solarize": lambda images, strength, signs, fill: solarize(images, 1 - strength + 1 / 256),
    "colour": _factor(color.saturation),
    "posterize": lambda images, strength, signs, fill: posterize(images, 8 - round(4 * strength)),
    "contrast": _factor(color.contrast),
    "brightness": _factor(color.brightness),
    "sharpness": _factor(sharpness),
    "shear-x": _shear_x,
    "shear-y": _shear_y,
    "translate-x": _translate(1),
    "translate-y": _translate(0),
}
