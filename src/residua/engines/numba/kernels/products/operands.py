"""What a matrix product is told: its two factors, its result, its size, and what is fetched meanwhile.

    C[m, n] (+)= sum over o, i of A[m, o, i] * B[o, i, n]

Each matrix is an address and how far, in floats, its rows and its outer and inner steps are apart (see
`micro_kernel`). Columns of B and C lie side by side.
"""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.primitives.vector import spliced


class Left(NamedTuple):
    """A: where it begins, and how far its rows, outer and inner steps are apart."""

    address: int
    row: int
    outer: int
    inner: int


class Right(NamedTuple):
    """B: where it begins, and how far its outer and inner steps are apart."""

    address: int
    outer: int
    inner: int


class Result(NamedTuple):
    """C: where it begins, and how far its rows are apart."""

    address: int
    row: int


class Size(NamedTuple):
    """Rows (of A and C), columns (of B and C), and the steps of the sum."""

    rows: int
    columns: int
    outer: int
    inner: int


class Ahead(NamedTuple):
    """What is fetched while a product is computed: from where on, and how many bytes a step (`pace_of`)."""

    address: int
    pace: int


@spliced
def left_from(a, row):
    """A from that row on."""
    return Left(a.address + 4 * row * a.row, a.row, a.outer, a.inner)


@spliced
def result_from(c, row):
    """C from that row on."""
    return Result(c.address + 4 * row * c.row, c.row)


@spliced
def right_from(b, column):
    """B from that column on."""
    return Right(b.address + 4 * column, b.outer, b.inner)
