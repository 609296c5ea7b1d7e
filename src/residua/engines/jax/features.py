"""Linear layers, each as one matrix product of the whole batch.

The other engines multiply picture by picture, so that an answer is the same bytes alone and in any batch.
XLA chooses its kernels by shape, so that cannot be promised here, and one product is many times faster.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from residua.engines.jax.precision import narrow, wide
from residua.errors import ShapeError

Array = Any
Saved = Any


def linear(engine: Any, x: Array, weight: Array, bias: Array | None) -> tuple[Array, Saved]:
    """x @ weight + bias: (N, in) -> (N, out), in the precision of the weight."""
    if x.shape[-1] != weight.shape[0]:
        raise ShapeError(f"a linear layer over {weight.shape[0]} features was given {tuple(x.shape)}")
    x = narrow(engine, x)
    y = _product(x, narrow(engine, weight), weight)
    return (y if bias is None else y + bias), x


def linear_backward(engine: Any, dy: Array, weight: Array, saved: Saved) -> tuple[Array, Array, Array]:
    """Gradients dx, dweight, dbias of `linear`."""
    slope = narrow(engine, dy)
    dx = slope @ narrow(engine, weight).T
    return dx, _product(saved.T, slope, weight), wide(dy).sum(axis=0)


def _product(a: Array, b: Array, like: Array) -> Array:
    """a @ b, added up and given in the precision of `like`."""
    return jnp.matmul(a, b, preferred_element_type=like.dtype)
