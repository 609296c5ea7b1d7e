"""Pictures moved: cut, turned, sheared, zoomed and bent, all in one resampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from residua.data.augmentation.chance import Floats


def resize(images: Floats, height: int, width: int) -> Floats:
    """Bring (N, H, W, C) float32 pictures to another size.

    Enlarged by linear interpolation; made smaller by the same with wider triangles, so that no pixel is
    passed over (as Pillow's BILINEAR does).
    """
    _, h, w, _ = images.shape
    if (h, w) == (height, width):
        return images
    down, across = _triangles(height, h), _triangles(width, w)
    rows: Floats = np.einsum("nhwc,bw->nhbc", images, across, optimize=True)
    result: Floats = np.einsum("nhbc,ah->nabc", rows, down, optimize=True)
    return np.ascontiguousarray(result)


def _triangles(size: int, length: int) -> Floats:
    """(size, length): the weights of `length` pixels in each of `size` new ones."""
    scale = length / size
    reach = max(scale, 1.0)
    centres = (np.arange(size) + 0.5) * scale
    distance = np.abs(np.arange(length) + 0.5 - centres[:, None]) / reach
    weights = np.clip(1 - distance, 0, None)
    rows: Floats = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return rows


def affine(
    count: int,
    *,
    rotate: Floats | None = None,
    shear_x: Floats | None = None,
    shear_y: Floats | None = None,
    zoom: Floats | None = None,
) -> Floats:
    """(N, 2, 2) float32 matrices that take a place in the new picture to one in the old, from the middles.

    rotate: (N,) radians, anticlockwise as seen. shear_x, shear_y: (N,) tangents: how far a row moves to
    the right per pixel downwards, and a column downwards per pixel to the right. zoom: (N,) factors by
    which content grows. Rows and columns of the matrices are (y, x). Content is zoomed first, sheared and
    rotated last.
    """
    matrix = np.zeros((count, 2, 2), np.float32)
    matrix[:, 0, 0] = matrix[:, 1, 1] = 1
    if rotate is not None:
        sine, cosine = np.sin(rotate), np.cos(rotate)
        turn = np.empty((count, 2, 2), np.float32)
        turn[:, 0, 0], turn[:, 0, 1], turn[:, 1, 0], turn[:, 1, 1] = cosine, sine, -sine, cosine
        matrix = turn
    if shear_x is not None:
        shear = np.zeros((count, 2, 2), np.float32)
        shear[:, 0, 0], shear[:, 1, 1], shear[:, 1, 0] = 1, 1, -shear_x
        matrix = shear @ matrix
    if shear_y is not None:
        shear = np.zeros((count, 2, 2), np.float32)
        shear[:, 0, 0], shear[:, 1, 1], shear[:, 0, 1] = 1, 1, -shear_y
        matrix = shear @ matrix
    if zoom is not None:
        matrix = matrix / zoom[:, None, None]
    return matrix


def places(matrix: Floats, middle: Floats, scale: Floats, height: int, width: int) -> Floats:
    """(N, 2, height, width): from where in the old picture each pixel of the new one is taken, y then x.

    matrix: (N, 2, 2), see `affine`. middle: (N, 2) where the middle of the new picture lies in the old
    one. scale: (N, 2) how many old pixels a new one is high and wide. Pixel k covers k to k + 1.
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


def sample(images: Floats, where: Floats, fill: Floats) -> Floats:
    """Take pictures apart and together again: bilinear interpolation at given places.

    images: (N, H, W, C) float32. where: (N, 2, h, w) places, y then x, 0 for the middle of the first
    pixel. fill: (C,) the colour of all that lies outside. Returns (N, h, w, C) float32.
    """
    n, h, w, c = images.shape
    # A border of the fill colour: beyond it everything is fill, across it one fades into the other.
    framed = np.empty((n, h + 2, (w + 2) * c), np.float32)
    framed[:] = np.tile(fill, w + 2)
    framed[:, 1:-1, c:-c] = images.reshape(n, h, w * c)
    y = np.clip(where[:, 0] + 1, 0, h + 1)
    x = np.clip(where[:, 1] + 1, 0, w + 1)
    # Neither is negative, so the conversion rounds down.
    top, left = np.minimum(y.astype(np.int32), h), np.minimum(x.astype(np.int32), w)
    # Spread over the channels beforehand: NumPy is slow where its inner loop runs over three values.
    down = np.repeat(y - top.astype(np.float32), c, axis=-1)
    right = np.repeat(x - left.astype(np.float32), c, axis=-1)
    flat = framed.reshape(-1, c)
    start = (np.arange(n, dtype=np.int64) * ((h + 2) * (w + 2)))[:, None, None]
    first = start + top * (w + 2) + left

    def corner(offset: int) -> Floats:
        # All places are inside; "clip" only spares the check of each.
        taken: Floats = flat.take(first + offset, axis=0, mode="clip")
        return taken.reshape(down.shape)

    above = _between(corner(0), corner(1), right)
    below = _between(corner(w + 2), corner(w + 3), right)
    return _between(above, below, down).reshape(*where[:, 0].shape, c)


def _between(one: Floats, other: Floats, share: Floats) -> Floats:
    """(1 - share) one + share other; where both are equal, exactly that."""
    return one + (other - one) * share


def elastic(noise_y: Floats, noise_x: Floats, strength: float, smooth: float) -> Floats:
    """(N, 2, H, W) displacements in pixels of an elastic deformation.

    noise_y, noise_x: (N, H, W) even random numbers from -1 to 1. They are smoothed by a Gaussian of
    standard deviation `smooth` pixels and multiplied by `strength`: sigma and alpha of Simard, Steinkraus,
    Platt 2003, Best Practices for Convolutional Neural Networks, section 2.
    """
    _, h, w = noise_y.shape
    down, across = _gaussian(h, smooth), _gaussian(w, smooth)
    return np.stack([strength * (down @ noise @ across.T) for noise in (noise_y, noise_x)], axis=1)


def _gaussian(length: int, deviation: float) -> Floats:
    """(length, length): rows smooth a line; beyond its ends lies nothing, as zeros."""
    place = np.arange(length)
    reach = place[-1] + np.ceil(4 * deviation)
    total = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2).sum()
    weights = np.exp(-0.5 * ((place[:, None] - place) / deviation) ** 2) / total
    rows: Floats = weights.astype(np.float32)
    return rows


def resized_crop_boxes(
    area: Floats, aspect: Floats, down: Floats, right: Floats, height: int, width: int
) -> tuple[Floats, Floats]:
    """Middles (N, 2) and sizes (N, 2) in pixels of boxes inside a picture, y then x.

    area: (N,) shares of the picture's area. aspect: (N,) width to height of a box. down, right: (N,) from
    0 to 1, where the box lies in the room that it leaves. A box too long for the picture is cut to it, as
    in the last resort of Szegedy et al. 2015, 1409.4842, section 6.
    """
    whole = area * np.float32(height * width)
    tall = np.clip(np.sqrt(whole / aspect), 1, height)
    wide = np.clip(np.sqrt(whole * aspect), 1, width)
    size: NDArray[np.float32] = np.stack([tall, wide], axis=1)
    room = np.array([height, width], np.float32) - size
    middle = size / 2 + room * np.stack([down, right], axis=1)
    return middle.astype(np.float32), size.astype(np.float32)
