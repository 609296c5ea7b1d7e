"""Every operation on unfinished values: finish them, then ask the reference.

This is the whole of how the fast engine degrades. What it has a kernel for it overrides; the rest, and
whatever a kernel does not take, ends here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from residua.engines.numba.trace.recording import mapped
from residua.engines.numpy.engine import NumpyEngine


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
    "average_pool_inside",
    "average_pool_inside_backward",
    "binary_cross_entropy",
    "channel_softmax",
    "channel_softmax_backward",
    "concatenate",
    "concatenate_backward",
    "depthwise_conv2d",
    "depthwise_conv2d_backward",
    "dropout_maps",
    "dropout_maps_backward",
    "grouped_conv2d",
    "grouped_conv2d_backward",
    "leaky_relu",
    "leaky_relu_backward",
    "lengths",
    "lengths_backward",
    "local_response_norm",
    "local_response_norm_backward",
    "log_softmax",
    "log_softmax_backward",
    "margin_loss",
    "mean_squared_error",
    "negative_log_likelihood",
    "pad",
    "pad_backward",
    "predict_capsules",
    "predict_capsules_backward",
    "reshape",
    "reshape_backward",
    "route",
    "route_backward",
    "select_capsule",
    "select_capsule_backward",
    "shares",
    "shares_backward",
    "sigmoid",
    "sigmoid_backward",
    "squash",
    "squash_backward",
    "take_channels",
    "tanh",
    "tanh_backward",
    "threshold",
    "threshold_backward",
    "transposed_conv2d",
    "transposed_conv2d_backward",
    "upsample",
    "upsample_backward",
]


class FallbackEngine(NumpyEngine):
    """The reference, on values that may be unfinished."""


for _name in OPERATIONS:
    setattr(FallbackEngine, _name, _finishing(getattr(NumpyEngine, _name)))
