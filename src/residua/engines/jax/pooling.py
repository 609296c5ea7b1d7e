"""Maxima and means over windows, and the way back, which gives the same bits every time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from residua.engines.jax.convolution import transpose
from residua.engines.numpy.convolution import output_size

Array = Any


def _windows(kernel: int, stride: int, padding: int) -> dict[str, Any]:
    around = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    return {
        "window_dimensions": (1, kernel, kernel, 1),
        "window_strides": (1, stride, stride, 1),
        "padding": around,
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
    around = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    padded = jnp.pad(x, around, constant_values=-jnp.inf)
    height, width = padded.shape[1:3]
    taken = jnp.zeros(y.shape, bool)
    total = jnp.zeros(padded.shape, dy.dtype)
    for u, v, view in _taps(padded, kernel, stride, y.shape[1], y.shape[2]):
        hit = ((view == y) | jnp.isnan(view)) & ~taken
        taken = taken | hit
        total = total + _spread(dy * hit, u, v, stride, height, width)
    return total[:, padding : height - padding, padding : width - padding]


def sums(x: Array, kernel: int, stride: int, padding: int) -> Array:
    """The sum of each window; outside of the picture lies zero."""
    return lax.reduce_window(x, np.zeros((), x.dtype), lax.add, **_windows(kernel, stride, padding))


def sums_backward(dy: Array, like: Array, kernel: int, stride: int, padding: int) -> Array:
    """`dy` at every pixel of each window."""
    return transpose(lambda x: sums(x, kernel, stride, padding), like, dy)


def _taps(
    padded: Array, kernel: int, stride: int, height: int, width: int
) -> Iterator[tuple[int, int, Array]]:
    """For each place (u, v) in the window, in reading order, the pixels that it sees."""
    for u in range(kernel):
        for v in range(kernel):
            stop = u + stride * (height - 1) + 1, v + stride * (width - 1) + 1
            yield u, v, padded[:, u : stop[0] : stride, v : stop[1] : stride]


def _spread(dy: Array, u: int, v: int, stride: int, height: int, width: int) -> Array:
    """dy where place (u, v) of the window sees it, in a picture of that size; zero elsewhere."""
    after = (height - u - stride * (dy.shape[1] - 1) - 1, width - v - stride * (dy.shape[2] - 1) - 1)
    edges = ((0, 0, 0), (u, after[0], stride - 1), (v, after[1], stride - 1), (0, 0, 0))
    return lax.pad(dy, np.zeros((), dy.dtype), edges)
