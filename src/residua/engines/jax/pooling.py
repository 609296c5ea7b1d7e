"""Maxima and means over windows, and the way back, which gives the same bits every time."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from residua.engines.jax.convolution import transpose
from residua.engines.numpy.convolution import output_size, taps

Array = Any


def _around(padding: int) -> tuple[tuple[int, int], ...]:
    return ((0, 0), (padding, padding), (padding, padding), (0, 0))


def _windows(kernel: int, stride: int, padding: int) -> dict[str, Any]:
    return {
        "window_dimensions": (1, kernel, kernel, 1),
        "window_strides": (1, stride, stride, 1),
        "padding": _around(padding),
    }


def check(x: Array, kernel: int, stride: int, padding: int) -> None:
    """Raise ShapeError where no window fits."""
    for size in x.shape[1:3]:
        output_size(size, kernel, stride, padding)


def largest(x: Array, kernel: int, stride: int, padding: int) -> Array:
    """The largest value of each window; outside of the picture lies minus infinity."""
    lowest = np.asarray(-np.inf, x.dtype)
    return lax.reduce_window(x, lowest, lax.max, **_windows(kernel, stride, padding))


def largest_backward(dy: Array, x: Array, y: Array, window: tuple[int, int, int]) -> Array:
    """`dy` at each window's largest value; of equal ones, at the first in reading order.

    window: kernel, stride and padding. Every place of the window is compared with the maximum in turn. XLA's
    own way back scatters: in no order of its own, and to another of equal values.
    """
    kernel, stride, padding = window
    padded = jnp.pad(x, _around(padding), constant_values=-jnp.inf)
    height, width = padded.shape[1:3]
    taken = jnp.zeros(y.shape, bool)
    total = jnp.zeros(padded.shape, dy.dtype)
    for place, view in enumerate(taps(padded, kernel, stride)):
        hit = ((view == y) | jnp.isnan(view)) & ~taken
        taken = taken | hit
        total = total + spread(dy * hit, divmod(place, kernel), stride, (height, width))
    return total[:, padding : height - padding, padding : width - padding]


def sums(x: Array, kernel: int, stride: int, padding: int) -> Array:
    """The sum of each window; outside of the picture lies zero."""
    return lax.reduce_window(x, np.zeros((), x.dtype), lax.add, **_windows(kernel, stride, padding))


def sums_backward(dy: Array, like: Array, kernel: int, stride: int, padding: int) -> Array:
    """`dy` at every pixel of each window."""
    return transpose(lambda x: sums(x, kernel, stride, padding), like, dy)


def spread(dy: Array, place: tuple[int, int], stride: int, size: tuple[int, int]) -> Array:
    """dy where this place of a window sees it, in a picture of that height and width; zero elsewhere."""
    edges = (
        (before, side - before - stride * (count - 1) - 1, stride - 1)
        for before, side, count in zip(place, size, dy.shape[1:3], strict=True)
    )
    return lax.pad(dy, np.zeros((), dy.dtype), ((0, 0, 0), *edges, (0, 0, 0)))
