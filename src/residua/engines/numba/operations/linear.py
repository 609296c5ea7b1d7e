"""Linear layers: a matrix product forward, two backward, the second when its result is read."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from residua.engines.numba.kernels.linear import product
from residua.engines.numba.kernels.primitives.vector import WIDTH
from residua.engines.numba.kernels.products.blocks import ROWS
from residua.engines.numba.kernels.products.few_rows import FEW, rows_together
from residua.engines.numba.lazy.materialize import on_arrays, plain, promise
from residua.engines.numba.runtime.arrays import contiguous, fitted, kernels_accept
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import MOST_PARTS
from residua.engines.vocabulary.core import Saved
from residua.errors import ShapeError

Array = NDArray[Any]
LEAST_PARTS = 4  # so that a few threads find work
LONG = 512  # columns
SUMS = 4096  # of few rows that a part has at a time


def linear(context: Context, x: Any, weight: Array, bias: Array | None) -> tuple[Any, Saved]:
    """x @ weight + bias: (N, in) -> (N, out)."""
    x = plain(context, x)
    if not kernels_accept(x, weight, bias) or x.ndim != 2:
        result: tuple[Any, Saved] = on_arrays(context, context.reference.linear, x, weight, bias)
        return result
    if x.shape[1] != weight.shape[0]:
        raise ShapeError(f"a linear layer over {weight.shape[0]} features was given {tuple(x.shape)}")
    x, weight = contiguous(context, x), contiguous(context, weight)
    (count, inputs), outputs = x.shape, weight.shape[1]
    wide = _panel_columns(outputs)
    columns = fitted(context, weight, inputs, wide)
    offsets = None if bias is None else fitted(context, contiguous(context, bias), wide)
    y = context.allocate(count * wide)
    parts = _forward_parts(wide, count, context.thread_pool.threads)
    block = product.Forward(
        parts, count, inputs, wide, address_of(x), address_of(columns),
        0 if offsets is None else address_of(offsets), address_of(y),
    )  # fmt: skip
    context.run(product.forward, block, parts, scratch=product.forward_scratch(count, inputs, wide, parts))
    return fitted(context, y.reshape(count, wide), count, outputs), (x, columns)


def linear_backward(context: Context, dy: Any, weight: Array, saved: Saved) -> tuple[Any, Any, Any]:
    """Gradients dx, dweight, dbias of `linear`."""
    if not isinstance(saved, tuple):
        function = context.reference.linear_backward
        result: tuple[Any, Any, Any] = on_arrays(context, function, dy, weight, saved)
        return result
    x, columns = saved
    (count, inputs), outputs, wide = x.shape, weight.shape[1], columns.shape[1]
    dy = fitted(context, contiguous(context, plain(context, dy)), count, wide)
    dx = promise(context, x.shape, lambda: _input_gradient(context, dy, columns, count, inputs))
    if context.inputs_only:
        return dx, None, None
    long = _panel_columns(inputs)
    rows = fitted(context, x, count, long)
    dweight, dbias = context.allocate(long * wide), context.allocate(wide)
    parts = _parts(wide)
    block = product.WeightGradient(
        parts, count, long, wide, address_of(rows), address_of(dy), address_of(dweight),
        address_of(dbias),
    )  # fmt: skip
    context.run(product.weight_gradient, block, parts)
    return (
        dx,
        fitted(context, dweight.reshape(long, wide), inputs, outputs),
        fitted(context, dbias, outputs),
    )


def _input_gradient(context: Context, dy: Array, columns: Array, count: int, inputs: int) -> Array:
    wide, long = columns.shape[1], _panel_columns(inputs)
    columns = fitted(context, columns, long, wide)
    dx = context.allocate(count * long)
    parts = _parts(long)
    addresses = address_of(dy), address_of(columns), address_of(dx)
    block = product.InputGradient(parts, count, long, wide, *addresses)
    scratch = (product.PANEL + ROWS) * wide + ROWS * product.PANEL
    context.run(product.input_gradient, block, parts, scratch=scratch)
    return fitted(context, dx.reshape(count, long), count, inputs)


def _panel_columns(columns: int) -> int:
    """So many columns, or what the kernels need at the least: whole panels, or one vector or panel."""
    if columns <= WIDTH:
        return WIDTH
    return max(columns, product.PANEL)


def _forward_parts(columns: int, count: int, threads: int) -> int:
    """Few enough that each reads long pieces of the weight's rows; no sum depends on it.

    Of few rows, as long as their sums stay in the first-level cache: measured with one row of 4,096 columns,
    pieces of 512, 1,024, 2,048 and 4,096 come from memory at 0.52, 0.65, 0.80 and 0.95 of a pure read's rate.
    """
    few = count <= FEW
    parts = max(threads, columns * rows_together(count) // SUMS) if few else max(LEAST_PARTS, columns // LONG)
    return min(_parts(columns), parts)


def _parts(columns: int) -> int:
    return min(MOST_PARTS, -(-columns // product.PANEL))
