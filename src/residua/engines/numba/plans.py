"""Which way a convolution is computed, and how the work is cut up: the one place where that is decided.

Everything here depends on shapes alone, never on the number of threads, so that results do not either.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from residua.engines.numba.kernels import direct, winograd, winograd_large
from residua.engines.numba.kernels.transforms import PLACES, TILE
from residua.engines.numba.kernels.vector import WIDTH
from residua.engines.numpy_convolution import output_size

# Kernels with these numbers of channels are compiled for them; others share one general version.
USUAL = frozenset(WIDTH << power for power in range(9)) | {3}
MOST_PARTS = 16
MOST_WEIGHTS = 128 * 128  # of one tap, that Winograd's way takes picture by picture
ROW_BYTES = 2**19
PARTIAL_BYTES = 5 * 2**20  # of all parts' weight gradients together
LEAST_PARTS = 4  # so that a few threads find work


def padded(channels: int) -> int:
    """The next multiple of WIDTH."""
    return -(-channels // WIDTH) * WIDTH


@lru_cache(maxsize=1024)
def pixel_rows(pixels: int, channels: int) -> tuple[int, int, int]:
    """So many pixels as pictures of one row, whose numbers (channels in and out) fill half the cache."""
    most = min(512, max(64, ROW_BYTES // (4 * channels)))
    fitting = [width for width in range(1, min(most, pixels) + 1) if pixels % width == 0]
    # Rows of products come in eights; short rows read the weights too often.
    width = max(fitting, key=lambda width: width if width % 8 == 0 else 0.8 * width)
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
    chunk: int
    parts: int
    scratch: int
    parts_backward: int
    scratch_backward: int
    large: bool
    tiles: int

    @property
    def partials(self) -> int:
        """How many gradients by the weights there are to be added up."""
        return 1 if self.large else self.parts_backward

    def forward_literals(self, statistics: bool) -> tuple[tuple[int, ...], bool]:
        """The four numbers for the forward kernel, and whether to compile for them."""
        usual = self.c in USUAL and self.k in USUAL
        if self.method == "winograd":
            return (self.c, self.k, int(statistics), 0), usual
        return (self.c, self.k, self.stride, int(statistics)), usual and self.stride in (1, 2)

    def backward_literals(self, what: int) -> tuple[tuple[int, ...], bool]:
        """The four numbers for the backward kernel, and whether to compile for them."""
        usual = self.c in USUAL and self.k in USUAL
        if self.method == "winograd":
            return (self.c, self.k, 0, 0), usual
        return (self.c, self.k, self.stride, what), usual and self.stride in (1, 2)

    @property
    def partial_size(self) -> int:
        """Floats of one part's weight gradient."""
        if self.method == "winograd":
            return PLACES * self.c * self.k
        return int(self.kernel * direct.rounded_up(self.kernel * self.c) * self.k)


def _chunk(weights: int) -> int:
    """Tiles whose products are made at once.

    16 rows fill the registers, and with few channels their matrices stay near the first-level cache (at 16,
    32 and 64 channels 8, 32 and 64 tiles are 0 to 15 per cent slower). Where the weights' transforms
    outgrow the second-level cache, they must serve more tiles each time that they are read.
    """
    if weights <= 64 * 64:
        return 16
    return 32 if weights <= 128 * 128 else 64


def _power(limit: int) -> int:
    return 1 << limit.bit_length() - 1


@lru_cache(maxsize=1024)
def plan(count: int, height: int, width: int, c: int, k: int, kernel: int, stride: int, padding: int) -> Plan:
    """The plan for these shapes; ShapeError where the kernel does not fit into the picture."""
    out_height = output_size(height, kernel, stride, padding)
    out_width = output_size(width, kernel, stride, padding)
    tiles = -(-out_height // TILE) * -(-out_width // TILE)
    large = kernel == 3 and stride == 1 and c % WIDTH == 0 and c * k > MOST_WEIGHTS
    if large:
        method, group, chunk = "winograd", 1, winograd_large.rounded_tiles(count, out_height, out_width)
        scratch = scratch_backward = winograd_large.scatter_scratch(out_height, out_width, c, k)
        partial = PLACES * c * k
    elif kernel == 3 and stride == 1 and c % WIDTH == 0:
        method, chunk = "winograd", _chunk(c * k)
        group = max(1, min(-(-count // LEAST_PARTS), -(-chunk // tiles)))
        scratch = winograd.forward_scratch(out_height, out_width, c, k, group, chunk)
        scratch_backward = winograd.backward_scratch(out_height, out_width, c, k, group, chunk)
        partial = PLACES * c * k
    else:
        method, group, chunk = "direct", 1, 1
        shape = (height, width, out_height, out_width, c, k, kernel, stride, padding)
        scratch, scratch_backward = direct.forward_scratch(*shape), direct.backward_scratch(*shape)
        partial = kernel * direct.rounded_up(kernel * c) * k
    parts = min(MOST_PARTS, -(-count // group))
    # Every part's gradient by the weights has to be added up: a part should have some pictures.
    few = min(parts, _power(max(LEAST_PARTS, PARTIAL_BYTES // (4 * partial))), max(LEAST_PARTS, count // 4))
    parts_backward = parts if large else few
    return Plan(
        method, count, height, width, c, k, kernel, stride, padding, out_height, out_width,
        group, chunk, parts, scratch, parts_backward, scratch_backward, large, count * tiles,
    )  # fmt: skip
