"""Forms of kernels other than 3x3."""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.vector import inline
from residua.engines.numba.kernels.winograd.tiles import Form
from residua.engines.numba.kernels.winograd.transforms import PATCH
from residua.engines.numba.kernels.winograd.transforms_of_taps import of_taps


def form_of(taps: int) -> Form:
    """The form of kernels with so many taps along each side, without a stride."""
    t = of_taps(taps)
    return Form(
        taps, PATCH + 1 - taps,
        _plain(t.patch_2d), _plain(t.patch_back_2d), _plain(t.spread_2d), _plain(t.tile_2d),
        _with_vectors(t.tile_2d_statistics), _with_vectors(t.tile_2d_bias),
        _plain(t.kernel_2d), _plain(t.kernel_back_2d),
    )  # fmt: skip


def _plain(transform):
    @inline
    def from_one_to_another(stride, source, target):
        transform(source, target, 0, 0)

    return from_one_to_another


def _with_vectors(transform):
    @inline
    def from_one_to_another(stride, source, target, vectors, gap):
        transform(source, target, vectors, gap)

    return from_one_to_another


TWO, FIVE = form_of(2), form_of(5)
