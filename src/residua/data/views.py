"""What a network is shown of a picture at test time: its middle, its corners, and their mirror images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from residua.data.augmentation import warp
from residua.data.preprocessing import Preprocessing

Views = Literal["one", "flips", "five", "ten"]


@dataclass(frozen=True)
class View:
    """A part of a picture. down, right: -1, 0 or 1, towards which corner. mirrored: left to right."""

    down: int = 0
    right: int = 0
    mirrored: bool = False


MIDDLE = View()
_FLIPS = (MIDDLE, View(mirrored=True))
_CORNERS = tuple(View(down, right) for down in (-1, 1) for right in (-1, 1))
# Ten as in Krizhevsky, Sutskever, Hinton 2012, ImageNet Classification with Deep CNNs, section 4.1.
VIEWS: dict[Views, tuple[View, ...]] = {
    "one": (MIDDLE,),
    "flips": _FLIPS,
    "five": (MIDDLE, *_CORNERS),
    "ten": (*_FLIPS, *_CORNERS, *(View(v.down, v.right, True) for v in _CORNERS)),
}


def mean_answer(every: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean of the probabilities that each view gave, (N, classes); of a single one itself."""
    if len(every) == 1:
        return every[0]
    mean: NDArray[np.float32] = np.stack(every).mean(axis=0, dtype=np.float32)
    return mean


def see(images: NDArray[np.uint8], preprocessing: Preprocessing, view: View) -> NDArray[np.float32]:
    """Normalised pictures of the preprocessing's size, seen in one way.

    images: (N, H, W, C) uint8 as stored. Out of larger pictures a view is cut, the corners at the very
    corner. Pictures without room are seen whole; for the corners they are moved by an eighth of their
    side, and the mean colour comes in, as with training's padded crops. Smaller ones are enlarged first.
    """
    return place(preprocessing.normalize_stored(images), preprocessing, view)


def place(normal: NDArray[np.float32], preprocessing: Preprocessing, view: View) -> NDArray[np.float32]:
    """The part of normalised pictures, (N, H, W, C) of the stored size, that is seen: see `see`."""
    height, width = preprocessing.height, preprocessing.width
    if normal.shape[1] < height or normal.shape[2] < width:
        normal = warp.resize(normal, max(height, normal.shape[1]), max(width, normal.shape[2]))
    _, h, w, _ = normal.shape
    pad_y = height // 8 if view.down and h == height else 0
    pad_x = width // 8 if view.right and w == width else 0
    if pad_y or pad_x:
        normal = np.pad(normal, ((0, 0), (pad_y, pad_y), (pad_x, pad_x), (0, 0)))
    top = (normal.shape[1] - height) * (view.down + 1) // 2
    left = (normal.shape[2] - width) * (view.right + 1) // 2
    part = normal[:, top : top + height, left : left + width]
    return np.ascontiguousarray(part[:, :, ::-1] if view.mirrored else part)


def place_backward(dy: NDArray[np.float32], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """The gradient by the normalised pictures of the stored size, out of that by `place`'s middle."""
    (stored_h, stored_w), (n, height, width, c) = preprocessing.stored, dy.shape
    h, w = max(height, stored_h), max(width, stored_w)
    dnormal = np.zeros((n, h, w, c), np.float32)
    top, left = (h - height) // 2, (w - width) // 2
    dnormal[:, top : top + height, left : left + width] = dy
    if stored_h < height or stored_w < width:
        # Enlarging is linear, each side by itself: its matrices are what becomes of single pixels.
        down = warp.resize(np.eye(stored_h, dtype=np.float32)[None, ..., None], h, stored_h)[0, ..., 0]
        across = warp.resize(np.eye(stored_w, dtype=np.float32)[None, ..., None], w, stored_w)[0, ..., 0]
        dnormal = np.einsum("nabc,ah,bw->nhwc", dnormal, down, across, optimize=True)
    return np.ascontiguousarray(dnormal)
