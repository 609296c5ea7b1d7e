"""Winograd's convolution for many channels: the whole batch's tiles before one product for each place.

`winograd.forward` works picture by picture, and reads all transformed weights for every few tiles. From some
200 channels on these are megabytes, and main memory would set the pace. Here the batch goes through in three
steps, each a kernel of its own:

    scatter    pictures -> V, gradients -> M: 36 matrices of all tiles (parts: pictures)
    multiply   one product for each place and panel of columns: every weight is read once
    gather     M -> y, or V -> dx (parts: pictures)

The weights' gradient is one product V^T M a place, without partial sums: nothing to add up afterwards. With a
stride of 2 there are 81 places instead of 36, with tiles of 7x7 (`sevens`) 121, and those that share a weight
add up its gradient.

All matrices lie in panels of columns (`products.panels`).
"""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.pictures.shape import Shape
from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.vector import inline
from residua.engines.numba.kernels.products.blocks import BLOCK, DEEP, ROWS, pace_of
from residua.engines.numba.kernels.products.operands import Ahead, Left, Result, Right, Size
from residua.engines.numba.kernels.products.panels import panels_of, width_of
from residua.engines.numba.kernels.products.product import product_ahead
from residua.engines.numba.kernels.products.transposed import Block, Panels, product_transposed
from residua.engines.numba.kernels.winograd.tiles import THREE, along_of
from residua.engines.numba.kernels.winograd.transforms import PATCH
from residua.engines.numba.kernels.winograd.transforms_of_seven import ALONG as SEVENS
from residua.engines.numba.kernels.winograd.whole_batch import gathering, gathering_gradient, scattering


def tile_of(shape: Shape) -> int:
    """Pixels of output along each side of a tile."""
    return along_of(shape.kernel) + 1 - shape.kernel


def tiles_of(shape: Shape, tile: int = 0) -> tuple[int, int]:
    """A picture's tiles, down and to the right; of so many pixels, if not of the usual ones."""
    tile = tile or tile_of(shape)
    return -(-shape.out_height // tile), -(-shape.out_width // tile)


def rounded_tiles(tiles: int) -> int:
    """Rows of V and M for so many tiles: these, and what the last block of a product needs."""
    block = ROWS if tiles <= ROWS else BLOCK
    return -(-tiles // block) * block


def tile_count(shape: Shape, tile: int = 0) -> int:
    """Tiles of all pictures."""
    down, right = tiles_of(shape, tile)
    return shape.batch * down * right


def scatter_scratch(shape: Shape, tile: int = 0) -> int:
    """Floats of scratch that any of the kernels needs."""
    tile, rim, c, k = tile or tile_of(shape), shape.kernel - 1, shape.c, shape.k
    (down, right), side = tiles_of(shape, tile), tile * shape.stride
    picture = (side * down + rim) * (side * right + rim) * c
    return 2 * picture + tile * down * tile * right * k + 2 * max(c, k) + tile * tile * k + 256


class Multiply(NamedTuple):
    """What `multiply` and `multiply_transposed` are given.

    shares: of the columns. rows, columns, inner: of the product. a, b, c: the matrices, and how far their
    places are apart. tiles: rows of V and M as they lie. along: places along a tile's side. of_weights: along
    a side of the weights' transform. added: whether to what lies there.
    """

    parts: int
    shares: int
    rows: int
    columns: int
    inner: int
    a: int
    b: int
    c: int
    a_places: int
    b_places: int
    c_places: int
    tiles: int
    along: int
    of_weights: int
    added: int


_multiply = reader(Multiply)


@inline
def _weight_along(place, along, count):
    """Which of so many weights is multiplied at one of the places along a side."""
    if along == SEVENS and place >= PATCH:
        return place - PATCH + 1
    return min(place, count - 1)


@inline
def _places_along(weight, along, count):
    """The places along a side that a weight is multiplied at: the first, the end, and how far apart."""
    if along == SEVENS:
        return weight, along if weight > 0 else 1, PATCH - 1
    return weight, along if weight == count - 1 else weight + 1, 1


def multiply(l0, l1, l2, l3, args, part, scratch):
    """C_p = A_p B_w for this part's place p, its weights w and panels of columns."""
    p = _multiply(args)
    rows, inner = p.rows, p.inner
    place, panel, deep = part // p.shares, width_of(p.columns), width_of(inner)
    a = p.a + 4 * place * p.a_places
    along, count = p.along, p.of_weights
    weights = count * _weight_along(place // along, along, count) + _weight_along(place % along, along, count)
    b = p.b + 4 * weights * p.b_places
    c = p.c + 4 * place * p.c_places
    first, last = panels_of(p.columns, panel, part % p.shares, p.shares)
    for column in range(first, last, panel):
        for depth in range(0, inner, DEEP):
            steps = min(DEEP, inner - depth)
            at = column * inner + depth * panel
            lines = steps * panel // 16 * BLOCK // rows + 1
            # B is one stream: what comes next is on its way while these rows are multiplied.
            pace = pace_of(lines, BLOCK, panel, steps)
            for row in range(0, rows, BLOCK):
                product_ahead(
                    Left(a + 4 * (depth * rows + row * deep), deep, deep * rows, 1),
                    Right(b + 4 * at, deep * panel, panel),
                    Result(c + 4 * (column * rows + row * panel), panel),
                    Size(min(BLOCK, rows), panel, steps // deep, deep),
                    depth,
                    Ahead(b + 4 * (at + steps * panel + row // BLOCK * 16 * lines), pace),
                )


def multiply_transposed(l0, l1, l2, l3, args, part, scratch):
    """C_w = the sum of A_p^T B_p over the places p that are multiplied with weights w.

    Rows and columns are those of C. The last weights, with most places, come first.
    """
    p = _multiply(args)
    rows, inner, along, count, added = p.rows, p.inner, p.along, p.of_weights, p.added != 0
    weights, panel, wide = count * count - 1 - part // p.shares, width_of(p.columns), width_of(rows)
    c = p.c + 4 * weights * p.c_places
    first, last = panels_of(p.columns, panel, part % p.shares, p.shares)
    top, bottom, down = _places_along(weights // count, along, count)
    left, right, across = _places_along(weights % count, along, count)
    for column in range(first, last, panel):
        for i in range(top, bottom, down):
            for j in range(left, right, across):
                a = Panels(p.a + 4 * (i * along + j) * p.a_places, p.tiles, wide)
                b = Panels(p.b + 4 * (i * along + j) * p.b_places, p.tiles, panel)
                for depth in range(0, inner, DEEP):
                    steps, accumulate = min(DEEP, inner - depth), added or i > top or j > left or depth > 0
                    # The next block of C is on its way: few tiles, and most time goes into writing it.
                    pace = pace_of(wide * panel // 16 + 1, wide, panel, steps)
                    for row in range(0, rows, wide):
                        to = c + 4 * (column * rows + row * panel)
                        block = Block(row, wide, column, depth, steps)
                        ahead = Ahead(to + 4 * wide * panel, pace)
                        product_transposed(a, b, Result(to, panel), block, accumulate, ahead)


_scatter, _gather, _gather_gradient = scattering(THREE), gathering(THREE), gathering_gradient(THREE)


def scatter(c, k, what, stride, args, part, scratch):
    """V[place, tile, c] = B^T x B; with BOTH also M[place, tile, k] = A dy A^T."""
    _scatter(c, k, what, stride, args, part, scratch)


def gather(c, k, statistics, stride, args, part, scratch):
    """y from M, with the sums of y and its squares, or with bias and ReLU."""
    _gather(c, k, statistics, stride, args, part, scratch)


def gather_gradient(c, k, l2, stride, args, part, scratch):
    """dx from V, finished as it leaves."""
    _gather_gradient(c, k, l2, stride, args, part, scratch)
