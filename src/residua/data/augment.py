"""Varying training pictures: shifted, mirrored, with a square blanked out.

Every choice is a hash of (seed, epoch, index), so a picture's variation does not depend on threads, on
the batch that it is in, or on where an epoch was taken up again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from residua.data.preprocessing import Preprocessing
from residua.errors import ConfigError

# One stream of numbers per choice; changing these changes every run.
ORDER, CROP_Y, CROP_X, FLIP, CUTOUT_Y, CUTOUT_X = range(6)


def hash_integers(seed: int, epoch: int, stream: int, indices: NDArray[np.int64]) -> NDArray[np.uint64]:
    """64 random bits for every index, the same wherever and whenever they are asked for.

    The mixing step is SplitMix64's (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
    generators", 10.1145/2660193.2660195), applied once for each part of the key.
    """
    state = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):  # arithmetic modulo 2**64 is the point
        for part in (seed & (2**64 - 1), (seed >> 64) & (2**64 - 1), epoch, stream):
            state = _mix(state ^ np.uint64(part))
        return _mix(np.asarray(indices).astype(np.uint64) ^ state)


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = value + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def hash_below(
    limit: int, seed: int, epoch: int, stream: int, indices: NDArray[np.int64]
) -> NDArray[np.int64]:
    """A whole number from 0 to limit - 1 for every index, each equally likely (to within 2**-32)."""
    high = hash_integers(seed, epoch, stream, indices) >> np.uint64(32)
    return ((high * np.uint64(limit)) >> np.uint64(32)).astype(np.int64)


@dataclass(frozen=True)
class Augment:
    """How training pictures are varied.

    crop: pictures are padded by this many pixels on each side and cut back to their size at a random
    place (each of the (2 crop + 1)^2 places equally likely). The padding has the value that becomes
    zero after normalisation, the mean colour, as in He et al. 2015, 1512.03385, section 4.2 (4 pixels).
    flip: mirror half of the pictures left to right. cutout: side in pixels of a square, centred anywhere
    in the picture and cut at its border, that is set to the mean colour (DeVries, Taylor 2017, 1708.04552).
    """

    crop: int = 0
    flip: bool = False
    cutout: int = 0

    def __post_init__(self) -> None:
        for name in ("crop", "cutout"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ConfigError(f"{name} must be a number of pixels, 0 or more, not {value!r}.")

    def __bool__(self) -> bool:
        return bool(self.crop or self.flip or self.cutout)

    def apply(
        self,
        images: NDArray[np.uint8],
        preprocessing: Preprocessing,
        seed: int,
        epoch: int,
        indices: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """Normalise and vary a batch.

        images: (N, H, W, C) uint8. indices: (N,) each picture's place in its split, which decides,
        with seed and epoch, how it is varied. Returns (N, H, W, C) float32.
        """
        normal = preprocessing.normalize(images)
        _, h, w, _ = normal.shape
        if self.crop or self.flip:
            normal = self._move(normal, seed, epoch, indices)
        if self.cutout:
            rows = hash_below(h, seed, epoch, CUTOUT_Y, indices) - self.cutout // 2
            columns = hash_below(w, seed, epoch, CUTOUT_X, indices) - self.cutout // 2
            for image, top, left in zip(normal, rows.tolist(), columns.tolist(), strict=True):
                image[max(top, 0) : top + self.cutout, max(left, 0) : left + self.cutout] = 0
        return normal

    def _move(
        self, normal: NDArray[np.float32], seed: int, epoch: int, indices: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Shift and mirror; what moves in from outside is zero, the mean colour."""
        n, h, w, _ = normal.shape
        places = 2 * self.crop + 1
        down = (hash_below(places, seed, epoch, CROP_Y, indices) - self.crop).tolist()
        right = (hash_below(places, seed, epoch, CROP_X, indices) - self.crop).tolist()
        mirrored = (hash_below(2, seed, epoch, FLIP, indices) == 1).tolist() if self.flip else [False] * n
        result = np.zeros_like(normal)
        # One slice copy per picture: measured faster than a fancy gather from padded windows, because
        # whole rows are copied and no padded array is made.
        for target, source, y, x, mirror in zip(result, normal, down, right, mirrored, strict=True):
            if abs(y) >= h or abs(x) >= w:
                continue
            part = source[max(y, 0) : h + min(y, 0), max(x, 0) : w + min(x, 0)]
            top, left = max(-y, 0), max(-x, 0)
            window = target[:, ::-1] if mirror else target
            window[top : top + part.shape[0], left : left + part.shape[1]] = part
        return result
