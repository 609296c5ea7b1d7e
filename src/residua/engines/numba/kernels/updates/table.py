"""The table of a network's arrays, which lets one kernel go over all of them.

The arrays are cut into pieces of at most some ten thousand numbers; a table holds one row a piece. Parts
are runs of rows, so the work is divided by its size and not by how many arrays there are.

Block: parts, rows, where the table begins, columns of it; four doubles or addresses of doubles by kernel;
then the first row of every part, and one more. A row: how many numbers, the decay (a double), then the
addresses of the inputs, then of the outputs.
"""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.scalars import get, get_int, put
from residua.engines.numba.kernels.primitives.vector import inline, store, zero

PARTS, ROWS, TABLE, COLUMNS, RATE, NUMBERS, STARTS = 0, 1, 2, 3, 4, 5, 10
COUNT, DECAY, FIRST = 0, 1, 2


@inline
def row_of(args, i):
    """The address of row i."""
    return args + 8 * (get_int(args, TABLE) + get_int(args, COLUMNS) * i)


@inline
def load_tail(a, first, count, target):
    """The last numbers of a, fewer than a vector, and zeros beyond them."""
    store(target, 0, zero())
    for i in range(first, count):
        put(target, i - first, get(a, i))


@inline
def store_tail(source, a, first, count):
    """Back to where they came from."""
    for i in range(first, count):
        put(a, i, get(source, i - first))
