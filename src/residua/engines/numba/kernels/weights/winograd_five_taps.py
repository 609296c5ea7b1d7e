"""Weights of 5x5 kernels transformed for Winograd's products, and their gradients transformed back."""

from __future__ import annotations

from residua.engines.numba.kernels.weights.winograd import (
    transforming,
    transforming_gradient,
    transforming_transposed,
)
from residua.engines.numba.kernels.winograd.forms import FIVE

_weight, _transposed = transforming(FIVE), transforming_transposed(FIVE)
_gradient = transforming_gradient(FIVE)


def transform_weight(l0, l1, l2, l3, args, part, scratch):
    """U[49, c, k] = G weight[5, 5, c, k] G^T, for this part's share of c."""
    _weight(l0, l1, l2, l3, args, part, scratch)


def transform_transposed(l0, l1, l2, l3, args, part, scratch):
    """U^T[49, k, c] of it with c and k exchanged, for this part's share of k."""
    _transposed(l0, l1, l2, l3, args, part, scratch)


def weight_gradient(l0, l1, l2, l3, args, part, scratch):
    """dweight[5, 5, c, k] = G^T dU G of all pictures together, for this part's share of c."""
    _gradient(l0, l1, l2, l3, args, part, scratch)
