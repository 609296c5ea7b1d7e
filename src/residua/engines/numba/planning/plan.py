"""A plan: how one convolution is computed."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from residua.engines.numba.kernels.pictures.arguments import INPUT_ONLY
from residua.engines.numba.kernels.pictures.shape import Cut, Shape
from residua.engines.numba.kernels.primitives.vector import WIDTH
from residua.engines.numba.kernels.products.blocks import ROWS, rounded_up
from residua.engines.numba.kernels.products.panels import panel_width
from residua.engines.numba.kernels.winograd.many_channels import tiles_of
from residua.engines.numba.kernels.winograd.tiles import GAP, along_of, place_count
from residua.engines.numba.kernels.winograd.transforms_of_seven import ALONG as SEVENS
from residua.engines.numba.kernels.winograd.transforms_of_seven import TILE as SEVEN
from residua.engines.numba.runtime.layout import has_narrow, narrow_panel

# The families of kernels.
WINOGRAD, IM2COL, DIRECT = "winograd", "im2col", "direct"
# Kernels with these numbers of channels are compiled for them; others share one general version.
USUAL = frozenset(WIDTH << power for power in range(9)) | {3}
LEAST_GATHERED = 64 * 128  # weights of one tap; with fewer, they stay in the cache, and copying costs more
LEAST_AT_ONCE = 2**18  # weights of a 1x1 convolution whose gradient outgrows the cache, part by part
LEAST_PARTS = 4  # so that a few threads find work
LEAST_PACKED = 256  # pixels that are worth cutting a 1x1 convolution's weight into panels for


def _usual(shape: Shape) -> bool:
    return shape.c in USUAL and shape.k in USUAL


@dataclass(frozen=True)
class Pass:
    """One way through a convolution: how many parts its work has, and floats of scratch for each."""

    parts: int
    scratch: int


@dataclass(frozen=True)
class Sharing:
    """How the way forward is shared where there are no sums, even of one picture: no result depends on it.

    down: parts of all pixels. across: parts of the columns that each of these is divided into.
    """

    down: int
    across: int = 1


@dataclass(frozen=True)
class Group:
    """Some of a batch's parts, whose tiles share matrices: the first and how many, of parts and of tiles."""

    part: int
    parts: int
    tile: int
    tiles: int


@dataclass(frozen=True)
class Plan:
    """One convolution: its shape, the family of its kernels, and how the work is cut up.

    many_channels: Winograd's way, as products of the whole batch, or of groups of pictures with so many tiles
    (`most_tiles`). tile: pixels along the side of one, where these are not the usual ones. pointwise: a 1x1
    convolution with a way back of its own (`kernels.pointwise`).
    """

    shape: Shape
    method: str
    cut: Cut
    forward: Pass
    backward: Pass
    many_channels: bool = False
    pointwise: bool = False
    sharing: Sharing = Sharing(1)
    most_tiles: int = 0
    tile: int = 0

    @property
    def at_once(self) -> bool:
        """Whether a 1x1 convolution's weight gradient is one product of all pixels."""
        return self.pointwise and self.shape.c * self.shape.k >= LEAST_AT_ONCE

    @property
    def partials(self) -> int:
        """How many gradients by the weights there are to be added up."""
        return 1 if self.many_channels or self.at_once else self.backward.parts

    @property
    def packed(self) -> bool:
        """Whether a 1x1 convolution's weight is cut into panels for the way forward.

        Rows that are far apart share places in the cache: a fifth faster from 256 channels on, twice as fast
        at 2,048.
        """
        return self.heavy and self.shape.pixels >= LEAST_PACKED

    @property
    def heavy(self) -> bool:
        """Whether a 1x1 convolution's weight outgrows the first-level cache."""
        return self.pointwise and self.shape.c * self.shape.k >= LEAST_GATHERED

    @property
    def straight(self) -> bool:
        """Whether products go straight to where y lies, and need no finishing if there is nothing to add."""
        return self.method == DIRECT and self.shape.out_width % ROWS == 0

    def groups(self, parts: int, *, by_rows: bool) -> list[Group]:
        """The groups of so many parts, of rows of tiles or of whole pictures."""
        down, right = tiles_of(self.shape, self.tile)
        units, tiles = (self.shape.batch * down, right) if by_rows else (self.shape.batch, down * right)
        before = [units * part // parts * tiles for part in range(parts + 1)]
        found, first, most = [], 0, self.most_tiles or before[-1]
        for part in range(1, parts + 1):
            full = part < parts and before[part + 1] - before[first] > most
            if part == parts or (full and part - first >= LEAST_PARTS):
                found.append(Group(first, part - first, before[first], before[part] - before[first]))
                first = part
        return found

    def forward_literals(self, statistics: bool) -> tuple[tuple[int, ...], bool]:
        """The four numbers for the forward kernel, and whether to compile for them."""
        s = self.shape
        if self.method == WINOGRAD:
            return (s.c, s.k, int(statistics), s.stride), _usual(s)
        return (s.c, s.k, s.stride, int(statistics)), _usual(s) and s.stride in (1, 2)

    def backward_literals(self, what: int) -> tuple[tuple[int, ...], bool]:
        """The four numbers for the backward kernel, and whether to compile for them."""
        s = self.shape
        if self.method == WINOGRAD:
            return (s.c, s.k, s.stride, int(what == INPUT_ONLY)), _usual(s)
        return (s.c, s.k, s.stride, what), _usual(s) and s.stride in (1, 2)

    @property
    def along(self) -> int:
        """Places along a side of a tile."""
        if self.tile == SEVEN:
            return SEVENS
        return self.weights_along if self.shape.stride == 1 else isqrt(place_count(self.shape.stride))

    @property
    def weights_along(self) -> int:
        """Places along a side of the weights' transform."""
        return along_of(self.shape.kernel)

    @property
    def weight_places(self) -> int:
        """Places of that transform."""
        return self.weights_along**2

    @property
    def weights(self) -> int:
        """How far the places of the weights' transform are apart, in floats."""
        return self.shape.c * self.shape.k + (GAP if self.many_channels else 0)

    def panel(self, columns: int) -> int:
        """Columns of a panel of that transform; all columns are one where it is not cut."""
        if not self.many_channels:
            return columns
        return narrow_panel(columns) if has_narrow(self.shape.c, self.shape.k) else panel_width(columns)

    @property
    def partial_size(self) -> int:
        """Floats of one part's weight gradient."""
        if self.many_channels:
            return self.weight_places * self.weights
        s = self.shape
        return s.kernel * rounded_up(s.kernel * s.c) * s.k
