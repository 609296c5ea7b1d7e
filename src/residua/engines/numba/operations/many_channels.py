"""Many channels on the host's side: products of the whole batch, for Winograd's way and 1x1 convolutions."""

from __future__ import annotations

from math import isqrt
from typing import Any

from numpy.typing import NDArray

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pointwise import backward as pointwise
from residua.engines.numba.kernels.winograd import many_channels as winograd_many
from residua.engines.numba.kernels.winograd.tiles import GAP, place_count
from residua.engines.numba.kernels.winograd.transforms import PLACES
from residua.engines.numba.planning.convolution import Plan
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context

Array = NDArray[Any]
SHARE = 256  # rows or columns of a product that are a part of their own


def _matrices(context: Context, p: Plan, channels: int) -> Array:
    return context.allocate(place_count(p.stride) * (p.chunk * channels + GAP))


def _multiply(
    context: Context, kernel: Any, p: Plan, matrices: tuple[int, ...], distances: tuple[int, ...],
    sizes: tuple[int, ...],
) -> None:  # fmt: skip
    """A product for every place, or for all weights. `sizes`: rows, columns, inner."""
    shares, places = max(1, sizes[1] // SHARE), place_count(p.stride)
    parts = shares * (places if kernel is winograd_many.multiply else PLACES)
    context.run(kernel, (parts, shares, *sizes, *matrices, *distances, p.chunk, isqrt(places)), parts)


def forward(context: Context, block: Array, p: Plan, statistics: bool) -> None:
    """y, and its sums with `statistics`."""
    v, m = _matrices(context, p, p.c), _matrices(context, p, p.k)
    block[pictures.V], block[pictures.M] = address_of(v), address_of(m)
    context.run(
        winograd_many.scatter, block, p.parts, (p.c, p.k, winograd_many.X_ONLY, p.stride), False, p.scratch
    )
    xv, xm = p.chunk * p.c + GAP, p.chunk * p.k + GAP
    matrices, distances = (address_of(v), int(block[pictures.WEIGHT]), address_of(m)), (xv, p.weights, xm)
    _multiply(context, winograd_many.multiply, p, matrices, distances, (p.chunk, p.k, p.c))
    context.run(winograd_many.gather, block, p.parts, (p.c, p.k, int(statistics), p.stride), False, p.scratch)


def backward(context: Context, block: Array, p: Plan, want_dx: bool, want_dweight: bool) -> None:
    """dx and dU."""
    v, m = _matrices(context, p, p.c), _matrices(context, p, p.k)
    block[pictures.V], block[pictures.M] = address_of(v), address_of(m)
    literals = (p.c, p.k, winograd_many.BOTH, p.stride)
    context.run(winograd_many.scatter, block, p.parts, literals, False, p.scratch)
    xv, xm = p.chunk * p.c + GAP, p.chunk * p.k + GAP
    if want_dweight:
        matrices = address_of(v), address_of(m), int(block[pictures.WEIGHT_GRADIENT])
        kernel, distances = winograd_many.multiply_transposed, (xv, xm, p.weights)
        _multiply(context, kernel, p, matrices, distances, (p.c, p.k, p.tiles))
    if want_dx:
        matrices, distances = (address_of(m), int(block[pictures.WEIGHT]), address_of(v)), (xm, p.weights, xv)
        _multiply(context, winograd_many.multiply, p, matrices, distances, (p.chunk, p.c, p.k))
        context.run(winograd_many.gather_gradient, block, p.parts, literals, False, p.scratch)


def spread(context: Context, block: Array, p: Plan) -> tuple[Array, Array]:
    """Room for x and dy of all pixels in panels."""
    # What the last block of rows reads beyond the last pixel is ignored.
    pixels = p.count * p.height * p.width + GAP
    x, dy = context.allocate(pixels * p.c), context.allocate(pixels * p.k)
    block[pictures.V], block[pictures.M] = address_of(x), address_of(dy)
    return x, dy


def multiply_weights(context: Context, p: Plan, spread: tuple[Array, Array], dweight: Array) -> None:
    """dweight of a 1x1 convolution, from `spread` when the kernel has filled it."""
    down, across = -(-p.c // SHARE), -(-p.k // SHARE)
    if down * across < context.thread_pool.threads:  # no sum depends on it
        across *= 2
    matrices, pixels = map(address_of, (*spread, dweight)), p.count * p.height * p.width
    arguments = (down * across, across, down, p.c, p.k, pixels, *matrices)
    context.run(pointwise.multiply_weights, arguments, down * across)
