"""Which convolutions are taken over the phases of their stride."""

from __future__ import annotations

import pytest

pytest.importorskip("numba")

from residua.engines.numba.planning.convolution import plan, shape_of
from residua.engines.numba.planning.phases import phases_forward_plan, phases_plan


def taps(count, size, channels, kernel, stride, padding=0):
    """Of the kernel that does for this one; None where it is taken as it is."""
    p = phases_plan(shape_of(count, size, size, channels, channels, kernel, stride, padding))
    return None if p is None else p.shape.kernel


def test_large_kernels_with_a_stride_over_many_channels_do():
    assert taps(128, 20, 256, 9, 2) == 5  # CapsNet's primary capsules
    assert taps(128, 28, 128, 5, 2, 2) == taps(128, 28, 128, 6, 2, 2) == 3


def test_what_no_transform_fits_or_what_has_one_already_does_not():
    assert taps(128, 20, 256, 9, 1) is None
    assert taps(128, 20, 256, 8, 2) is None  # four taps
    assert taps(128, 9, 256, 3, 2, 1) is None
    assert taps(128, 20, 16, 9, 2) is None  # few weights
    assert taps(2, 20, 256, 9, 2) is None  # few pictures
    # Few pixels: the weights' transforms would take longer than the products.
    assert plan(shape_of(16, 11, 11, 256, 256, 9, 2, 0)).method == "im2col"
    assert taps(16, 11, 256, 9, 2) is None


@pytest.mark.parametrize("count", [1, 2, 128, 1000])
def test_forward_alone_any_number_of_pictures_goes_the_same_way(count):
    p = phases_forward_plan(shape_of(count, 20, 20, 256, 256, 9, 2, 0))
    assert p is not None
    assert p.many_channels
    assert (p.shape.batch, p.shape.kernel, p.shape.c) == (count, 5, 1024)
    assert phases_forward_plan(shape_of(count, 20, 20, 256, 256, 8, 2, 0)) is None
