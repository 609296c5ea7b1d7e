"""Softmax, the cross-entropy with its gradient, and how many answers are right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.linear import softmax as softmax_kernels
from residua.engines.numba.lazy.materialize import on_arrays, plain
from residua.engines.numba.runtime.arrays import contiguous, kernels_accept
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context, double
from residua.engines.numba.runtime.layout import MOST_PARTS

Array = NDArray[Any]
LEAST_ROWS = 32  # of logits that are worth a thread


def softmax(context: Context, logits: Any) -> Any:
    """Probabilities (N, classes)."""
    logits = plain(context, logits)
    if not kernels_accept(logits) or logits.ndim != 2:
        return on_arrays(context, context.reference.softmax, logits)
    logits = contiguous(context, logits)
    count, classes = logits.shape
    out, parts = context.allocate(count * classes), min(MOST_PARTS, -(-count // LEAST_ROWS))
    block = softmax_kernels.Softmax(parts, count, classes, address_of(logits), address_of(out))
    context.run(softmax_kernels.softmax, block, parts)
    return out.reshape(count, classes)


def softmax_cross_entropy(
    context: Context, logits: Any, labels: Any, *, smoothing: float = 0.0, weights: Any = None
) -> tuple[Any, Any]:
    """Mean loss and its gradient by the logits, together."""
    logits, labels, weights = (plain(context, value) for value in (logits, labels, weights))
    if not kernels_accept(logits, weights) or logits.ndim != 2:
        function = context.reference.softmax_cross_entropy
        result: tuple[Any, Any] = on_arrays(
            context, function, logits, labels, smoothing=smoothing, weights=weights
        )
        return result
    logits = contiguous(context, logits)
    count, classes = logits.shape
    weights = None if weights is None else contiguous(context, weights)
    labels = _as_labels(context, labels)
    dlogits, losses = context.allocate(count * classes), context.allocate(count, np.float64)
    loss, parts = context.allocate(1), min(MOST_PARTS, -(-count // LEAST_ROWS))
    block = softmax_kernels.CrossEntropy(
        parts, count, classes, address_of(logits), address_of(labels),
        0 if weights is None else address_of(weights), address_of(dlogits), address_of(losses),
        double(smoothing),
    )  # fmt: skip
    context.run(softmax_kernels.cross_entropy, block, parts)
    mean = softmax_kernels.Mean(1, count, address_of(losses), address_of(loss))
    context.run(softmax_kernels.mean, mean, 1)
    return loss.reshape(()), dlogits.reshape(count, classes)


def count_correct(context: Context, logits: Any, labels: Any) -> Any:
    """How many pictures have their largest logit at their label."""
    logits, labels = plain(context, logits), plain(context, labels)
    if not kernels_accept(logits) or logits.ndim != 2:
        return on_arrays(context, context.reference.count_correct, logits, labels)
    logits, labels = contiguous(context, logits), _as_labels(context, labels)
    correct = context.allocate(1, np.int64)
    addresses = address_of(logits), address_of(labels), address_of(correct)
    (count, classes), parts = logits.shape, 1
    block = softmax_kernels.CountCorrect(parts, count, classes, *addresses)
    context.run(softmax_kernels.count_correct, block, 1)
    return correct.reshape(())


def _as_labels(context: Context, labels: Any) -> Array:
    """(N,) int64, side by side in memory."""
    if isinstance(labels, np.ndarray) and labels.dtype == np.int64 and labels.flags.c_contiguous:
        return labels
    result: Array = context.host(_required_labels, labels)
    return result


def _required_labels(labels: Any) -> Array:
    return np.require(labels, np.int64, ("C", "A"))
