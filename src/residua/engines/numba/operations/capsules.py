"""Capsules: what each expects of those above, and routing by agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.capsules import prediction, routing
from residua.engines.numba.kernels.primitives.vector import WIDTH
from residua.engines.numba.lazy.materialize import on_arrays, plain
from residua.engines.numba.runtime.arrays import contiguous, kernels_accept
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import MOST_PARTS
from residua.engines.vocabulary.core import Saved

Array = NDArray[Any]


def predict_capsules(context: Context, x: Any, weight: Any) -> tuple[Any, Saved]:
    """(N, below, inside) and (below, inside, above, out) -> (N, above, below, out)."""
    x, weight = plain(context, x), plain(context, weight)
    if not _predictable(x, weight):
        result: tuple[Any, Saved] = on_arrays(context, context.reference.predict_capsules, x, weight)
        return result
    x, weight = contiguous(context, x), contiguous(context, weight)
    below, _, above, out = weight.shape
    y = context.allocate(len(x) * above * below * out)
    block = _prediction(min(MOST_PARTS, len(x)), x, weight, y, y)
    context.run(prediction.predict, block, block.parts)
    return y.reshape(len(x), above, below, out), x


def predict_capsules_backward(context: Context, dy: Any, weight: Any, saved: Saved) -> tuple[Any, Any]:
    """Gradients dx, dweight of `predict_capsules`."""
    x, dy, weight = plain(context, saved), plain(context, dy), plain(context, weight)
    if not _predictable(x, weight) or not kernels_accept(dy):
        function = context.reference.predict_capsules_backward
        result: tuple[Any, Any] = on_arrays(context, function, dy, weight, x)
        return result
    x, dy, weight = (contiguous(context, array) for array in (x, dy, weight))
    dx, dweight = context.allocate(x.size), context.allocate(weight.size)
    block = _prediction(min(MOST_PARTS, len(x)), x, weight, dy, dx)
    scratch = prediction.scratch_floats(weight.shape[1], weight.shape[3])
    context.run(prediction.predict_backward, block, block.parts, scratch=scratch)
    block = _prediction(min(MOST_PARTS, len(weight)), x, weight, dy, dweight)
    context.run(prediction.predict_weights_backward, block, block.parts, scratch=scratch)
    return dx.reshape(x.shape), dweight.reshape(weight.shape)


def _predictable(x: Any, weight: Any) -> bool:
    return (
        kernels_accept(x, weight)
        and x.ndim == 3
        and x.shape[1:] == weight.shape[:2]
        and weight.shape[3] % WIDTH == 0
    )


def _prediction(parts: int, x: Array, weight: Array, y: Array, result: Array) -> prediction.Prediction:
    arrays = map(address_of, (x, weight, y, result))
    return prediction.Prediction(parts, len(x), *weight.shape, *arrays)


@dataclass(frozen=True, eq=False)
class RoutingSaved:
    """What the way back needs, as the kernels have left it (`kernels.capsules.routing`)."""

    predictions: Array
    shares: Array
    outputs: Array
    mixed: Array


def route(context: Context, predictions: Any, *, routings: int) -> tuple[Any, Saved]:
    """Routing by agreement: (N, above, below, out) -> (N, above, out)."""
    predictions = plain(context, predictions)
    if not kernels_accept(predictions) or predictions.shape[-1] % WIDTH:
        function = context.reference.route
        result: tuple[Any, Saved] = on_arrays(context, function, predictions, routings=routings)
        return result
    predictions = contiguous(context, predictions)
    count, above, below, out = predictions.shape
    shares = context.allocate(count * routings * above * routing.wide(below))
    outputs, mixed = (context.allocate(count * routings * above * out) for _ in range(2))
    y = context.allocate(count * above * out)
    saved = RoutingSaved(predictions, shares, outputs, mixed)
    _run(context, routing.route, saved, routings, 0, y)
    return y.reshape(count, above, out), saved


def route_backward(context: Context, dy: Any, saved: Saved, *, routings: int) -> Any:
    """The gradient by the predictions, through every routing."""
    if not isinstance(saved, RoutingSaved):
        return on_arrays(context, context.reference.route_backward, dy, saved, routings=routings)
    dy = contiguous(context, np.asarray(plain(context, dy)))
    result = context.allocate(saved.predictions.size)
    _run(context, routing.route_backward, saved, routings, address_of(dy), result)
    return result.reshape(saved.predictions.shape)


def _run(context: Context, kernel: Any, saved: RoutingSaved, routings: int, dy: int, result: Array) -> None:
    count, above, below, out = saved.predictions.shape
    block = routing.Routing(
        min(MOST_PARTS, count), count, above, below, routing.wide(below), out, routings,
        address_of(saved.predictions), address_of(saved.shares), address_of(saved.outputs),
        address_of(saved.mixed), dy, address_of(result),
    )  # fmt: skip
    scratch = routing.scratch_floats(above, below, out, routings)
    context.run(kernel, block, block.parts, scratch=scratch)
