"""What a network is shown of a picture at test time: its center, its corners, and their mirror images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from residua.data.resampling import resize, resize_weights

Views = Literal["one", "flips", "five", "six", "ten"]


@dataclass(frozen=True)
class View:
    """A part of a picture. down, right: -1, 0 or 1, towards which corner. mirrored: left to right.

    pixels: how far it is moved there; 0 for all the way. weight: how much its answer counts.
    """

    down: int = 0
    right: int = 0
    mirrored: bool = False
    pixels: int = 0
    weight: float = 1.0


CENTER = View()
_FLIPS = (CENTER, View(mirrored=True))
_CORNERS = tuple(View(down, right) for down in (-1, 1) for right in (-1, 1))
# Ten as in Krizhevsky, Sutskever, Hinton 2012, ImageNet Classification with Deep CNNs, section 4.1.
_MOVED = tuple(View(step, step, mirrored, 1) for step in (-1, 1) for mirrored in (False, True))
VIEWS: dict[Views, tuple[View, ...]] = {
    "one": (CENTER,),
    "flips": _FLIPS,
    "five": (CENTER, *_CORNERS),
    # Jordan 2024, 2404.00498, section 3.5: as it is and mirrored, and both moved by a pixel up and left, and
    # down and right; the moved ones count half.
    "six": (*(View(mirrored=v.mirrored, weight=2.0) for v in _FLIPS), *_MOVED),
    "ten": (*_FLIPS, *_CORNERS, *(View(v.down, v.right, True) for v in _CORNERS)),
}


def mean_probabilities(answers: Sequence[NDArray[np.float32]], views: Sequence[View]) -> NDArray[np.float32]:
    """The mean of the probabilities that each view gave, (N, classes), by weight; of a single one itself."""
    if len(answers) == 1:
        return answers[0]
    weights = [view.weight for view in views]
    if len(set(weights)) == 1:
        mean: NDArray[np.float32] = np.stack(answers).mean(axis=0, dtype=np.float32)
        return mean
    return np.average(np.stack(answers), axis=0, weights=weights).astype(np.float32)


def extract_view(images: NDArray[np.float32], size: tuple[int, int], view: View) -> NDArray[np.float32]:
    """One view of pictures, in the size that a network takes.

    images: (N, H, W, C) float32, normalised. size: height and width of the result. Out of larger pictures a
    view is cut, the corners at the very corner. Pictures without room are seen whole; for the corners they
    are moved by an eighth of their side, and the mean colour comes in, as with training's padded crops.
    Smaller ones are enlarged first. A view that is moved by some pixels is the middle one moved, and sees the
    picture mirrored at its edge.
    """
    height, width = size
    if images.shape[1] < height or images.shape[2] < width:
        images = resize(images, max(height, images.shape[1]), max(width, images.shape[2]))
    _, h, w, _ = images.shape
    if step := view.pixels:
        wide = np.pad(images, ((0, 0), (step, step), (step, step), (0, 0)), "reflect")
        top, left = ((h - height) // 2 + step * (1 + view.down), (w - width) // 2 + step * (1 + view.right))
        part = wide[:, top : top + height, left : left + width]
        return np.ascontiguousarray(part[:, :, ::-1] if view.mirrored else part)
    pad_y = height // 8 if view.down and h == height else 0
    pad_x = width // 8 if view.right and w == width else 0
    if pad_y or pad_x:
        images = np.pad(images, ((0, 0), (pad_y, pad_y), (pad_x, pad_x), (0, 0)))
    top = (images.shape[1] - height) * (view.down + 1) // 2
    left = (images.shape[2] - width) * (view.right + 1) // 2
    part = images[:, top : top + height, left : left + width]
    return np.ascontiguousarray(part[:, :, ::-1] if view.mirrored else part)


def center_view_backward(dy: NDArray[np.float32], stored: tuple[int, int]) -> NDArray[np.float32]:
    """The gradient by pictures of height and width `stored`, out of that by their `CENTER` view."""
    (stored_h, stored_w), (n, height, width, c) = stored, dy.shape
    h, w = max(height, stored_h), max(width, stored_w)
    dimages = np.zeros((n, h, w, c), np.float32)
    top, left = (h - height) // 2, (w - width) // 2
    dimages[:, top : top + height, left : left + width] = dy
    if stored_h < height or stored_w < width:
        # Enlarging is linear, each side by itself.
        down, across = resize_weights(h, stored_h), resize_weights(w, stored_w)
        dimages = np.einsum("nabc,ah,bw->nhwc", dimages, down, across, optimize=True)
    return np.ascontiguousarray(dimages)
