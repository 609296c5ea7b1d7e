"""Lines of the cache asked for ahead of need."""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.vector import (
    inline,
    prefetch,
)


@inline
def fetch(a, first, lines, end):
    """Prefetch some lines of 16 floats from a[first] on, for reading, not past `end`."""
    for i in range(first, min(first + 16 * lines, end), 16):
        prefetch(a, i, 0)


@inline
def fetch_to_write(a, first, lines, end):
    """Prefetch some lines of 16 floats from a[first] on, for writing, not past `end`."""
    for i in range(first, min(first + 16 * lines, end), 16):
        prefetch(a, i, 1)


@inline
def fetch_block(a, rows, columns, apart):
    """Prefetch rows of floats, `apart` floats from each other, to be added to."""
    for m in range(rows):
        for i in range(0, columns, 16):
            prefetch(a, m * apart + i, 1)


@inline
def fetch_pair(a, b, first, lines, end):
    """As `fetch`, of two."""
    for i in range(first, min(first + 16 * lines, end), 16):
        prefetch(a, i, 0)
        prefetch(b, i, 0)


@inline
def fetch_three(a, b, c, first, lines, end):
    """As `fetch`, of three."""
    for i in range(first, min(first + 16 * lines, end), 16):
        prefetch(a, i, 0)
        prefetch(b, i, 0)
        prefetch(c, i, 0)


@inline
def fetch_results(a, b, result, first, lines, end):
    """As `fetch`, of two, and of a third to be written."""
    for i in range(first, min(first + 16 * lines, end), 16):
        prefetch(a, i, 0)
        prefetch(b, i, 0)
        prefetch(result, i, 1)


@inline
def fetch_four(a, b, c, d, first, lines, end):
    """As `fetch`, of two, and of two to be written."""
    for i in range(first, min(first + 16 * lines, end), 16):
        prefetch(a, i, 0)
        prefetch(b, i, 0)
        prefetch(c, i, 1)
        prefetch(d, i, 1)
