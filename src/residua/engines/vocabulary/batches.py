"""Pictures on their way from a data set into a network: normalised, cut out, mirrored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Places = NDArray[np.int64]


def windows(
    pictures: Floats, down: Places, right: Places, mirrored: NDArray[np.bool_], size: tuple[int, int]
) -> Floats:
    """Of each of (N, H, W, C) pictures the window of this size whose corner is at (down, right), (N,) each.

    What lies outside of the picture is zero. mirrored: (N,) which windows are turned left to right.
    """
    height, width = size
    result = np.zeros((len(pictures), height, width, pictures.shape[3]), pictures.dtype)
    places = zip(result, pictures, down.tolist(), right.tolist(), mirrored.tolist(), strict=True)
    # One slice copy per picture: measured faster than a fancy gather from padded windows, because
    # whole rows are copied and no padded array is made.
    for target, source, y, x, mirror in places:
        part = source[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
        top, left = max(-y, 0), max(-x, 0)
        window = target[:, ::-1] if mirror else target
        if part.size:
            window[top : top + part.shape[0], left : left + part.shape[1]] = part
    return result


def crop_and_flip(
    engine: Any,
    pixels: Pixels,
    indices: Places,
    down: Places,
    right: Places,
    mirrored: NDArray[np.bool_],
    size: tuple[int, int],
    scale: Floats,
    shift: Floats,
) -> Floats:
    """`windows` of pixels[indices] scale + shift, rounded twice.

    pixels: (M, H, W, C) uint8, of which the pictures at `indices`, (N,), are taken. scale, shift: (C,)
    float32. Returns (N, height, width, C) float32 for `size`, in ordinary memory. May be called while
    another thread runs a step on the same engine.
    """
    pixels = pixels[indices]
    n, h, w, c = pixels.shape
    # Along whole rows: NumPy is slow where its inner loop runs over three channels.
    rows = np.multiply(pixels.reshape(n * h, w * c), np.tile(scale, w), dtype=scale.dtype)
    rows += np.tile(shift, w)
    return windows(rows.reshape(n, h, w, c), down, right, mirrored, size)
