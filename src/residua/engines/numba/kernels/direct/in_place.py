"""Pictures that a product can read where they lie."""

from __future__ import annotations

from residua.engines.numba.kernels.pictures.arguments import COPY, MODE, geometry
from residua.engines.numba.kernels.primitives.scalars import get_int
from residua.engines.numba.kernels.primitives.vector import inline
from residua.engines.numba.kernels.products.blocks import ROWS


@inline
def readable_in_place(args, stride, width):
    """Whether x needs neither a border nor finishing, and its rows can be read in blocks where they lie."""
    g = geometry(args)
    plain = get_int(args, MODE) == COPY and g.padding == 0
    return plain and g.kernel == 1 and stride == 1 and width % ROWS == 0
