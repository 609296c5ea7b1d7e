"""Every operation on unfinished values: finish them, then ask the reference.

This is the whole of how the fast engine degrades. What it has a kernel for it overrides; the rest, and
whatever a kernel does not take, ends here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from residua.engines.numba.recording import mapped
from residua.engines.numpy_engine import NumpyEngine


def _finishing(operation: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(operation)
    def finish_first(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = mapped((args, kwargs), self.plain)
        return self.machine.host(operation, self, *given[0], **given[1])

    return finish_first


OPERATIONS = [
    "conv2d",
    "conv2d_backward",
    "conv_norm",
    "conv_norm_backward",
    "batch_norm",
    "batch_norm_backward",
    "scale_shift",
    "scale_shift_backward",
    "relu",
    "relu_backward",
    "add",
    "add_relu",
    "add_relu_backward",
    "max_pool",
    "max_pool_backward",
    "average_pool",
    "average_pool_backward",
    "global_average_pool",
    "global_average_pool_backward",
    "subsample_pad",
    "subsample_pad_backward",
    "flatten",
    "flatten_backward",
    "linear",
    "linear_backward",
    "dropout",
    "dropout_backward",
    "softmax",
    "softmax_cross_entropy",
    "count_correct",
    "mix",
    "scale",
    "norm",
    "finite",
    "sgd",
    "adam",
    "rmsprop",
]


class FallbackEngine(NumpyEngine):
    """The reference, on values that may be unfinished."""


for _name in OPERATIONS:
    setattr(FallbackEngine, _name, _finishing(getattr(NumpyEngine, _name)))
