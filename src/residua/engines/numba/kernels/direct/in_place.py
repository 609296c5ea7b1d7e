"""Pictures that a product can read where they lie."""

from __future__ import annotations

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.primitives.scalars import get_int
from residua.engines.numba.kernels.primitives.vector import inline
from residua.engines.numba.kernels.products.blocks import ROWS


@inline
def lies_ready(args, stride, width):
    """Whether x needs neither a border nor finishing, and its rows can be read in blocks where they lie."""
    plain = get_int(args, pictures.MODE) == pictures.COPY and get_int(args, pictures.PADDING) == 0
    return plain and get_int(args, pictures.KERNEL) == 1 and stride == 1 and width % ROWS == 0
