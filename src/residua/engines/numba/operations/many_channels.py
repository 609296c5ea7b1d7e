"""Many channels on the host's side: products of the whole batch, for Winograd's way and 1x1 convolutions."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pointwise import backward as pointwise
from residua.engines.numba.kernels.winograd import five_taps, sevens, two_taps
from residua.engines.numba.kernels.winograd import many_channels as kernels
from residua.engines.numba.kernels.winograd.tiles import GAP
from residua.engines.numba.kernels.winograd.transforms_of_seven import TILE as SEVEN
from residua.engines.numba.kernels.winograd.whole_batch import BOTH, X_ONLY
from residua.engines.numba.planning.plan import Group, Plan
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import suited

Array = NDArray[Any]
BY_TAPS: dict[int, Any] = {2: two_taps, 3: kernels, 5: five_taps}
SHARE = 256  # rows or columns of a product that are a part of their own


def _shares(size: int) -> int:
    """Into how many parts so many rows or columns of a product are cut; no sum depends on it."""
    return -(-size // SHARE)


def _matrices(context: Context, block: Array, p: Plan) -> tuple[Array, Array]:
    """Room for V and M of a group's tiles."""
    places = p.along**2
    v, m = (context.allocate(places * (p.cut.chunk * c + GAP)) for c in (p.shape.c, p.shape.k))
    block[pictures.V], block[pictures.M] = address_of(v), address_of(m)
    return v, m


def _run(context: Context, kernel: str, block: Array, p: Plan, option: int, group: Group) -> None:
    """One of the kernels whose parts are pictures."""
    s = p.shape
    block = block.copy()
    block[pictures.PARTS_BEFORE], block[pictures.TILES_BEFORE] = group.part, group.tile
    family = sevens if p.tile == SEVEN else BY_TAPS[s.kernel]
    function = suited(getattr(family, kernel), s.c, s.k)
    context.run(function, block, group.parts, (s.c, s.k, option, s.stride), False, p.forward.scratch)


def _multiply(context: Context, p: Plan, sizes: tuple[int, int], a: Array, b: int, c: Array) -> None:
    """A product for every place, all tiles by the weights at b. `sizes`: its columns and steps."""
    columns, inner = sizes
    shares, places, rows = _shares(columns), p.along**2, p.cut.chunk
    arguments = kernels.Multiply(
        parts=shares * places, shares=shares, rows=rows, columns=columns, inner=inner,
        a=address_of(a), b=b, c=address_of(c),
        a_places=rows * inner + GAP, b_places=p.weights, c_places=rows * columns + GAP,
        tiles=rows, along=p.along, of_weights=p.weights_along, added=0,
    )  # fmt: skip
    context.run(suited(kernels.multiply, columns, inner), arguments, arguments.parts)


def _multiply_transposed(context: Context, p: Plan, v: Array, m: Array, du: int, group: Group) -> None:
    """dU at every place of the weights, added to that of the groups before."""
    c, k, rows = p.shape.c, p.shape.k, p.cut.chunk
    shares = _shares(k)
    arguments = kernels.Multiply(
        parts=shares * p.weight_places, shares=shares, rows=c, columns=k, inner=group.tiles,
        a=address_of(v), b=address_of(m), c=du,
        a_places=rows * c + GAP, b_places=rows * k + GAP, c_places=p.weights,
        tiles=rows, along=p.along, of_weights=p.weights_along, added=int(group.part > 0),
    )  # fmt: skip
    context.run(suited(kernels.multiply_transposed, c, k), arguments, arguments.parts)


def forward(context: Context, block: Array, p: Plan, statistics: bool) -> None:
    """y, and its sums with `statistics`."""
    v, m = _matrices(context, block, p)
    for group in p.groups(int(block[pictures.PARTS]), by_rows=not statistics):
        _run(context, "scatter", block, p, X_ONLY, group)
        _multiply(context, p, (p.shape.k, p.shape.c), v, int(block[pictures.WEIGHT]), m)
        _run(context, "gather", block, p, int(statistics), group)


def backward(context: Context, block: Array, p: Plan, want_dx: bool, want_dweight: bool) -> None:
    """dx and dU."""
    v, m = _matrices(context, block, p)
    for group in p.groups(int(block[pictures.PARTS]), by_rows=False):
        _run(context, "scatter", block, p, BOTH, group)
        if want_dweight:
            _multiply_transposed(context, p, v, m, int(block[pictures.WEIGHT_GRADIENT]), group)
        if want_dx:
            _multiply(context, p, (p.shape.c, p.shape.k), m, int(block[pictures.WEIGHT]), v)
            _run(context, "gather_gradient", block, p, BOTH, group)


def spread(context: Context, block: Array, p: Plan) -> tuple[Array, Array]:
    """Room for x and dy of all pixels in panels."""
    # What the last block of rows reads beyond the last pixel is ignored.
    pixels = p.shape.pixels + GAP
    x, dy = context.allocate(pixels * p.shape.c), context.allocate(pixels * p.shape.k)
    block[pictures.V], block[pictures.M] = address_of(x), address_of(dy)
    return x, dy


def multiply_weights(context: Context, p: Plan, spread: tuple[Array, Array], dweight: Array) -> None:
    """dweight of a 1x1 convolution, from `spread` when the kernel has filled it."""
    down, across = _shares(p.shape.c), _shares(p.shape.k)
    if down * across < context.thread_pool.threads:
        across *= 2
    x, dy = map(address_of, spread)
    arguments = pointwise.MultiplyWeights(
        parts=down * across, across=across, down=down, c=p.shape.c, k=p.shape.k, pixels=p.shape.pixels,
        x=x, dy=dy, dweight=address_of(dweight),
    )  # fmt: skip
    context.run(suited(pointwise.multiply_weights, p.shape.c, p.shape.k), arguments, arguments.parts)
