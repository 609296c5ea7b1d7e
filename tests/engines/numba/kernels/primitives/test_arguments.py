"""A kernel's block of int64: what the host writes into a named tuple, the kernel reads out of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pooling import arguments as pooling
from residua.engines.numba.kernels.primitives.arguments import Double, reader
from residua.engines.numba.runtime.context import double


class Whole(NamedTuple):
    first: int
    second: int


class Mixed(NamedTuple):
    number: int
    share: Double
    last: int


read_whole, read_second, read_mixed = reader(Whole), reader(Whole, 1), reader(Mixed)


@numba.njit
def unpack(address):
    whole, later, mixed = read_whole(address), read_second(address), read_mixed(address)
    return whole.first, whole.second, later.first, mixed.number, mixed.share, mixed.last


def test_a_block_is_read_as_the_tuple_that_was_written():
    block = np.asarray(Mixed(number=-3, share=Double(double(0.1)), last=2**40), np.int64)
    share = int(block[1])
    assert unpack(block.ctypes.data) == (-3, share, share, -3, 0.1, 2**40)


@pytest.mark.parametrize(
    ("kind", "first", "numbers"),
    [
        (pictures.Geometry, pictures.PARTS, pictures.STRIP),
        (pictures.Source, pictures.MODE, pictures.Z),
        (pictures.Subsampling, pictures.STEP, pictures.MASK),
        (pictures.GradientSource, pictures.GRADIENT_MODE, pictures.C0),
        (pictures.GradientTarget, pictures.DX, pictures.DX_SKIP),
        (pooling.Pooling, pooling.PARTS, pooling.MEAN),
    ],
)
def test_tuples_of_a_block_are_as_long_as_the_places_that_they_name(kind, first, numbers):
    assert len(kind._fields) == numbers - first + 1
