"""Weights of 2x2 kernels transformed for Winograd's products, and their gradients transformed back."""

from __future__ import annotations

from residua.engines.numba.kernels.weights.winograd import (
    transforming,
    transforming_gradient,
    transforming_transposed,
)
from residua.engines.numba.kernels.winograd.forms import TWO

_weight, _transposed = transforming(TWO), transforming_transposed(TWO)
_gradient = transforming_gradient(TWO)


def transform_weight(l0, l1, l2, l3, args, part, scratch):
    """U[36, c, k] = G weight[2, 2, c, k] G^T, for this part's share of c."""
    _weight(l0, l1, l2, l3, args, part, scratch)


def transform_transposed(l0, l1, l2, l3, args, part, scratch):
    """U^T[36, k, c] of it with c and k exchanged, for this part's share of k."""
    _transposed(l0, l1, l2, l3, args, part, scratch)


def weight_gradient(l0, l1, l2, l3, args, part, scratch):
    """dweight[2, 2, c, k] = G^T dU G of all pictures together, for this part's share of c."""
    _gradient(l0, l1, l2, l3, args, part, scratch)
