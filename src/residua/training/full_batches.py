"""Batches of one size, filled up with what does not count, where a step for every other is compiled anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from residua.data.batches import Batches
from residua.engines import Engine

Array = Any
NOTHING = -1  # the label of what fills a batch up


@dataclass(frozen=True)
class Given:
    """What a step is given of a batch (see `make_step`)."""

    images: Array
    labels: Array
    weights: Array | None
    mixed: tuple[Array, Array] | None


def full_size(batches: Batches, divides: int) -> int:
    """Pictures in the largest batch of an epoch, up to a multiple of what an engine divides evenly."""
    count = len(batches.pictures)
    largest = max(min(batches.batch, count), count - (batches.count - 1) * batches.batch)
    return divisible(divides, largest)


def divisible(divides: int, count: int) -> int:
    """So many pictures, up to a multiple."""
    return -(-count // divides) * divides


def fill_up(engine: Engine, given: Given, size: int, scale: float) -> Given:
    """The batch with black pictures of no class and no weight behind its own, up to `size`.

    scale: of how many rows the whole batch has one is a picture; by so much the weights of its own grow, so
    that the mean over all rows is the mean over these.
    """
    count = len(given.labels)
    weights = np.ones(count, np.float32) if given.weights is None else given.weights
    weights = np.asarray(weights * scale, np.float32)
    mixed = given.mixed
    if mixed is not None:
        mixed = _filled(engine, mixed[0], size, NOTHING), _filled(engine, mixed[1], size, 1)
    return Given(
        _filled(engine, given.images, size),
        _filled(engine, given.labels, size, NOTHING),
        _filled(engine, weights, size),
        mixed,
    )


def fill_pictures(engine: Engine, images: Array, size: int) -> Array:
    """(N, H, W, C) -> (size, H, W, C), black behind the pictures."""
    return _filled(engine, images, size)


def _filled(engine: Engine, x: Array, size: int, value: float = 0) -> Array:
    if len(x) >= size:
        return x
    more = ((0, size - len(x)), *[(0, 0)] * (x.ndim - 1))
    xp = np if isinstance(x, np.ndarray) else engine.xp
    return xp.pad(x, more, constant_values=value)
