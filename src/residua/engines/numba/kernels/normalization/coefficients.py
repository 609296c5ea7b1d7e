"""Batch normalisation's numbers per channel.

Forward: y = raw scale + shift with scale = gamma / sqrt(var + eps), shift = beta - mean scale. Backward: the
gradient by raw is a g + b raw + c for the gradient g by the normalised value, with

    a = gamma / std      b = -a mean(g u) / std      c = -a mean(g) - b mean      u = (raw - mean) / std

so every pass over pictures is one multiply-add a number, and rides on a convolution's pass. A layer's
numbers lie in one block, `channels` of each: the rows below.

The sums come as one row of doubles a part; they are added in the order of the parts.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.primitives.scalars import (
    get,
    get_double,
    get_int,
    put,
)

SCALE, SHIFT, MEAN, INVERSE, VARIANCE, A, B, C0, DSCALE, DSHIFT = range(10)
ROWS = 10
IDENTITY = tuple(float(row == SCALE) for row in range(ROWS))  # changes nothing


def coefficients(l0, l1, l2, l3, args, part, scratch):
    """Block: 1, channels, padded, partial sums, sums, gamma, beta, block; doubles: count, eps."""
    real, channels, partial = get_int(args, 1), get_int(args, 2), get_int(args, 3)
    sums, gamma, beta, block = get_int(args, 4), get_int(args, 5), get_int(args, 6), get_int(args, 7)
    count, eps = get_double(args, 8), get_double(args, 9)
    for k in range(channels):
        total, square = 0.0, 0.0
        for p in range(partial):
            total += get_double(sums, 2 * channels * p + k)
            square += get_double(sums, 2 * channels * p + channels + k)
        mean = total / count
        # Rounding may leave a variance just below zero; NaN must stay NaN.
        variance = square / count - mean * mean
        if variance < 0.0:
            variance = 0.0
        inverse = 1 / np.sqrt(variance + eps)
        scale, shift = 0.0, 0.0
        if k < real:
            scale = get(gamma, k) * inverse
            shift = get(beta, k) - mean * scale
        put(block, SCALE * channels + k, np.float32(scale))
        put(block, SHIFT * channels + k, np.float32(shift))
        put(block, MEAN * channels + k, np.float32(mean))
        put(block, INVERSE * channels + k, np.float32(inverse))
        put(block, VARIANCE * channels + k, np.float32(variance))


def coefficients_backward(l0, l1, l2, l3, args, part, scratch):
    """Block: 1, channels, padded, partial sums, sums of g and g (raw - mean), gamma, block; double: count."""
    real, channels, partial = get_int(args, 1), get_int(args, 2), get_int(args, 3)
    sums, gamma, block = get_int(args, 4), get_int(args, 5), get_int(args, 6)
    count = get_double(args, 7)
    for k in range(channels):
        total, product = 0.0, 0.0
        for p in range(partial):
            total += get_double(sums, 2 * channels * p + k)
            product += get_double(sums, 2 * channels * p + channels + k)
        inverse = np.float64(get(block, INVERSE * channels + k))
        product *= inverse
        a = get(gamma, k) * inverse if k < real else 0.0
        b = -a * product / count * inverse
        put(block, A * channels + k, np.float32(a))
        put(block, B * channels + k, np.float32(b))
        put(block, C0 * channels + k, np.float32(-a * total / count - b * get(block, MEAN * channels + k)))
        put(block, DSCALE * channels + k, np.float32(product))
        put(block, DSHIFT * channels + k, np.float32(total))
