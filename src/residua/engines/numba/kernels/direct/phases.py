"""The phases of a strided convolution on its way back: which of the kernel's taps each has."""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.vector import inline


@inline
def taps_in_phase(kernel, stride, phase):
    """How many of the kernel's taps phase, phase + stride, ... there are."""
    return max(0, (kernel - phase + stride - 1) // stride)


@inline
def taps_before(kernel, stride, down, right):
    """How many taps the packed weight holds before the phase (down, right)."""
    count = 0
    for i in range(down):
        count += taps_in_phase(kernel, stride, i) * kernel
    for j in range(right):
        count += taps_in_phase(kernel, stride, down) * taps_in_phase(kernel, stride, j)
    return count
