"""Dropout of numbers and of whole maps, the same on every engine."""

from __future__ import annotations

from typing import Any

from residua.engines.vocabulary.counter_random import uniform_bits
from residua.engines.vocabulary.together import pooled

Array = Any
Saved = Any


def dropout(engine: Any, x: Array, key: Array, *, rate: float) -> tuple[Array, Saved]:
    """x with a share `rate` of its numbers zero and the others divided by 1 - rate.

    `key`: (2,) uint32, a seed and a step. The mask is a function of the key and of the place in `x`,
    the same on every engine.
    """
    count = engine.size(x)
    if engine.together is None:
        bits = uniform_bits(engine.xp, key, count).reshape(x.shape)
    else:  # the mask of the whole batch, of which x is a part
        places = engine.together.places(count)
        bits = uniform_bits(engine.xp, key, pooled(engine, count))[places].reshape(x.shape)
    mask = (bits >= engine.xp.uint32(round(rate * 2**32))).astype(x.dtype) * (1 / (1 - rate))
    return x * mask, mask


def dropout_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    """`dy` through the same mask."""
    return dy * saved


def dropout_maps(engine: Any, x: Array, key: Array, *, rate: float) -> tuple[Array, Saved]:
    """x (N, H, W, C) with a share `rate` of the maps (H, W) zero and the others divided by 1 - rate.

    As `dropout` of one number for each map, with the same key.
    """
    ones = engine.xp.ones((x.shape[0], x.shape[-1]), x.dtype)
    mask = engine.plain(engine.dropout(ones, key, rate=rate)[0])[:, None, None, :]
    return x * mask, mask


def dropout_maps_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    """`dy` through the same mask."""
    return dy * saved
