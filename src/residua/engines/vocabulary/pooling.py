"""Pooling beside maxima and means of windows, written once."""

from __future__ import annotations

from typing import Any

Array = Any
Saved = Any


def average_pool_inside(
    engine: Any, x: Array, *, kernel: int, stride: int, padding: int
) -> tuple[Array, Saved]:
    """The mean of those pixels of each window that lie inside the picture."""
    y, saved = engine.average_pool(x, kernel=kernel, stride=stride, padding=padding)
    factors = _inside(engine, x, kernel, stride, padding)
    return engine.plain(y) * factors, (saved, factors)


def average_pool_inside_backward(
    engine: Any, dy: Array, saved: Saved, *, kernel: int, stride: int, padding: int
) -> Array:
    """`dy` spread evenly over each window's pixels inside the picture."""
    kept, factors = saved
    return engine.average_pool_backward(dy * factors, kept, kernel=kernel, stride=stride, padding=padding)


def _inside(engine: Any, x: Array, kernel: int, stride: int, padding: int) -> Array:
    """How many times more places a window has than pixels of the picture."""
    xp = engine.xp
    rows, columns = (
        kernel
        / xp.asarray(
            [
                min(start + kernel, side) - max(start, 0)
                for start in range(-padding, side + padding - kernel + 1, stride)
            ],
            x.dtype,
        )
        for side in x.shape[1:3]
    )
    return (rows[:, None] * columns)[:, :, None]
