"""NumbaEngine: each operation of the vocabulary beside the function that computes it.

There are three kinds. `kernel`: a function of `operations`, which runs compiled kernels, may leave its
result unfinished (`lazy`), and gives what no kernel takes (another precision, say) to the reference;
`side_by_side`, where other threads need not wait for it. `reference`: the values are finished, and the
reference, NumPy, computes it. `composed`: the values are finished, and the vocabulary's own definition is
carried out with the operations of this engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from residua.engines.numba.lazy import materialize
from residua.engines.numba.lazy.pending import Pending
from residua.engines.numba.methods import composed, kernel, reference, side_by_side
from residua.engines.numba.operations import (
    activation,
    batches,
    branches,
    capsules,
    convolution,
    losses,
    optimizers,
    pooling,
    shortcut,
)
from residua.engines.numba.operations import batch_norm as norms
from residua.engines.numba.operations import linear as linear_layers
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.trees import map_leaves
from residua.engines.numba.trace.compiled_step import CompiledStep
from residua.engines.numba.trace.recording import Unrecordable
from residua.engines.numpy.engine import NumpyEngine
from residua.engines.vocabulary.core import Engine
from residua.engines.vocabulary.together import Together


class NumbaEngine(Engine):
    """Kernels compiled for this machine."""

    name = "numba"
    xp = np

    def __init__(self, threads: int | None = None, say: Callable[[str], None] | None = None) -> None:
        """say: called with what people should know, such as that kernels are being compiled."""
        super().__init__(threads)
        self.context = Context(self.threads, NumpyEngine(self.threads), say)

    def join(self, together: Together) -> None:
        super().join(together)
        self.context.together = together
        self.context.reference.join(together)

    @property
    def held_bytes(self) -> int:
        return self.context.memory.bytes

    # ------------------------------------------------------------------ values
    def share(self, x: Any) -> Any:
        if isinstance(x, Pending):
            x.shared = True
        return x

    def plain(self, x: Any) -> Any:
        return materialize.plain(self.context, x)

    def size(self, x: Any) -> int:
        return prod(x.shape)

    def compile(self, step: Callable[..., Any], donate: Sequence[str] = ()) -> Callable[..., Any]:
        return CompiledStep(self.context, step, self.plain)

    def apply(self, function: Callable[..., Any], *values: Any) -> Any:
        return self.context.host(function, np, *map_leaves(values, self.plain))

    def counted(self, labels: Any, compute: Callable[[], Any]) -> Any:
        # Batches are as long as their pictures here: no label is below zero.
        return compute()

    def input_gradient(self, compute: Callable[[], Any]) -> Any:
        context = self.context
        with context.thread_pool.lock:
            before, context.inputs_only = context.inputs_only, True
            try:
                return map_leaves(compute(), self.plain)
            finally:
                context.inputs_only = before

    def when(self, flag: Any, compute: Callable[[], Any], otherwise: Any) -> Any:
        with self.context.thread_pool.lock:
            flag, tape = self.plain(flag), self.context.tape
            if tape is None:
                return compute() if flag else otherwise
            if not flag:
                raise Unrecordable("the flag of a condition does not hold")
            tape.condition(flag)
            return compute()

    # ------------------------------------------------------------------ convolution
    conv2d = kernel(convolution.conv2d)
    conv2d_backward = kernel(convolution.conv2d_backward)
    conv_norm = kernel(convolution.conv_norm)
    conv_norm_backward = kernel(convolution.conv_norm_backward)
    transposed_conv2d = composed(Engine.transposed_conv2d)
    transposed_conv2d_backward = composed(Engine.transposed_conv2d_backward)
    grouped_conv2d = composed(Engine.grouped_conv2d)
    grouped_conv2d_backward = composed(Engine.grouped_conv2d_backward)
    depthwise_conv2d = reference(NumpyEngine.depthwise_conv2d)
    depthwise_conv2d_backward = reference(NumpyEngine.depthwise_conv2d_backward)

    # ------------------------------------------------------------------ normalisation
    batch_norm = kernel(norms.batch_norm)
    batch_norm_backward = kernel(norms.batch_norm_backward)
    scale_shift = kernel(norms.scale_shift)
    scale_shift_backward = kernel(norms.scale_shift_backward)
    local_response_norm = reference(NumpyEngine.local_response_norm)
    local_response_norm_backward = reference(NumpyEngine.local_response_norm_backward)

    # ------------------------------------------------------------------ activation
    relu = kernel(activation.relu)
    relu_backward = kernel(activation.relu_backward)
    gelu = kernel(activation.gelu)
    gelu_backward = kernel(activation.gelu_backward)
    silu = kernel(activation.silu)
    silu_backward = kernel(activation.silu_backward)
    leaky_relu = reference(NumpyEngine.leaky_relu)
    leaky_relu_backward = reference(NumpyEngine.leaky_relu_backward)
    threshold = reference(NumpyEngine.threshold)
    threshold_backward = reference(NumpyEngine.threshold_backward)
    tanh = reference(NumpyEngine.tanh)
    tanh_backward = reference(NumpyEngine.tanh_backward)
    sigmoid = reference(NumpyEngine.sigmoid)
    sigmoid_backward = reference(NumpyEngine.sigmoid_backward)
    softmax = kernel(losses.softmax)
    channel_softmax = reference(NumpyEngine.channel_softmax)
    channel_softmax_backward = reference(NumpyEngine.channel_softmax_backward)
    log_softmax = reference(NumpyEngine.log_softmax)
    log_softmax_backward = reference(NumpyEngine.log_softmax_backward)

    # ------------------------------------------------------------------ shortcuts
    add = kernel(shortcut.add)
    add_relu = kernel(shortcut.add_relu)
    add_relu_backward = kernel(shortcut.add_relu_backward)
    subsample_pad = kernel(shortcut.subsample_pad)
    subsample_pad_backward = kernel(shortcut.subsample_pad_backward)

    # ------------------------------------------------------------------ pooling
    max_pool = kernel(pooling.max_pool)
    max_pool_backward = kernel(pooling.max_pool_backward)
    average_pool = kernel(pooling.average_pool)
    average_pool_backward = kernel(pooling.average_pool_backward)
    average_pool_inside = composed(Engine.average_pool_inside)
    average_pool_inside_backward = composed(Engine.average_pool_inside_backward)
    global_average_pool = kernel(pooling.global_average_pool)
    global_average_pool_backward = kernel(pooling.global_average_pool_backward)

    # ------------------------------------------------------------------ maps
    pad = reference(NumpyEngine.pad)
    pad_backward = reference(NumpyEngine.pad_backward)
    upsample = reference(NumpyEngine.upsample)
    upsample_backward = reference(NumpyEngine.upsample_backward)
    concatenate = kernel(branches.concatenate)
    concatenate_backward = kernel(branches.concatenate_backward)
    take_channels = reference(NumpyEngine.take_channels)

    # ------------------------------------------------------------------ features
    linear = kernel(linear_layers.linear)
    linear_backward = kernel(linear_layers.linear_backward)
    flatten = reference(NumpyEngine.flatten)
    flatten_backward = reference(NumpyEngine.flatten_backward)
    reshape = reference(NumpyEngine.reshape)
    reshape_backward = reference(NumpyEngine.reshape_backward)

    # ------------------------------------------------------------------ dropout
    dropout = reference(NumpyEngine.dropout)
    dropout_backward = reference(NumpyEngine.dropout_backward)
    dropout_maps = reference(NumpyEngine.dropout_maps)
    dropout_maps_backward = reference(NumpyEngine.dropout_maps_backward)

    # ------------------------------------------------------------------ capsules
    lengths = reference(NumpyEngine.lengths)
    lengths_backward = reference(NumpyEngine.lengths_backward)
    shares = reference(NumpyEngine.shares)
    shares_backward = reference(NumpyEngine.shares_backward)
    squash = reference(NumpyEngine.squash)
    squash_backward = reference(NumpyEngine.squash_backward)
    predict_capsules = kernel(capsules.predict_capsules)
    predict_capsules_backward = kernel(capsules.predict_capsules_backward)
    route = kernel(capsules.route)
    route_backward = kernel(capsules.route_backward)
    select_capsule = reference(NumpyEngine.select_capsule)
    select_capsule_backward = reference(NumpyEngine.select_capsule_backward)

    # ------------------------------------------------------------------ losses
    softmax_cross_entropy = kernel(losses.softmax_cross_entropy)
    negative_log_likelihood = reference(NumpyEngine.negative_log_likelihood)
    margin_loss = reference(NumpyEngine.margin_loss)
    mean_squared_error = reference(NumpyEngine.mean_squared_error)
    binary_cross_entropy = reference(NumpyEngine.binary_cross_entropy)
    count_correct = kernel(losses.count_correct)

    # ------------------------------------------------------------------ variables
    mix = kernel(optimizers.mix)
    scale = kernel(optimizers.scale)
    norm = kernel(optimizers.norm)
    finite = kernel(optimizers.finite)
    sgd = kernel(optimizers.sgd)
    adam = kernel(optimizers.adam)
    rmsprop = kernel(optimizers.rmsprop)

    # ------------------------------------------------------------------ batches
    crop_and_flip = side_by_side(batches.crop_and_flip)
