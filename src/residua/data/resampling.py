"""Resampling of pictures as float32 arrays: resizing, and bilinear sampling at any positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def resize(images: Floats, height: int, width: int) -> Floats:
    """Bring (N, H, W, C) float32 pictures to another size.

    Enlarged by linear interpolation; made smaller by the same with wider triangles, so that no pixel is
    passed over (as Pillow's BILINEAR does).
    """
    _, h, w, _ = images.shape
    if (h, w) == (height, width):
        return images
    down, across = resize_weights(height, h), resize_weights(width, w)
    rows: Floats = np.einsum("nhwc,bw->nhbc", images, across, optimize=True)
    result: Floats = np.einsum("nhbc,ah->nabc", rows, down, optimize=True)
    return np.ascontiguousarray(result)


def resize_weights(size: int, length: int) -> Floats:
    """(size, length): the weights of `length` pixels in each of `size` new ones."""
    scale = length / size
    reach = max(scale, 1.0)
    centres = (np.arange(size) + 0.5) * scale
    distance = np.abs(np.arange(length) + 0.5 - centres[:, None]) / reach
    weights = np.clip(1 - distance, 0, None)
    rows: Floats = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return rows


def sampling_grid(matrix: Floats, middle: Floats, scale: Floats, height: int, width: int) -> Floats:
    """(N, 2, height, width): from where in the old picture each pixel of the new one is taken, y then x.

    matrix: (N, 2, 2) from the new picture to the old, both from their middles, rows and columns (y, x).
    middle: (N, 2) where the middle of the new picture lies in the old one. scale: (N, 2) how many old pixels
    a new one is high and wide. Pixel k covers k to k + 1.
    """
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5 - height / 2))[None, :, None]
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5 - width / 2))[None, None, :]
    whole = matrix * scale[:, None, :]
    entry = whole[:, :, :, None, None]
    return np.stack(
        [
            entry[:, axis, 0] * y + entry[:, axis, 1] * x + middle[:, axis, None, None] - np.float32(0.5)
            for axis in (0, 1)
        ],
        axis=1,
    )


def sample(images: Floats, grid: Floats, fill: Floats) -> Floats:
    """Bilinear interpolation of pictures at the positions of a grid.

    images: (N, H, W, C) float32. grid: (N, 2, h, w) positions, y then x, 0 for the middle of the first
    pixel. fill: (C,) the colour of all that lies outside. Returns (N, h, w, C) float32.
    """
    n, h, w, c = images.shape
    # A border of the fill colour: beyond it everything is fill, across it one fades into the other.
    framed = np.empty((n, h + 2, (w + 2) * c), np.float32)
    framed[:] = np.tile(fill, w + 2)
    framed[:, 1:-1, c:-c] = images.reshape(n, h, w * c)
    y = np.clip(grid[:, 0] + 1, 0, h + 1)
    x = np.clip(grid[:, 1] + 1, 0, w + 1)
    # Neither is negative, so the conversion rounds down.
    top, left = np.minimum(y.astype(np.int32), h), np.minimum(x.astype(np.int32), w)
    # Spread over the channels beforehand: NumPy is slow where its inner loop runs over three values.
    down = np.repeat(y - top.astype(np.float32), c, axis=-1)
    right = np.repeat(x - left.astype(np.float32), c, axis=-1)
    flat = framed.reshape(-1, c)
    start = (np.arange(n, dtype=np.int64) * ((h + 2) * (w + 2)))[:, None, None]
    first = start + top * (w + 2) + left

    def corner(offset: int) -> Floats:
        # All positions are inside; "clip" only spares the check of each.
        values: Floats = flat.take(first + offset, axis=0, mode="clip")
        return values.reshape(down.shape)

    above = _blend(corner(0), corner(1), right)
    below = _blend(corner(w + 2), corner(w + 3), right)
    return _blend(above, below, down).reshape(*grid[:, 0].shape, c)


def _blend(one: Floats, other: Floats, share: Floats) -> Floats:
    """(1 - share) one + share other; where both are equal, exactly that."""
    return one + (other - one) * share
