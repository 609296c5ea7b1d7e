"""Forms of kernels other than 3x3."""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.vector import inline
from residua.engines.numba.kernels.winograd import transforms_of_seven as seven
from residua.engines.numba.kernels.winograd.tiles import THREE, Form, along_of, square_of
from residua.engines.numba.kernels.winograd.transforms_of_seven import ALONG
from residua.engines.numba.kernels.winograd.transforms_of_taps import of_taps


def form_of(taps: int) -> Form:
    """The form of kernels with so many taps along each side, without a stride."""
    t, along = of_taps(taps), along_of(taps)
    return Form(
        taps, along + 1 - taps,
        _plain(t.patch_2d), _plain(t.patch_back_2d), _plain(t.spread_2d), _plain(t.tile_2d),
        _with_vectors(t.tile_2d_statistics), _with_vectors(t.tile_2d_bias),
        _plain(t.kernel_2d), _plain(t.kernel_back_2d), _places(along), along,
    )  # fmt: skip


def form_of_seven() -> Form:
    """That of 3x3 kernels on tiles of 7x7, whose weights are those of the others."""
    t = seven
    return Form(
        3, t.TILE,
        _plain(t.patch_2d), _plain(t.patch_back_2d), _plain(t.spread_2d), _plain(t.tile_2d),
        _with_vectors(t.tile_2d_statistics), _with_vectors(t.tile_2d_bias),
        THREE.weight_to_places, THREE.places_to_weight, _places(ALONG),
    )  # fmt: skip


def _places(along):
    @inline
    def places_of(stride, address, apart):
        return square_of(along, address, apart)

    return places_of


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


TWO, FIVE, SEVEN = form_of(2), form_of(5), form_of_seven()
