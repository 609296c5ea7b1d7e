"""In which numbers products are computed: float32, TF32, or bfloat16 with all that is kept in float32."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp

from residua.errors import EngineError, near

Array = Any

# What JAX is told of matrix products and convolutions of float32. "tensorfloat32" changes nothing on devices
# that have no such numbers. With bfloat16 the few products that are left in float32 are exact.
PRODUCTS = {"float32": "highest", "tf32": "tensorfloat32", "bfloat16": "highest"}

# Operations that take and give bfloat16, and their ways back: products, and what moves or compares numbers.
# All others, such as normalisations that are frozen, capsules, losses and updates, get float32.
_NARROW = (
    *("conv2d", "conv_norm", "transposed_conv2d", "grouped_conv2d", "depthwise_conv2d", "linear"),
    *("batch_norm", "relu", "add", "add_relu", "max_pool", "average_pool", "global_average_pool"),
    *("subsample_pad", "dropout", "dropout_maps"),
    *("flatten", "reshape", "concatenate", "take_channels"),
)
NARROW = frozenset(name + way for name in _NARROW for way in ("", "_backward")) | {"upsample"}


def check_precision(name: str) -> str:
    """`name` itself. Raises EngineError for another than float32, tf32 and bfloat16."""
    if name not in PRODUCTS:
        raise EngineError(f"there is no precision {name!r}.{near(name, PRODUCTS)}")
    return name


def exact_products(precision: str) -> AbstractContextManager[Any]:
    """While a function is traced, its products are computed as this precision says."""
    context: AbstractContextManager[Any] = jax.default_matmul_precision(PRODUCTS[precision])
    return context


def narrow(engine: Any, x: Array) -> Array:
    """x as products take it."""
    if engine.precision == "bfloat16" and x.dtype == jnp.float32:
        return x.astype(jnp.bfloat16)
    return x


def wide(x: Array) -> Array:
    """x in float32, if it is in bfloat16; all else as it is."""
    return x.astype(jnp.float32) if getattr(x, "dtype", None) == jnp.bfloat16 else x
