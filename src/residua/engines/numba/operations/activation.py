"""relu: a pending picture remembers it, anything else goes to the reference."""

from __future__ import annotations

from typing import Any

from residua.engines.numba.lazy.materialize import masked_gradient, on_arrays
from residua.engines.numba.lazy.pending import Pending
from residua.engines.numba.runtime.context import Context
from residua.engines.vocabulary.core import Saved


def relu(context: Context, x: Any) -> tuple[Any, Saved]:
    """max(x, 0), done by whoever reads a pending picture."""
    if isinstance(x, Pending) and not x.relu and x.result is None:
        y = Pending(x.shape, x.norm, True, x.skip)
        return y, y
    result: tuple[Any, Saved] = on_arrays(context, context.reference.relu, x)
    return result


def relu_backward(context: Context, dy: Any, saved: Saved) -> Any:
    """`dy` where the output was positive."""
    if isinstance(saved, Pending):
        return masked_gradient(context, dy, saved)
    return on_arrays(context, context.reference.relu_backward, dy, saved)
