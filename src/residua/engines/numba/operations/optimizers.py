"""Operations on all variables of a network at once: averages, norms, the steps of the optimisers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.updates import optimizers as updates
from residua.engines.numba.kernels.updates import reductions, table
from residua.engines.numba.lazy.materialize import on_arrays, plain
from residua.engines.numba.runtime.arrays import contiguous, kernels_accept
from residua.engines.numba.runtime.buffers import ALIGNMENT
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context, double
from residua.engines.numba.runtime.layout import MOST_PARTS

Array = NDArray[Any]
Arrays = Sequence[Any]
PIECE = 1 << 14  # numbers
MOST_PIECES = 16  # of one array
LINE = ALIGNMENT // 4


@dataclass(frozen=True)
class _Layout:
    """How arrays of some sizes are cut into pieces, and the pieces into parts."""

    arrays: Array  # of each piece, the number of its array
    offsets: Array  # its first number there
    counts: Array  # how many numbers it has
    starts: Array  # the first piece of each part
    positions: Array  # where each array begins if all lie in a flat one; last, how long that is
    parts: int


@lru_cache(maxsize=256)
def _layout(sizes: tuple[int, ...]) -> _Layout:
    arrays, offsets, counts = [], [], []
    for number, size in enumerate(sizes):
        piece = max(PIECE, -(-size // MOST_PIECES))
        piece = -(-piece // LINE) * LINE
        for first in range(0, size, piece):
            arrays.append(number)
            offsets.append(first)
            counts.append(min(piece, size - first))
    parts = max(1, min(MOST_PARTS, sum(sizes) // PIECE, len(arrays)))
    done = np.concatenate([[0], np.cumsum(counts)])
    starts = np.searchsorted(done, np.arange(parts + 1) * done[-1] / parts).astype(np.int64)
    starts[-1] = len(arrays)
    positions = np.concatenate([[0], np.cumsum([-(-size // LINE) * LINE for size in sizes])])
    return _Layout(
        np.array(arrays, np.int64),
        np.array(offsets, np.int64),
        np.array(counts, np.int64),
        starts,
        positions.astype(np.int64),
        parts,
    )


# ---------------------------------------------------------------------- the vocabulary
def mix(context: Context, old: Arrays, new: Arrays, share: Any) -> list[Array]:
    """(1 - share) old + share new, one by one."""
    arrays = _kernel_arrays(context, [*old, *new])
    if arrays is None:
        result: list[Array] = on_arrays(context, context.reference.mix, old, new, share)
        return result
    pairs = (arrays[: len(old)], arrays[len(old) :])
    return _update(context, updates.MIX, pairs, 1, plain(context, share))[0]


def scale(context: Context, arrays: Arrays, factor: Any) -> list[Array]:
    """Each array times the factor."""
    ready = _kernel_arrays(context, arrays)
    if ready is None:
        result: list[Array] = on_arrays(context, context.reference.scale, arrays, factor)
        return result
    return _update(context, updates.SCALE, (ready,), 1, plain(context, factor))[0]


def norm(context: Context, arrays: Arrays) -> Array:
    """The Euclidean norm of all numbers together."""
    ready = _kernel_arrays(context, arrays)
    if ready is None:
        result: Array = on_arrays(context, context.reference.norm, arrays)
        return result
    return _reduce(context, reductions.SQUARES, ready)


def finite(context: Context, arrays: Arrays) -> Array:
    """Whether every number of every array is finite."""
    # Whole numbers are always finite.
    floating = [array for array in (plain(context, array) for array in arrays) if array.dtype.kind == "f"]
    ready = _kernel_arrays(context, floating)
    if ready is None:
        result: Array = on_arrays(context, context.reference.finite, floating)
        return result
    return _reduce(context, reductions.ZEROS, ready)


def sgd(
    context: Context,
    /,
    weights: Arrays,
    velocities: Arrays,
    gradients: Arrays,
    rate: Any,
    *,
    decays: Sequence[float],
    **options: Any,
) -> tuple[list[Array], ...]:
    """One step of stochastic gradient descent: weights, velocities."""
    arrays = (weights, velocities, gradients)
    ready, rate = _ready(context, arrays), plain(context, rate)
    if ready is None:
        return _by_reference(context, context.reference.sgd, arrays, rate, decays, options)
    numbers = (double(options["momentum"]), double(options["nesterov"]))
    return _update(context, updates.SGD, ready, 2, rate, numbers, decays, options["decoupled"])


def adam(
    context: Context,
    /,
    weights: Arrays,
    firsts: Arrays,
    seconds: Arrays,
    gradients: Arrays,
    rate: Any,
    *,
    decays: Sequence[float],
    **options: Any,
) -> tuple[list[Array], ...]:
    """One step of Adam: weights, first and second moments."""
    count = context.number(plain(context, options["count"]), np.int64)
    arrays = (weights, firsts, seconds, gradients)
    ready, rate = _ready(context, arrays), plain(context, rate)
    if ready is None:
        options = options | {"count": count}
        return _by_reference(context, context.reference.adam, arrays, rate, decays, options)
    numbers = (*(double(options[name]) for name in ("beta1", "beta2", "eps")), address_of(count))
    return _update(context, updates.ADAM, ready, 3, rate, numbers, decays, options["decoupled"])


def rmsprop(
    context: Context,
    /,
    weights: Arrays,
    squares: Arrays,
    velocities: Arrays,
    gradients: Arrays,
    rate: Any,
    *,
    decays: Sequence[float],
    **options: Any,
) -> tuple[list[Array], ...]:
    """One step of RMSprop: weights, squares, velocities."""
    arrays = (weights, squares, velocities, gradients)
    ready, rate = _ready(context, arrays), plain(context, rate)
    if ready is None:
        return _by_reference(context, context.reference.rmsprop, arrays, rate, decays, options)
    numbers = tuple(double(options[name]) for name in ("alpha", "momentum", "eps"))
    return _update(context, updates.RMSPROP, ready, 3, rate, numbers, decays, options["decoupled"])


# ---------------------------------------------------------------------- what they have in common
def _by_reference(
    context: Context,
    function: Callable[..., Any],
    arrays: tuple[Arrays, ...],
    rate: Any,
    decays: Sequence[float],
    options: dict[str, Any],
) -> tuple[list[Array], ...]:
    result: tuple[list[Array], ...] = on_arrays(context, function, *arrays, rate, decays=decays, **options)
    return result


def _ready(context: Context, arrays: tuple[Arrays, ...]) -> list[list[Array]] | None:
    """`_kernel_arrays` of each list; None where one is of another kind."""
    ready = [_kernel_arrays(context, some) for some in arrays]
    return None if None in ready else ready  # type: ignore[return-value]


def _kernel_arrays(context: Context, arrays: Arrays) -> list[Array] | None:
    """The arrays as a kernel can read them; None where one is of another kind."""
    values = [plain(context, array) for array in arrays]
    if not values or not all(isinstance(value, np.ndarray) for value in values):
        return None
    return [contiguous(context, value) for value in values] if kernels_accept(*values) else None


def _block(
    columns: Sequence[Any], decays: Array, sizes: tuple[int, ...], numbers: Sequence[int]
) -> tuple[Array, int]:
    """A kernel's block and its parts. `columns`: addresses, those of each array in every one."""
    layout = _layout(sizes)
    width = table.FIRST + len(columns)
    rows = np.empty((len(layout.arrays), width), np.int64)
    rows[:, table.COUNT] = layout.counts
    rows[:, table.DECAY] = decays.view(np.int64)[layout.arrays]
    for column, addresses in enumerate(columns, start=table.FIRST):
        rows[:, column] = np.asarray(addresses, np.int64)[layout.arrays] + 4 * layout.offsets
    head = np.zeros(table.STARTS + len(layout.starts), np.int64)
    head[:4] = layout.parts, len(layout.arrays), len(head), width
    head[4 : 4 + len(numbers)] = numbers
    head[table.STARTS :] = layout.starts
    return np.concatenate([head, rows.reshape(-1)]), layout.parts


def _update(
    context: Context,
    rule: int,
    arrays: Sequence[Sequence[Array]],
    outputs: int,
    rate: Any,
    numbers: Sequence[int] = (),
    decays: Sequence[float] = (),
    decoupled: bool = False,
) -> tuple[list[Array], ...]:
    """One kernel over all arrays; the results lie in one flat array for every output."""
    sizes = tuple(array.size for array in arrays[0])
    positions = _layout(sizes).positions
    results = [context.allocate(int(positions[-1])) for _ in range(outputs)]
    columns: list[Any] = [[address_of(array) for array in column] for column in arrays]
    columns += [address_of(flat) + 4 * positions[:-1] for flat in results]
    rate = context.number(rate)
    decay = np.array(decays or np.zeros(len(sizes)), np.float64)
    block, parts = _block(columns, decay, sizes, (address_of(rate), *numbers))
    context.run(updates.update, block, parts, (rule, len(arrays), outputs, int(decoupled)), True)
    return tuple(
        [
            flat[first : first + array.size].reshape(array.shape)
            for array, first in zip(arrays[0], positions, strict=False)
        ]
        for flat in results
    )


def _reduce(context: Context, kind: int, arrays: list[Array]) -> Array:
    """One number from all arrays: a partial result of each piece, then of these."""
    sizes = tuple(array.size for array in arrays)
    pieces = len(_layout(sizes).arrays)
    partial, result = context.allocate(pieces, np.float64), context.allocate(1)
    addresses = [list(map(address_of, arrays))]
    block, parts = _block(addresses, np.zeros(len(sizes)), sizes, (address_of(partial),))
    context.run(reductions.reduce_pieces, block, parts, (kind, 0, 0, 0), True)
    last = reductions.Combine(1, pieces, address_of(partial), address_of(result))
    context.run(reductions.combine, last, 1, (kind, 0, 0, 0), True)
    return result.reshape(())
