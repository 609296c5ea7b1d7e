"""Which way a convolution is computed, and how the work is cut up: the one place where that is decided.

Everything here depends on shapes and the processor, never on the number of threads, so that results do not.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from residua.engines.numba.kernels.direct import backward as direct_backward
from residua.engines.numba.kernels.direct import forward as direct
from residua.engines.numba.kernels.im2col import backward as im2col_backward
from residua.engines.numba.kernels.im2col import forward as im2col
from residua.engines.numba.kernels.pictures.shape import Cut, Shape
from residua.engines.numba.kernels.pointwise import backward as pointwise
from residua.engines.numba.kernels.primitives.vector import WIDTH
from residua.engines.numba.kernels.products.blocks import rounded_up
from residua.engines.numba.kernels.winograd import backward as winograd_backward
from residua.engines.numba.kernels.winograd import forward as winograd
from residua.engines.numba.kernels.winograd import many_channels
from residua.engines.numba.kernels.winograd.transforms import TILE
from residua.engines.numba.planning.plan import DIRECT, IM2COL, LEAST_GATHERED, WINOGRAD, Pass, Plan
from residua.engines.numba.runtime.layout import LANES, MOST_PARTS
from residua.engines.numba.runtime.processor import second_level_cache
from residua.engines.numpy.convolution import output_size

MOST_WEIGHTS = 128 * 128  # of one tap, that Winograd's way takes picture by picture
MOST_PIXELS = 64  # of a 1x1 convolution at a time: measured with 16 to 2,048 channels
PARTIAL_BYTES = 5 * 2**20  # of all parts' weight gradients together
HEAVY_BYTES, HEAVY_PARTS = 2**17, 8  # of one, from where on half as many parts save more than they cost
GATHERED = 80 * 1024  # floats of windows gathered at a time: what fits beside the rest into the cache
MOST_GATHERED = 512 * 1024  # of one picture: beyond the cache, but the weights are read less often
FEW_GATHERED = 8  # pictures that are worth packing the weight for
TRANSFORMING = 700  # multiplications of a weight that take as long as transforming it, there and back
STRAIGHT = 0.85  # of a multiplication in gathered windows is what one with its transforms takes
LEAST_PARTS = 4  # so that a few threads find work


@lru_cache(maxsize=1024)
def pixel_rows(pixels: int, widest: int) -> tuple[int, int, int]:
    """So many pixels as pictures of one row; `widest` is the larger of the numbers of channels in and out.

    Where they are read as they lie, rows of many channels share places of the first-level cache: half as many
    pixels then.
    """
    most = MOST_PIXELS // 2 if pointwise.NARROW // 2 < widest <= pointwise.NARROW else MOST_PIXELS
    fitting = [width for width in range(1, min(most, pixels) + 1) if pixels % width == 0]
    # Rows of products come in eights; short rows read the weights too often.
    width = max(fitting, key=lambda width: width * width / rounded_up(width))
    if width < 16:
        width = pixels
    return pixels // width, 1, width


def _chunk(weights: int, stride: int) -> int:
    """Tiles whose products are made at once, for so many weights of one tap.

    16 rows fill the registers of 16 channels. With more channels a few tiles are best, which with their strip
    of the picture stay in the second-level cache, as long as the weights' transforms do so too; where they
    outgrow it, they must serve more tiles each time that they are read. Measured with caches of 512 KB,
    1 MB and 2 MB. With a stride of 2 a tile has twice the places.
    """
    if weights <= 16 * 16:
        return 16
    large = second_level_cache() >= 2**21
    if weights > (64 * 64 if large else 32 * 32):
        tiles = 32
    else:
        tiles = 16 if WIDTH == 16 and not large else 8
    return max(8, tiles // stride)


def _winograd_cut(shape: Shape) -> Cut:
    """Some tiles of one picture, or some small pictures."""
    chunk = _chunk(shape.c * shape.k, shape.stride)
    down, right = -(-shape.out_height // TILE), -(-shape.out_width // TILE)
    if down * right > chunk:
        return Cut(1, max(1, chunk // right), chunk)
    return Cut(max(1, min(-(-shape.batch // LEAST_PARTS), chunk // (down * right))), down, chunk)


def _im2col_cut(shape: Shape) -> Cut:
    """Some small pictures, or rows of outputs of one, evenly cut."""
    pixels = shape.out_height * shape.out_width
    group = max(1, min(GATHERED // (pixels * shape.window), -(-shape.batch // LEAST_PARTS)))
    if group > 1:
        return Cut(group, shape.out_height)
    most = max(1, MOST_GATHERED // (shape.out_width * shape.window))
    return Cut(1, -(-shape.out_height // -(-shape.out_height // most)))


def _power(limit: int) -> int:
    return 1 << limit.bit_length() - 1


def gathers(shape: Shape) -> bool:
    """Whether windows are gathered into a matrix: heavy weights, and some pictures."""
    heavy = shape.c % LANES == 0 and shape.c * shape.k >= LEAST_GATHERED
    return shape.kernel > 1 and heavy and shape.batch >= FEW_GATHERED


def transforms_pay(shape: Shape) -> bool:
    """Whether many weights with a stride of 2 are better transformed than multiplied with gathered windows.

    A tile takes 81 multiplications, a pixel 9, but small pictures leave much of a tile unused. Measured: 4x4
    pixels of 64 pictures in 0.83 of the time, of 16 pictures in 1.1; 14x14 of 8 in 0.91, 7x7 of 8 in 1.0.
    """
    return 81 * many_channels.tile_count(shape) + TRANSFORMING < STRAIGHT * 9 * shape.out_pixels


def _few_parts(p: Plan) -> int:
    """Every part's gradient by the weights has to be added up: a part should have some pictures."""
    size = 4 * p.partial_size
    few = min(
        p.forward.parts,
        _power(max(LEAST_PARTS, PARTIAL_BYTES // size)),
        max(LEAST_PARTS, p.shape.batch // 4),
    )
    return min(few, HEAVY_PARTS) if size > HEAVY_BYTES else few


@lru_cache(maxsize=1024)
def plan(count: int, height: int, width: int, c: int, k: int, kernel: int, stride: int, padding: int) -> Plan:
    """The plan for these shapes; ShapeError where the kernel does not fit into the picture."""
    out_height = output_size(height, kernel, stride, padding)
    out_width = output_size(width, kernel, stride, padding)
    shape = Shape(count, height, width, c, k, kernel, stride, padding, out_height, out_width)
    p = _all_parts(shape)
    if p.many_channels or p.at_once:
        return p
    return replace(p, backward=Pass(_few_parts(p), p.backward.scratch))


def _all_parts(shape: Shape) -> Plan:
    """The plan with as many parts backward as forward."""
    whole_vectors = shape.c % LANES == 0
    if shape.kernel == 3 and shape.stride <= 2 and whole_vectors:
        if shape.c * shape.k <= MOST_WEIGHTS:
            cut = _winograd_cut(shape)
            scratch = winograd.forward_scratch(shape, cut), winograd_backward.backward_scratch(shape, cut)
            return _plan(shape, WINOGRAD, cut, scratch)
        if shape.stride == 1 or transforms_pay(shape):
            cut, size = Cut(chunk=many_channels.rounded_tiles(shape)), many_channels.scatter_scratch(shape)
            return _plan(shape, WINOGRAD, cut, (size, size), many_channels=True)
    if gathers(shape):
        cut = _im2col_cut(shape)
        scratch = im2col.forward_scratch(shape, cut), im2col_backward.backward_scratch(shape, cut)
        return _plan(shape, IM2COL, cut, scratch)
    one_pixel = shape.kernel == shape.stride == 1 and shape.padding == 0 and whole_vectors
    backward = pointwise.backward_scratch if one_pixel else direct_backward.backward_scratch
    return _plan(shape, DIRECT, Cut(), (direct.forward_scratch(shape), backward(shape)), pointwise=one_pixel)


def _plan(shape: Shape, method: str, cut: Cut, scratch: tuple[int, int], **kind: bool) -> Plan:
    parts = min(MOST_PARTS, -(-shape.batch // cut.group))
    return Plan(shape, method, cut, Pass(parts, scratch[0]), Pass(parts, scratch[1]), **kind)
