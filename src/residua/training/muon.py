"""Muon: momentum whose direction is made orthogonal, for the kernels of convolutions; SGD for all else.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks",
kellerjordan.github.io/posts/muon.
"""

from __future__ import annotations

from typing import Any

from residua.engines.vocabulary.core import Array

# The polynomial that drives singular values towards one, quickly and not exactly, and how often it is
# taken.
FIRST, THIRD, FIFTH = 3.4445, -4.7750, 2.0315
TIMES = 5
LEAST = 1e-7


def orthogonalized(matrix: Array) -> Array:
    """The matrix with all of its singular values brought to about one, between 0.7 and 1.2.

    By Newton and Schulz's iteration: X becomes a X + b (X Xᵀ) X + c (X Xᵀ)² X.
    """
    rows, columns = matrix.shape
    x = matrix.T if rows > columns else matrix
    x = x / ((x * x).sum() ** 0.5 + LEAST)
    for _ in range(TIMES):
        square = x @ x.T
        x = FIRST * x + (THIRD * square + FIFTH * (square @ square)) @ x
    return x.T if rows > columns else x


def kernel_step(
    weight: Array,
    velocity: Array,
    gradient: Array,
    rate: Any,
    *,
    momentum: float,
    nesterov: bool,
    decay: float,
) -> tuple[Array, Array]:
    """One step of a convolution's weight (height, width, in, out): weight, velocity.

    As a matrix it has height * width * in rows and `out` columns. It goes rate sqrt(max(1, out / rows))
    along the orthogonalised direction; decay is beside the gradient, as AdamW's.
    """
    kind, out = weight.dtype, weight.shape[-1]
    rows = weight.size // out
    velocity = momentum * velocity + gradient
    direction = gradient + momentum * velocity if nesterov else velocity
    unit = orthogonalized(direction.reshape(rows, out)).reshape(weight.shape)
    after = weight * (1 - rate * decay) - (rate * max(1.0, out / rows) ** 0.5) * unit
    return after.astype(kind), velocity.astype(kind)
