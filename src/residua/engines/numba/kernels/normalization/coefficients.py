"""Batch normalisation's numbers per channel.

Forward: y = raw scale + shift with scale = gamma / sqrt(var + eps), shift = beta - mean scale. Backward:
the gradient by raw is a g + b raw + c for the gradient g by the normalised value, with

    a = gamma / std      b = -a mean(g u) / std      c = -a mean(g) - b mean      u = (raw - mean) / std

so every pass over pictures is one multiply-add a number, and rides on a convolution's pass. A layer's
numbers lie in one block, `channels` of each: the rows below.

The sums come as one row of doubles a part; they are added in the order of the parts. Of FEW numbers, which
may be equal or one alone, mean and variance are taken once more, from the numbers themselves: the sums'
last digits, times 1 / sqrt(eps), would be seen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.primitives.arguments import Double, reader
from residua.engines.numba.kernels.primitives.scalars import (
    get,
    get_double,
    put,
)
from residua.engines.numba.kernels.primitives.vector import inline

SCALE, SHIFT, MEAN, INVERSE, VARIANCE, A, B, C0, DSCALE, DSHIFT = range(10)
ROWS = 10
FEW = 8
IDENTITY = tuple(float(row == SCALE) for row in range(ROWS))  # changes nothing


class Coefficients(NamedTuple):
    """What `coefficients` is given: channels as the layer has them and padded, and rows of partial sums.

    origin: a number a channel that was taken off before summing, or 0.
    """

    parts: int
    real: int
    channels: int
    partial: int
    sums: int
    gamma: int
    beta: int
    block: int
    raw: int
    origin: int
    numbers: Double
    eps: Double


class CoefficientsBackward(NamedTuple):
    """What `coefficients_backward` is given: sums of g and g (raw - mean), and the block to fill in."""

    parts: int
    real: int
    channels: int
    partial: int
    sums: int
    gamma: int
    block: int
    numbers: Double


_forward, _backward = reader(Coefficients), reader(CoefficientsBackward)


@inline
def _exactly(raw, apart, count):
    """The mean and the variance of so many numbers."""
    total, square = 0.0, 0.0
    for i in range(count):
        total += np.float64(get(raw, i * apart))
    mean = total / count
    for i in range(count):
        far = np.float64(get(raw, i * apart)) - mean
        square += far * far
    return mean, square / count


def coefficients(l0, l1, l2, l3, args, part, scratch):
    """Fill in SCALE to VARIANCE from the sums of raw and its squares."""
    p = _forward(args)
    channels, sums, block = p.channels, p.sums, p.block
    for k in range(channels):
        total, square = 0.0, 0.0
        for row in range(p.partial):
            total += get_double(sums, 2 * channels * row + k)
            square += get_double(sums, 2 * channels * row + channels + k)
        mean = total / p.numbers
        # Rounding may leave a variance just below zero; NaN must stay NaN.
        variance = square / p.numbers - mean * mean
        if variance < 0.0:
            variance = 0.0
        if p.origin != 0:
            mean += get(p.origin, k)
        if p.numbers <= FEW:
            mean, variance = _exactly(p.raw + 4 * k, channels, np.int64(p.numbers))
        inverse = 1 / np.sqrt(variance + p.eps)
        scale, shift = 0.0, 0.0
        if k < p.real:
            scale = get(p.gamma, k) * inverse
            if p.numbers <= FEW:
                # As it is multiplied by; where all numbers are equal, the bias comes out to the last digit.
                scale = 0.0 if variance == 0.0 else np.float64(np.float32(scale))
            shift = get(p.beta, k) - mean * scale
        put(block, SCALE * channels + k, np.float32(scale))
        put(block, SHIFT * channels + k, np.float32(shift))
        put(block, MEAN * channels + k, np.float32(mean))
        put(block, INVERSE * channels + k, np.float32(inverse))
        put(block, VARIANCE * channels + k, np.float32(variance))


def coefficients_backward(l0, l1, l2, l3, args, part, scratch):
    """Fill in A to DSHIFT from the sums of g and g (raw - mean)."""
    p = _backward(args)
    channels, sums, block = p.channels, p.sums, p.block
    for k in range(channels):
        total, product = 0.0, 0.0
        for row in range(p.partial):
            total += get_double(sums, 2 * channels * row + k)
            product += get_double(sums, 2 * channels * row + channels + k)
        inverse = np.float64(get(block, INVERSE * channels + k))
        product *= inverse
        a = get(p.gamma, k) * inverse if k < p.real else 0.0
        if p.numbers == 1.0:
            a = 0.0  # a number alone is normalised to zero, whatever it is
        b = -a * product / p.numbers * inverse
        put(block, A * channels + k, np.float32(a))
        put(block, B * channels + k, np.float32(b))
        put(
            block, C0 * channels + k, np.float32(-a * total / p.numbers - b * get(block, MEAN * channels + k))
        )
        put(block, DSCALE * channels + k, np.float32(product))
        put(block, DSHIFT * channels + k, np.float32(total))
