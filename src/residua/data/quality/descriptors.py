"""What a picture looks like as a vector: the differences between neighbours of a small grey version of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.selection import Images

Floats = NDArray[np.float32]

COARSE, FINE = 8, 16  # sides of the small grey pictures whose differences describe a picture
_CHUNK_PIXELS = 1 << 22  # bounds the memory, whatever the size of the pictures


def describe(images: Images, side: int = FINE) -> Floats:
    """(N, H, W, C) uint8 -> (N, D) float32 of length one: what changes from each place to the next.

    The differences between neighbours, to the right and downwards, of the grey picture at side x side:
    brightness and contrast have no part in it. It is a difference hash (Krawetz 2013) that keeps the sizes
    of the differences. A picture of one grey has length zero.
    """
    n, h, w, c = images.shape
    down, across = averaging_weights(min(side, h), h), averaging_weights(min(side, w), w)
    weights = np.array([0.299, 0.587, 0.114] if c == 3 else [1 / c] * c, np.float32)  # ITU-R BT.601
    parts = []
    step = max(1, _CHUNK_PIXELS // (h * w))
    for start in range(0, n, step):
        grey = images[start : start + step].astype(np.float32) @ weights
        small = down @ grey @ across.T
        count = len(grey)
        right, below = np.diff(small, axis=2).reshape(count, -1), np.diff(small, axis=1).reshape(count, -1)
        both = np.concatenate([right, below], axis=1)
        # Differences below a grey level are the rounding of the decoder, not content.
        length = np.linalg.norm(both, axis=1, keepdims=True)
        parts.append(np.where(length > 1, both / np.maximum(length, 1), 0).astype(np.float32))
    return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)


def averaging_weights(size: int, length: int) -> Floats:
    """(size, length): the mean over each of `size` equal parts of a line, shared pixels in proportion."""
    edges = np.linspace(0, length, size + 1)
    low, high = edges[:-1, None], edges[1:, None]
    pixel = np.arange(length)
    share = np.clip(np.minimum(high, pixel + 1) - np.maximum(low, pixel), 0, None)
    means: Floats = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
    return means


@dataclass(frozen=True, eq=False)
class Descriptions:
    """All pictures of a data set as `describe` sees them: (N, D) coarsely and (N, D') finely."""

    coarse: Floats
    fine: Floats

    @classmethod
    def of(cls, splits: Sequence[Images]) -> Descriptions:
        """Describe the pictures of all splits in turn."""
        parts = [images for images in splits if len(images)] or [np.zeros((0, 1, 1, 1), np.uint8)]
        coarse, fine = (np.concatenate([describe(part, side) for part in parts]) for side in (COARSE, FINE))
        return cls(coarse, fine)
