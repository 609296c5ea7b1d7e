"""Activations: a pending picture remembers them, anything else is made one or goes to the reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from residua.engines.numba.kernels.activations import gelu as gelu_rows
from residua.engines.numba.kernels.activations import silu as silu_rows
from residua.engines.numba.lazy.materialize import (
    cropped,
    flat,
    handed_out,
    identity_normalization,
    kernel_input,
    masked_gradient,
    multiplied_by_derivative,
    on_arrays,
)
from residua.engines.numba.lazy.pending import Activation, Pending
from residua.engines.numba.runtime.arrays import kernels_accept
from residua.engines.numba.runtime.context import Context
from residua.engines.vocabulary.core import Saved

GELU = Activation(gelu_rows.forward, gelu_rows.backward)
SILU = Activation(silu_rows.forward, silu_rows.backward)


def relu(context: Context, x: Any) -> tuple[Any, Saved]:
    """max(x, 0), done by whoever reads a pending picture."""
    if isinstance(x, Pending) and not x.relu and x.activation is None and x.result is None:
        y = Pending(x.shape, x.norm, True, x.skip)
        return y, y
    result: tuple[Any, Saved] = on_arrays(context, context.reference.relu, x)
    return result


def relu_backward(context: Context, dy: Any, saved: Saved) -> Any:
    """`dy` where the output was positive."""
    if isinstance(saved, Pending):
        return masked_gradient(context, dy, saved)
    return on_arrays(context, context.reference.relu_backward, dy, saved)


def gelu(context: Context, x: Any) -> tuple[Any, Saved]:
    """x Φ(x), done by the convolution that loads it."""
    return _activated(context, x, GELU, context.reference.gelu)


def gelu_backward(context: Context, dy: Any, saved: Saved) -> Any:
    """dy (Φ(x) + x φ(x)), done by the convolution whose gradient dy is, where no other read the output."""
    return _activated_backward(context, dy, saved, context.reference.gelu_backward)


def silu(context: Context, x: Any) -> tuple[Any, Saved]:
    """x sigmoid(x), done by the convolution that loads it."""
    return _activated(context, x, SILU, context.reference.silu)


def silu_backward(context: Context, dy: Any, saved: Saved) -> Any:
    """dy s (1 + x (1 - s)), done by the convolution whose gradient dy is, where no other read the output."""
    return _activated_backward(context, dy, saved, context.reference.silu_backward)


def _activated(
    context: Context, x: Any, activation: Activation, reference: Callable[..., Any]
) -> tuple[Any, Saved]:
    x = kernel_input(context, x)
    if not kernels_accept(x) or len(x.shape) < 2 or 0 in x.shape:
        result: tuple[Any, Saved] = on_arrays(context, reference, x)
        return result
    norm = x.norm if isinstance(x, Pending) and x.linear else identity_normalization(context, x)
    y = Pending(x.shape, norm, False, activation=activation)
    return handed_out(context, y), y


def _activated_backward(context: Context, dy: Any, saved: Saved, reference: Callable[..., Any]) -> Any:
    if not isinstance(saved, Pending):
        return on_arrays(context, reference, dy, saved)
    if len(saved.shape) == 4:
        return masked_gradient(context, dy, saved)
    return cropped(context, saved.shape, multiplied_by_derivative(context, flat(context, dy), saved))
