"""GELU: x Φ(x), Φ being the normal distribution's (Hendrycks and Gimpel 2016), and its derivative.

Of t = |x| the tail is Φ(-t) = exp(-t²/2) R(t), with R(t) (t + 3) a polynomial in (t - 3) / (t + 3) (the
form of Shepherd and Laframboise 1981, Mathematics of Computation 36; the coefficients are our own minimax
fit, 1.9e-8 of R away). So the tail of large negative numbers has all its digits, and the derivative needs
no exponential of its own. Measured: at most 4 units in the last
place of float32 away above -3, 6 below, as long as the result is above 1e-36.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.activations.exponential import exponential
from residua.engines.numba.kernels.primitives.signs import choose_above, magnitude
from residua.engines.numba.kernels.primitives.vector import (
    WIDTH,
    fma,
    inline,
    load,
    splat,
    store,
    zero,
)

ONE, HALF = np.float32(1), np.float32(0.5)
MIDDLE = np.float32(3)
FARTHEST = np.float32(13.25)  # from where on the tail is zero, and a square might come to overflow
DENSITY = np.float32(0.3989422804014327)  # 1 / sqrt(2 pi)
T0 = np.float32(0.7290836904353696)
T1 = np.float32(-0.5093321546678586)
T2 = np.float32(0.23001778601890643)
T3 = np.float32(-0.04725839138380713)
T4 = np.float32(-0.010463384717996823)
T5 = np.float32(0.006938232949354404)
T6 = np.float32(0.0010209406048846605)
T7 = np.float32(-0.0009464784756366892)
T8 = np.float32(-0.00020883018053949014)
T9 = np.float32(4.902149054635885e-05)


@inline
def _distance(x):
    """|x|, or the farthest that matters; so too where x is not a number, as which x itself will show."""
    t = magnitude(x)
    return choose_above(t, splat(FARTHEST), splat(FARTHEST), t)


@inline
def _bell(t):
    """exp(-t²/2); what rounding the square loses is put back."""
    square = t * t
    lost = fma(t, t, zero() - square)
    e = exponential(square * splat(-HALF))
    return fma(e, lost * splat(-HALF), e)


@inline
def _below(x, t, bell):
    """Φ(x)."""
    near = splat(ONE) / (t + splat(MIDDLE))
    u = (t - splat(MIDDLE)) * near
    p = fma(splat(T9), u, splat(T8))
    p = fma(p, u, splat(T7))
    p = fma(p, u, splat(T6))
    p = fma(p, u, splat(T5))
    p = fma(p, u, splat(T4))
    p = fma(p, u, splat(T3))
    p = fma(p, u, splat(T2))
    p = fma(p, u, splat(T1))
    p = fma(p, u, splat(T0))
    tail = bell * (near * p)
    return choose_above(x, zero(), splat(ONE) - tail, tail)


def forward(source, scale, shift, channels, target, count, kept):
    """target = gelu(source scale + shift) of `count` numbers, whole pixels; also `kept`, if not 0."""
    for c in range(0, channels, WIDTH):
        s, t = load(scale, c), load(shift, c)
        for j in range(c, count, channels):
            x = fma(load(source, j), s, t)
            distance = _distance(x)
            y = x * _below(x, distance, _bell(distance))
            store(target, j, y)
            if kept != 0:
                store(kept, j, y)


def backward(source, scale, shift, channels, gradient, count, added):
    """gradient = (gradient + added) gelu'(source scale + shift); nothing is added where `added` is 0."""
    for c in range(0, channels, WIDTH):
        s, t = load(scale, c), load(shift, c)
        for j in range(c, count, channels):
            x = fma(load(source, j), s, t)
            distance = _distance(x)
            bell = _bell(distance)
            g = load(gradient, j)
            if added != 0:
                g = g + load(added, j)
            store(gradient, j, g * fma(x, bell * splat(DENSITY), _below(x, distance, bell)))
