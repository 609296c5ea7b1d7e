"""Kernels of 5x5 by Winograd's F(3x3, 5x5), as `many_channels` takes 3x3 ones."""

from __future__ import annotations

from residua.engines.numba.kernels.winograd.forms import FIVE
from residua.engines.numba.kernels.winograd.whole_batch import gathering, gathering_gradient, scattering

_scatter, _gather, _gather_gradient = scattering(FIVE), gathering(FIVE), gathering_gradient(FIVE)


def scatter(c, k, what, stride, args, part, scratch):
    """V[place, tile, c] = B^T x B; with BOTH also M[place, tile, k] = A dy A^T."""
    _scatter(c, k, what, 1, args, part, scratch)


def gather(c, k, statistics, stride, args, part, scratch):
    """y from M, with the sums of y and its squares, or with bias and ReLU."""
    _gather(c, k, statistics, 1, args, part, scratch)


def gather_gradient(c, k, l2, stride, args, part, scratch):
    """dx from V, finished as it leaves."""
    _gather_gradient(c, k, l2, 1, args, part, scratch)
