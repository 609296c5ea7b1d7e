"""Counter-based random numbers: hashes of seed, epoch, stream and index, the same whenever they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Floats = NDArray[np.float32]

# One stream of numbers per choice; changing these changes every run.
ORDER, CROP_Y, CROP_X, FLIP, CUTOUT_Y, CUTOUT_X = range(6)
AREA, ASPECT, BOX_Y, BOX_X, ROTATE, SHEAR_X, SHEAR_Y, ZOOM, ELASTIC_Y, ELASTIC_X = range(6, 16)
BRIGHTNESS, CONTRAST, SATURATION, HUE, TINT, PCA, NOISE = range(16, 23)
MIX_PARTNER, MIX_SHARE, MIX_SIDE, MIX_KIND, MIX_Y, MIX_X = range(23, 29)
RANDAUGMENT = 1000  # and what follows: three streams for each operation in a row

_GAMMA = 0x9E3779B97F4A7C15


@dataclass(frozen=True, eq=False)
class RandomNumbers:
    """What is drawn for pictures in an epoch: every number a hash of seed, epoch, stream and index.

    indices: (N,) each picture's index in its split. So a number does not depend on threads, on the batch that
    the picture is in, or on where an epoch was taken up again.
    """

    seed: int
    epoch: int
    indices: Indices

    def bits(self, stream: int) -> NDArray[np.uint64]:
        """(N,) 64 random bits.

        The mixing step is SplitMix64's (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
        generators", 10.1145/2660193.2660195), applied once for each part of the key.
        """
        with np.errstate(over="ignore"):  # arithmetic modulo 2**64 is the point
            return _mix(np.asarray(self.indices).astype(np.uint64) ^ _state(self.seed, self.epoch, stream))

    def many_bits(self, stream: int, count: int) -> NDArray[np.uint64]:
        """(N, count) 64 random bits: for every index the outputs of a SplitMix64 that starts at its hash."""
        start = self.bits(stream)
        with np.errstate(over="ignore"):
            return _mix(start[:, None] + np.arange(count, dtype=np.uint64) * np.uint64(_GAMMA))

    def integers(self, stream: int, limit: int) -> NDArray[np.int64]:
        """(N,) whole numbers from 0 to limit - 1, each equally likely (to within 2**-32)."""
        high = self.bits(stream) >> np.uint64(32)
        return ((high * np.uint64(limit)) >> np.uint64(32)).astype(np.int64)

    def coins(self, stream: int) -> NDArray[np.bool_]:
        """(N,) true or false, equally likely."""
        heads: NDArray[np.bool_] = self.integers(stream, 2) == 1
        return heads

    def uniform(self, stream: int, count: int = 1) -> Floats:
        """(N, count) numbers from 0 to below 1."""
        return _fraction(self.many_bits(stream, count))

    def symmetric(self, stream: int, most: float, count: int = 1) -> Floats:
        """(N, count) numbers from -most to below most, uniform."""
        return (2 * self.uniform(stream, count) - 1) * np.float32(most)

    def normal(self, stream: int, count: int) -> Floats:
        """(N, count) normally distributed numbers, by Box and Muller's transform (1958)."""
        bits = self.many_bits(stream, -(-count // 2))
        radius = np.sqrt(-2 * np.log(_fraction(bits) + np.float32(2.0**-25)))
        angle = np.float32(2 * np.pi * 2.0**-24) * (bits & np.uint64(2**24 - 1)).astype(np.float32)
        both = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return both[:, :count]

    def beta(self, stream: int, alpha: float) -> Floats:
        """(N,) numbers from 0 to 1 with the distribution Beta(alpha, alpha).

        By the inverse of a tabulated distribution function of the half below 0.5, where the density is
        x^(alpha - 1) (1 - x)^(alpha - 1); in t = x^alpha its first factor, infinite at 0 for alpha < 1, is
        gone.
        """
        t = np.linspace(0, 0.5**alpha, 4097)
        density = (1 - t ** (1 / alpha)) ** (alpha - 1)
        table = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
        bits = self.bits(stream)
        half = np.interp(_fraction(bits).astype(np.float64), table / table[-1], t) ** (1 / alpha)
        upper = (bits & np.uint64(1)).astype(bool)
        return np.where(upper, 1 - half, half).astype(np.float32)


@lru_cache(maxsize=256)
def _state(seed: int, epoch: int, stream: int) -> np.uint64:
    """What the key comes to before the index: for every batch of an epoch the same."""
    state = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):
        for part in (seed & (2**64 - 1), (seed >> 64) & (2**64 - 1), epoch, stream):
            state = _mix(state ^ np.uint64(part))
    return np.uint64(state)


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = value + np.uint64(_GAMMA)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _fraction(bits: NDArray[np.uint64]) -> Floats:
    # 24 bits: what float32 holds exactly, so that no number is rounded up to 1.
    return (bits >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
