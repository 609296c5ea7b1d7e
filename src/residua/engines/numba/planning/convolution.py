"""Which way a convolution is computed, and how the work is cut up: the one place where that is decided.

Everything here depends on shapes and the processor, never on the number of threads, so that results do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from residua.engines.numba.kernels.direct import backward as direct_backward
from residua.engines.numba.kernels.direct import forward as direct
from residua.engines.numba.kernels.im2col import backward as im2col_backward
from residua.engines.numba.kernels.im2col import forward as im2col
from residua.engines.numba.kernels.pointwise import backward as pointwise
from residua.engines.numba.kernels.primitives.vector import WIDTH
from residua.engines.numba.kernels.products.blocks import ROWS, rounded_up
from residua.engines.numba.kernels.products.panels import panel_width
from residua.engines.numba.kernels.winograd import backward as winograd_backward
from residua.engines.numba.kernels.winograd import forward as winograd
from residua.engines.numba.kernels.winograd import many_channels
from residua.engines.numba.kernels.winograd.tiles import GAP
from residua.engines.numba.kernels.winograd.transforms import PLACES, TILE
from residua.engines.numba.runtime.layout import LANES, MOST_PARTS
from residua.engines.numba.runtime.processor import second_level_cache
from residua.engines.numpy.convolution import output_size

# Kernels with these numbers of channels are compiled for them; others share one general version.
USUAL = frozenset(WIDTH << power for power in range(9)) | {3}
MOST_WEIGHTS = 128 * 128  # of one tap, that Winograd's way takes picture by picture
MOST_PIXELS = 64  # of a 1x1 convolution at a time: measured with 16 to 2,048 channels
PARTIAL_BYTES = 5 * 2**20  # of all parts' weight gradients together
HEAVY_BYTES, HEAVY_PARTS = 2**17, 8  # of one, from where on half as many parts save more than they cost
GATHERED = 80 * 1024  # floats of windows gathered at a time: what fits beside the rest into the cache
MOST_GATHERED = 512 * 1024  # of one picture: beyond the cache, but the weights are read less often
LEAST_GATHERED = 64 * 128  # weights of one tap; with fewer, they stay in the cache, and copying costs more
FEW_GATHERED = 8  # pictures that are worth packing the weight for
LEAST_AT_ONCE = 2**18  # weights of a 1x1 convolution whose gradient outgrows the cache, part by part
LEAST_PACKED = 256  # pixels that are worth cutting a 1x1 convolution's weight into panels for
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


@dataclass(frozen=True)
class Plan:
    """One convolution's geometry and cut. `c` and `k` are the channels as they lie in memory."""

    method: str
    count: int
    height: int
    width: int
    c: int
    k: int
    kernel: int
    stride: int
    padding: int
    out_height: int
    out_width: int
    group: int
    strip: int
    chunk: int
    parts: int
    scratch: int
    parts_backward: int
    scratch_backward: int
    large: bool
    tiles: int
    pointwise: bool  # a 1x1 convolution with a way back of its own (`kernels/pointwise`)

    @property
    def at_once(self) -> bool:
        """Whether a 1x1 convolution's weight gradient is one product of all pixels."""
        return self.pointwise and self.c * self.k >= LEAST_AT_ONCE

    @property
    def partials(self) -> int:
        """How many gradients by the weights there are to be added up."""
        return 1 if self.large or self.at_once else self.parts_backward

    @property
    def packed(self) -> bool:
        """Whether a 1x1 convolution's weight is cut into panels for the way forward.

        Rows that are far apart share places in the cache: a fifth faster from 256 channels on, twice as fast
        at 2,048.
        """
        pixels = self.count * self.height * self.width
        return self.pointwise and self.c * self.k >= LEAST_GATHERED and pixels >= LEAST_PACKED

    @property
    def adds(self) -> bool:
        """Whether the forward kernel can add a shortcut to what it stores."""
        return self.method == "direct" or (self.method == "winograd" and not self.large)

    @property
    def straight(self) -> bool:
        """Whether products go straight to where y lies, and need no finishing if there is nothing to add."""
        return self.method == "direct" and self.out_width % ROWS == 0

    def forward_literals(self, statistics: bool) -> tuple[tuple[int, ...], bool]:
        """The four numbers for the forward kernel, and whether to compile for them."""
        usual = self.c in USUAL and self.k in USUAL
        if self.method == "winograd":
            return (self.c, self.k, int(statistics), self.stride), usual
        return (self.c, self.k, self.stride, int(statistics)), usual and self.stride in (1, 2)

    def backward_literals(self, what: int) -> tuple[tuple[int, ...], bool]:
        """The four numbers for the backward kernel, and whether to compile for them."""
        usual = self.c in USUAL and self.k in USUAL
        if self.method == "winograd":
            return (self.c, self.k, self.stride, 0), usual
        return (self.c, self.k, self.stride, what), usual and self.stride in (1, 2)

    @property
    def weights(self) -> int:
        """How far the places of the weights' transform are apart, in floats."""
        return self.c * self.k + (GAP if self.large else 0)

    def panel(self, columns: int) -> int:
        """Columns of a panel of that transform; all columns are one where it is not cut."""
        return panel_width(columns) if self.large else columns

    @property
    def partial_size(self) -> int:
        """Floats of one part's weight gradient."""
        if self.large:
            return PLACES * self.weights
        return int(self.kernel * rounded_up(self.kernel * self.c) * self.k)


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


def _cut(count: int, height: int, width: int, chunk: int) -> tuple[int, int, int]:
    """Pictures in a group, rows of tiles in a strip, and tiles whose products are made at once."""
    down, right = -(-height // TILE), -(-width // TILE)
    if down * right > chunk:
        return 1, max(1, chunk // right), chunk
    return max(1, min(-(-count // LEAST_PARTS), chunk // (down * right))), down, chunk


def _power(limit: int) -> int:
    return 1 << limit.bit_length() - 1


def gathers(count: int, c: int, k: int, kernel: int) -> bool:
    """Whether windows are gathered into a matrix: heavy weights, and some pictures."""
    return kernel > 1 and c % LANES == 0 and c * k >= LEAST_GATHERED and count >= FEW_GATHERED


def _strip(height: int, width: int, window: int) -> int:
    """Rows of outputs whose windows are gathered at a time: evenly cut."""
    most = max(1, MOST_GATHERED // (width * window))
    return -(-height // -(-height // most))


def transforms_pay(tiles: int, pixels: int) -> bool:
    """Whether many weights with a stride of 2 are better transformed than multiplied with gathered windows.

    A tile takes 81 multiplications, a pixel 9, but small pictures leave much of a tile unused. Measured: 4x4
    pixels of 64 pictures in 0.83 of the time, of 16 pictures in 1.1; 14x14 of 8 in 0.91, 7x7 of 8 in 1.0.
    """
    return 81 * tiles + TRANSFORMING < STRAIGHT * 9 * pixels


@lru_cache(maxsize=1024)
def plan(count: int, height: int, width: int, c: int, k: int, kernel: int, stride: int, padding: int) -> Plan:
    """The plan for these shapes; ShapeError where the kernel does not fit into the picture."""
    out_height = output_size(height, kernel, stride, padding)
    out_width = output_size(width, kernel, stride, padding)
    tiles = -(-out_height // TILE) * -(-out_width // TILE)
    large = kernel == 3 and stride <= 2 and c % LANES == 0 and c * k > MOST_WEIGHTS
    large = large and (stride == 1 or transforms_pay(count * tiles, count * out_height * out_width))
    one_pixel = kernel == stride == 1 and padding == 0 and c % LANES == 0
    if large:
        method, chunk = "winograd", many_channels.rounded_tiles(count, out_height, out_width)
        cut = (1, 1, chunk)
        scratch = scratch_backward = many_channels.scatter_scratch(out_height, out_width, c, k, stride)
        partial = PLACES * c * k
    elif kernel == 3 and stride <= 2 and c % LANES == 0 and c * k <= MOST_WEIGHTS:
        method = "winograd"
        cut = _cut(count, out_height, out_width, _chunk(c * k, stride))
        scratch = winograd.forward_scratch(out_width, c, k, stride, *cut)
        scratch_backward = winograd_backward.backward_scratch(out_width, c, k, stride, *cut)
        partial = 9 * c * k
    elif gathers(count, c, k, kernel):
        method, window, pixels = "gathered", kernel * kernel * c, out_height * out_width
        group = max(1, min(GATHERED // (pixels * window), -(-count // LEAST_PARTS)))
        strip = out_height if group > 1 else _strip(out_height, out_width, window)
        cut, picture = (group, strip, 1), (height + 2 * padding) * (width + 2 * padding) * c
        sizes = (picture, group * pixels, group * strip * out_width, window)
        scratch = im2col.forward_scratch(*sizes, k)
        scratch_backward = im2col_backward.backward_scratch(*sizes, c, k)
        partial = window * k
    else:
        method, cut = "direct", (1, 1, 1)
        shape = (height, width, out_height, out_width, c, k, kernel, stride, padding)
        scratch, scratch_backward = direct.forward_scratch(*shape), direct_backward.backward_scratch(*shape)
        if one_pixel:
            scratch_backward = pointwise.backward_scratch(height * width, c, k)
        partial = kernel * rounded_up(kernel * c) * k
    parts = min(MOST_PARTS, -(-count // cut[0]))
    # Every part's gradient by the weights has to be added up: a part should have some pictures.
    few = min(parts, _power(max(LEAST_PARTS, PARTIAL_BYTES // (4 * partial))), max(LEAST_PARTS, count // 4))
    if 4 * partial > HEAVY_BYTES:
        few = min(few, HEAVY_PARTS)
    parts_backward = parts if large or (one_pixel and c * k >= LEAST_AT_ONCE) else few
    return Plan(
        method, count, height, width, c, k, kernel, stride, padding, out_height, out_width,
        *cut, parts, scratch, parts_backward, scratch_backward, large, count * tiles,
        one_pixel,
    )  # fmt: skip
