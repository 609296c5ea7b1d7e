"""To how many channels pictures are padded, and which kernels fit them."""

from __future__ import annotations

import pytest

pytest.importorskip("numba")
from residua.engines.numba.kernels.updates import reductions
from residua.engines.numba.runtime import layout
from residua.engines.numba.runtime.kernel_names import narrow

KERNEL = reductions.combine


@pytest.fixture
def halving(monkeypatch):
    """A process with vectors of 16 floats on a processor that works on them by halves."""
    for name, value in (("WIDTH", 16), ("LANES", 16), ("MOST_NARROW", 40)):
        monkeypatch.setattr(layout, name, value)


def test_channels_that_leave_half_a_vector_are_padded_to_narrow_ones(halving):
    assert [layout.padded(count) for count in (1, 3, 8, 16)] == [16, 16, 16, 16]
    assert [layout.padded(count) for count in (17, 24, 25, 33, 40)] == [24, 24, 32, 40, 40]
    assert [layout.padded(count) for count in (41, 56, 72)] == [48, 64, 80]
    assert layout.whole(24)
    assert not layout.whole(20)


def test_they_alone_have_narrow_kernels(halving):
    assert layout.suited(KERNEL, 3, 24) is layout.suited(KERNEL, 24, 64) is narrow(KERNEL)
    # Three channels are read one by one, as many as a vector's half, seven or fifteen.
    for channels in ((3, 16), (8, 32), (15, 64), (16, 32), (48, 64)):
        assert layout.suited(KERNEL, *channels) is KERNEL


def test_elsewhere_there_are_none(halving, monkeypatch):
    monkeypatch.setattr(layout, "MOST_NARROW", 0)
    assert layout.padded(24) == 32
    assert layout.suited(KERNEL, 3, 24) is KERNEL
