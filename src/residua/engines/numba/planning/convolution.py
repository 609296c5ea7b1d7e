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
from residua.engines.numba.kernels.products.blocks import PANEL, ROWS, WIDE, rounded_up
from residua.engines.numba.kernels.winograd import backward as winograd_backward
from residua.engines.numba.kernels.winograd import forward as winograd
from residua.engines.numba.kernels.winograd import many_channels
from residua.engines.numba.kernels.winograd.many_channels import tiles_of
from residua.engines.numba.kernels.winograd.tiles import along_of
from residua.engines.numba.kernels.winograd.transforms import PLACES
from residua.engines.numba.kernels.winograd.transforms_of_seven import TILE as SEVEN
from residua.engines.numba.kernels.winograd.transforms_of_taps import POINTS
from residua.engines.numba.planning.plan import (
    DIRECT,
    IM2COL,
    LEAST_GATHERED,
    LEAST_PARTS,
    WINOGRAD,
    Pass,
    Plan,
    Sharing,
)
from residua.engines.numba.runtime.layout import MOST_PARTS, whole
from residua.engines.numba.runtime.processor import second_level_cache
from residua.engines.numpy.convolution import output_size

MOST_WEIGHTS = 128 * 128  # of one tap, that Winograd's way takes picture by picture
MOST_PIXELS = 64  # of a 1x1 convolution at a time: measured with 16 to 2,048 channels
MOST_IN_A_ROW, LEAST_UNUSED = 1024, 0.05  # pixels; and the share of a block's rows
PARTIAL_BYTES = 5 * 2**20  # of all parts' weight gradients together
HEAVY_WEIGHTS = 2**19  # bytes
HEAVY_BYTES, HEAVY_PARTS = 2**17, 8  # of one, from where on half as many parts save more than they cost
GATHERED = 80 * 1024  # floats of windows gathered at a time: what fits beside the rest into the cache
MOST_GATHERED = 512 * 1024  # of one picture: beyond the cache, but the weights are read less often
MANY = 64  # pictures, as a batch has in training
FEW_GATHERED = 8  # pictures that are worth packing the weight for
TRANSFORMING = 700  # multiplications of a weight that take as long as transforming it, there and back
STRAIGHT = 0.85  # of a multiplication in gathered windows is what one with its transforms takes
# Bytes of their tiles' transforms at a time: measured beside 8, 16, 32 and 64 MB. Weights' transforms that
# are larger are read anew for every so many tiles: then as many bytes as those have.
MATRICES = 4 * 2**20
# By fewer tiles or pixels, weights that outgrow the cache are longer read than multiplied. Measured from 48
# to 512 channels, 2x2 and 5x5: one picture takes 0.6 to 1.3 of the time, 64 of them 0.25 to 0.6.
MET = 8
LEAST_SEVENS = 32  # tiles of 7x7: measured with 8 in 1.06 of the time, with 32 in 0.95, with more in 0.85
MANY_PARTS = 8  # of heavy weights' columns, so that each thread reads weights of its own


@lru_cache(maxsize=1024)
def pixel_rows(pixels: int, widest: int, forward_alone: bool = False) -> tuple[int, int, int]:
    """So many pixels as pictures of one row; `widest` is the larger of the numbers of channels in and out.

    Where they are read as they lie, rows of many channels share places of the first-level cache: half as many
    pixels then. On the way forward alone few pixels are one row where others would leave blocks unused.
    """
    most = MOST_PIXELS // 2 if pointwise.NARROW // 2 < widest <= pointwise.NARROW else MOST_PIXELS
    fitting = [width for width in range(1, min(most, pixels) + 1) if pixels % width == 0]
    # Rows of products come in eights; short rows read the weights too often.
    width = max(fitting, key=lambda width: width * width / rounded_up(width))
    unused = rounded_up(width) / width - 1
    if width < 16 or (forward_alone and pixels <= MOST_IN_A_ROW and unused > LEAST_UNUSED):
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
    down, right = tiles_of(shape)
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
    return _heavy_window(shape) and shape.batch >= FEW_GATHERED


def _heavy_window(shape: Shape) -> bool:
    return shape.kernel > 1 and whole(shape.c) and shape.c * shape.k >= LEAST_GATHERED


def transforms_pay(shape: Shape) -> bool:
    """Whether many weights with a stride of 2 are better transformed than multiplied with gathered windows.

    A tile takes 81 multiplications, a pixel 9, but small pictures leave much of a tile unused. Measured: 4x4
    pixels of 64 pictures in 0.83 of the time, of 16 pictures in 1.1; 14x14 of 8 in 0.91, 7x7 of 8 in 1.0.
    """
    return 81 * many_channels.tile_count(shape) + TRANSFORMING < STRAIGHT * 9 * shape.out_pixels


def points_pay(shape: Shape, alone: bool) -> bool:
    """Whether a kernel of 2x2 or 5x5 is transformed: a tile takes 36 multiplications, or 49.

    Measured with 16 to 128 channels, 5x5 at 14x14 to 28x28 in 0.4 to 0.7 of the time, 2x2 at 16x16 and 31x31
    in 0.45 to 0.9, the least with most channels. alone: whether one picture of the batch decides.
    """
    if shape.kernel not in POINTS or shape.stride > 1:
        return False
    taps, tiles, pixels = shape.kernel**2, many_channels.tile_count(shape), shape.out_pixels
    places = along_of(shape.kernel) ** 2
    if alone:
        tiles, pixels = tiles // shape.batch, pixels // shape.batch
        met = MET if 4 * places * shape.c * shape.k > second_level_cache() else 1
        return places * max(tiles, met) < STRAIGHT * taps * max(pixels, met)
    return places * tiles + TRANSFORMING < STRAIGHT * taps * pixels


def _tile(shape: Shape) -> int:
    """Pixels along a tile's side, where not the usual ones: 7x7 where such tiles fit and are enough.

    They take 0.84 of the multiplications, but read every weight three times as often.
    """
    fits = shape.out_height % SEVEN == 0 and shape.out_width % SEVEN == 0
    few = many_channels.tile_count(shape, SEVEN) < LEAST_SEVENS
    return SEVEN if fits and shape.stride == 1 and not few else 0


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
def plan(shape: Shape) -> Plan:
    """The plan for the two ways of training on pictures of this shape."""
    p = _all_parts(shape)
    if p.many_channels or p.at_once:
        return p
    return replace(p, backward=Pass(_few_parts(p), p.backward.scratch))


@lru_cache(maxsize=1024)
def forward_plan(shape: Shape, kept: bool = True) -> Plan:
    """The plan for the way forward without sums: for one picture the same numbers as for any batch.

    Winograd's way and the others round differently, so how many pictures there are may choose only between
    ways that add up the same numbers in the same order. kept: whether the weights stay what they are, as
    those of a model that answers, perhaps for one picture; those in training meet many.
    """
    p = _all_parts(shape, forward_alone=True, kept=kept)
    return replace(p, sharing=_sharing(p))


def shape_of(
    count: int, height: int, width: int, c: int, k: int, kernel: int, stride: int, padding: int
) -> Shape:
    """A convolution's shape; ShapeError where the kernel does not fit into the picture."""
    out_height = output_size(height, kernel, stride, padding)
    out_width = output_size(width, kernel, stride, padding)
    return Shape(count, height, width, c, k, kernel, stride, padding, out_height, out_width)


def _rereads_transforms(shape: Shape) -> bool:
    """Whether the weights' transforms outgrow the cache, and are more than all tiles' transforms."""
    outgrow = 4 * PLACES * shape.c * shape.k > second_level_cache()
    return outgrow and many_channels.tile_count(shape) * (shape.c + shape.k) <= shape.c * shape.k


def _sharing(p: Plan) -> Sharing:
    s, panels = p.shape, -(-p.shape.k // WIDE)
    if p.method == WINOGRAD:
        down, right = tiles_of(s)
        rows = s.batch * down
        if p.many_channels:
            return Sharing(min(_parts_of_groups(p), rows))
        if p.cut.group > 1:
            return Sharing(p.forward.parts)
        parts = max(rows // p.cut.strip, min(LEAST_PARTS, rows * right // ROWS), 1)
        parts = min(MOST_PARTS, _power(parts))
        # Each transforms the patches anew: as few columns as a block of a product has, and no fewer.
        return Sharing(parts, max(1, min(-(-LEAST_PARTS // parts), s.k // PANEL)))
    if p.method == IM2COL:
        units = p.forward.parts if p.cut.group > 1 else s.batch * -(-s.out_height // p.cut.strip)
        units = min(MOST_PARTS, units)
        return Sharing(units, min(panels, -(-LEAST_PARTS // units)))
    blocks = direct.row_blocks(direct.output_rows(s.k, s.out_width))
    units = s.batch * (s.out_height if s.out_height > 1 else blocks)
    if 4 * s.window * s.k > HEAVY_WEIGHTS:
        across = min(panels, MANY_PARTS)
        return Sharing(min(units, MOST_PARTS // across), across)
    units = min(MOST_PARTS, units)
    return Sharing(units, min(panels, -(-LEAST_PARTS // units)))


def _all_parts(shape: Shape, forward_alone: bool = False, kept: bool = True) -> Plan:
    """The plan with as many parts backward as forward."""
    whole_vectors = whole(shape.c)
    if shape.kernel == 3 and shape.stride <= 2 and whole_vectors:
        few_weights = shape.c * shape.k <= MOST_WEIGHTS
        if few_weights and not (forward_alone and _rereads_transforms(shape)):
            cut = _winograd_cut(shape)
            scratch = winograd.forward_scratch(shape, cut), winograd_backward.backward_scratch(shape, cut)
            return _plan(shape, WINOGRAD, cut, scratch)
        if shape.stride == 1 or few_weights or (not forward_alone and transforms_pay(shape)):
            tile = 0 if forward_alone else _tile(shape)
            cut = Cut(chunk=many_channels.rounded_tiles(many_channels.tile_count(shape, tile)))
            size = many_channels.scatter_scratch(shape, tile)
            return replace(_plan(shape, WINOGRAD, cut, (size, size), many_channels=True), tile=tile)
    # On the way forward alone no batch decides: one picture does, or as many as training has.
    decides = shape if kept else shape._replace(batch=MANY)
    if whole_vectors and points_pay(decides, forward_alone and kept):
        return _in_groups(shape, forward_alone)
    if gathers(shape) or (forward_alone and _heavy_window(shape)):
        cut = _im2col_cut(shape)
        scratch = im2col.forward_scratch(shape, cut), im2col_backward.backward_scratch(shape, cut)
        return _plan(shape, IM2COL, cut, scratch)
    one_pixel = shape.kernel == shape.stride == 1 and shape.padding == 0 and whole_vectors
    backward = pointwise.backward_scratch if one_pixel else direct_backward.backward_scratch
    return _plan(shape, DIRECT, Cut(), (direct.forward_scratch(shape), backward(shape)), pointwise=one_pixel)


def _parts_of_groups(p: Plan) -> int:
    """Parts of Winograd's way for many channels, so that each group's threads find work."""
    if not p.most_tiles:
        return MOST_PARTS
    return max(MOST_PARTS, LEAST_PARTS * -(-many_channels.tile_count(p.shape) // p.most_tiles))


def _in_groups(shape: Shape, forward_alone: bool) -> Plan:
    """Winograd's way for kernels of 2x2 and 5x5, some pictures at a time: matrices of five are far larger."""
    size = many_channels.scatter_scratch(shape)
    p = _plan(shape, WINOGRAD, Cut(), (size, size), many_channels=True)
    matrices = max(MATRICES, 4 * p.weight_places * shape.c * shape.k)
    p = replace(p, most_tiles=max(1, matrices // (4 * p.weight_places * (shape.c + shape.k))))
    parts = min(_parts_of_groups(p), shape.batch * (tiles_of(shape)[0] if forward_alone else 1))
    largest = max(group.tiles for group in p.groups(parts, by_rows=forward_alone))
    cut = Cut(chunk=many_channels.rounded_tiles(largest))
    return replace(p, cut=cut, forward=Pass(parts, size), backward=Pass(parts, size))


def _plan(
    shape: Shape,
    method: str,
    cut: Cut,
    scratch: tuple[int, int],
    *,
    many_channels: bool = False,
    pointwise: bool = False,
) -> Plan:
    parts = min(MOST_PARTS, -(-shape.batch // cut.group))
    there, back = (Pass(parts, floats) for floats in scratch)
    return Plan(shape, method, cut, there, back, many_channels, pointwise)
