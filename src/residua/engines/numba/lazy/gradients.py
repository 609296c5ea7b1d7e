"""Gradients on their way back that no kernel has written out in full."""

from __future__ import annotations

from typing import Any

from residua.engines.numba.lazy.pending import Flat, Pending, Shape


class MaskedGradient:
    """The gradient by a Pending, masked, with its sums: `parts` rows of sums of g and g (raw - mean).

    Masking early is always right: a Pending's gradient goes nowhere but through its own ReLU, and the mask
    is linear, so that sums of masked and unmasked gradients, masked again, are what they should be.
    """

    __slots__ = ("flat", "parts", "shape", "sums", "value")

    def __init__(self, value: Pending, flat: Flat, sums: Any, parts: int) -> None:
        self.value, self.flat, self.sums, self.parts = value, flat, sums, parts
        self.shape = value.shape


class SubsampledGradient:
    """The gradient by what was subsampled: `source` at the pixels that were kept, zero elsewhere."""

    __slots__ = ("shape", "source", "stride")

    def __init__(self, source: Any, shape: Shape, stride: int) -> None:
        self.source, self.shape, self.stride = source, shape, stride


class MeanGradient:
    """The gradient of a mean over pictures: one row for all pixels, divided by their number."""

    __slots__ = ("rows", "shape")

    def __init__(self, rows: Any, shape: Shape) -> None:
        self.rows, self.shape = rows, shape
