"""Two training pictures in one: blended (mixup), or a box of one pasted into the other (cutmix).

The target is then two labels, of which the first counts `share` and the second the rest. The partner of a
picture is drawn from its whole split by (seed, epoch, index), not from its batch, so that what is learned
from does not depend on how the epoch is cut into batches or where it was taken up again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from residua.config.limits import LIMITS
from residua.data.random_numbers import (
    MIX_KIND,
    MIX_PARTNER,
    MIX_SHARE,
    MIX_X,
    MIX_Y,
    Floats,
    Indices,
    RandomNumbers,
)
from residua.errors import ConfigError


@dataclass(frozen=True)
class Mix:
    """How pictures are combined.

    mixup: alpha of Zhang, Cisse, Dauphin, Lopez-Paz 2018, mixup: Beyond Empirical Risk Minimization,
    1710.09412: the share of the first picture is drawn from Beta(alpha, alpha). cutmix: alpha of Yun et
    al. 2019, CutMix, 1905.04899: a box of the second picture, of 1 - share of the area, is pasted in. 0
    is none; with both, each picture is treated by one of them, drawn evenly. They draw a share for each
    batch; here each picture has its own.
    """

    mixup: float = 0.0
    cutmix: float = 0.0

    def __post_init__(self) -> None:
        for name in ("mixup", "cutmix"):
            words, fits = LIMITS[name]
            if not fits(getattr(self, name)):
                raise ConfigError(f"{name} takes {words}, not {getattr(self, name)!r}.")

    def __bool__(self) -> bool:
        return bool(self.mixup or self.cutmix)

    def partners(self, count: int, seed: int, epoch: int, indices: Indices) -> Indices:
        """(N,) the index in the split, of `count` pictures, of each picture's partner."""
        return RandomNumbers(seed, epoch, indices).integers(MIX_PARTNER, count)

    def apply(
        self, images: Floats, others: Floats, seed: int, epoch: int, indices: Indices
    ) -> tuple[Floats, Floats]:
        """Combine pictures with their partners; returns them and (N,) the share of the first label.

        images, others: (N, H, W, C) float32, normalised and varied.
        """
        # An engine may have cut them out elsewhere than in our memory.
        images, others = np.asarray(images), np.asarray(others)
        n, h, w, _ = images.shape
        random = RandomNumbers(seed, epoch, indices)
        cut = self._cut(random)
        share = np.ones(n, np.float32)
        for alpha, members in ((self.mixup, ~cut), (self.cutmix, cut)):
            if members.any():
                share[members] = RandomNumbers(seed, epoch, indices[members]).beta(MIX_SHARE, alpha)
        mixed = images.copy()
        if not cut.all():
            weight = share[~cut][:, None, None, None]
            mixed[~cut] = images[~cut] * weight + others[~cut] * (1 - weight)
        if cut.any():
            tops = random.uniform(MIX_Y)[:, 0] * h
            lefts = random.uniform(MIX_X)[:, 0] * w
            for row in np.flatnonzero(cut).tolist():
                side = np.sqrt(1 - share[row])
                y, x = (int(tops[row]), int(lefts[row]))
                top, bottom = _span(y, side * h, h)
                left, right = _span(x, side * w, w)
                mixed[row, top:bottom, left:right] = others[row, top:bottom, left:right]
                # At the border the box is cut; what counts is what is seen.
                share[row] = 1 - (bottom - top) * (right - left) / (h * w)
        return mixed, share

    def _cut(self, random: RandomNumbers) -> NDArray[np.bool_]:
        """(N,) which pictures get a box pasted in."""
        if self.mixup and self.cutmix:
            return random.coins(MIX_KIND)
        return np.full(len(random.indices), bool(self.cutmix))


def _span(middle: int, length: float, limit: int) -> tuple[int, int]:
    start = middle - int(length) // 2
    return max(start, 0), min(start + int(length), limit)
