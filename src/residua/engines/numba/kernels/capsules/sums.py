"""Sums within many vectors at once: turned round, they are sums of vectors."""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, transpose


@inline
def sums_of_rows(block):
    """A vector of the sums of WIDTH rows of WIDTH numbers; as many floats after them are overwritten."""
    turned = block + 4 * WIDTH * WIDTH
    transpose(block, WIDTH, turned, WIDTH)
    total = load(turned, 0)
    for row in range(1, WIDTH):
        total = total + load(turned, row * WIDTH)
    return total
