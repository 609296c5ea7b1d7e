"""Capsules: Sabour, Frosst, Hinton 2017, arXiv 1710.09829; the routings follow one another in the graph."""

from __future__ import annotations

from math import prod

from residua.deploy.onnx.graph import Graph, Value
from residua.deploy.onnx.operations.reshaping import reshaped
from residua.layers import CapsuleNetwork, DigitCapsules, Lengths, PrimaryCapsules, Sequential, Shares
from residua.variables import Tree


def capsule_network(graph: Graph, layer: CapsuleNetwork, v: Tree, x: Value) -> Value:
    """The layers, and the lengths of what they give; the decoder only takes part in training."""
    return lengths(graph, Lengths(), {}, graph.layer(Sequential(layer.layers), v, x))


def primary_capsules(graph: Graph, layer: PrimaryCapsules, v: Tree, x: Value) -> Value:
    """A convolution whose channels are groups, squashed."""
    y = graph.layer(layer.convolution, v, x)
    return _squashed(graph, reshaped(graph, y, (prod(y.shape) // layer.dimension, layer.dimension)))


def digit_capsules(graph: Graph, layer: DigitCapsules, v: Tree, x: Value) -> Value:
    """Predictions (N, above, below, out) and their routing by agreement."""
    below, above, out = layer.in_capsules, layer.capsules, layer.dimension
    # Each capsule's row times its matrix for each above: (N, 1, below, 1, in) (above, below, in, out).
    rows = graph.add("Unsqueeze", [x, graph.constant([1, 3], "axes")], (1, below, 1, layer.in_dimension))
    weight = graph.weight(v["weight"].transpose(2, 0, 1, 3), "weight")
    products = graph.add("MatMul", [rows, weight], (above, below, 1, out))
    shape = (above, below, out)
    predictions = graph.add("Squeeze", [products, graph.constant([3], "axes")], shape).name
    logits: Value | None = None
    y = Value("", ())
    for routing in range(layer.routings):
        with graph.within(f"routing{routing + 1}"):
            mixed = _mixed(graph, predictions, logits, (above, below, out))
            y = _squashed(graph, mixed)
            if routing < layer.routings - 1:
                column = graph.add("Unsqueeze", [y, graph.constant([3], "axes")], (above, out, 1))
                agreement = graph.add("MatMul", [predictions, column], (above, below, 1))
                agreement = graph.add("Squeeze", [agreement, graph.constant([3], "axes")], (above, below))
                logits = (
                    agreement if logits is None else graph.add("Add", [logits, agreement], (above, below))
                )
    return y


def _mixed(graph: Graph, predictions: str, logits: Value | None, shape: tuple[int, int, int]) -> Value:
    """(N, above, out): predictions weighed by the shares of those below, which begin equal."""
    above, below, out = shape
    if logits is None:
        total = graph.add("ReduceSum", [predictions, graph.constant([2], "axes")], (above, out), keepdims=0)
        return graph.add("Mul", [total, graph.constant(1 / above, "share")], (above, out))
    share = graph.add("Softmax", [logits], (above, below), axis=1)
    row = graph.add("Unsqueeze", [share, graph.constant([2], "axes")], (above, 1, below))
    mixed = graph.add("MatMul", [row, predictions], (above, 1, out))
    return graph.add("Squeeze", [mixed, graph.constant([2], "axes")], (above, out))


def _squashed(graph: Graph, x: Value) -> Value:
    """x |x| / (1 + |x|²) of each capsule (N, count, dimension)."""
    count = x.shape[0]
    squares = graph.add("Mul", [x, x], x.shape)
    square = graph.add("ReduceSum", [squares, graph.constant([2], "axes")], (count, 1), keepdims=1)
    size = graph.add("Sqrt", [square], (count, 1))
    grown = graph.add("Add", [square, graph.constant(1.0, "one")], (count, 1))
    factor = graph.add("Div", [size, grown], (count, 1))
    return graph.add("Mul", [x, factor], x.shape)


def lengths(graph: Graph, layer: Lengths, v: Tree, x: Value) -> Value:
    """The Euclidean norm along residua's last axis."""
    squares = graph.add("Mul", [x, x], x.shape)
    axes = graph.constant([x.axis], "axes")
    total = graph.add("ReduceSum", [squares, axes], x.shape[:-1], keepdims=0)
    size = graph.add("Sqrt", [total], x.shape[:-1])
    if len(size.shape) != 3:
        return size
    # What has three axes lies as pictures do.
    return graph.add("Transpose", [size], size.shape, perm=[0, 3, 1, 2])


def shares(graph: Graph, layer: Shares, v: Tree, x: Value) -> Value:
    """|x| / sum of |x| along residua's last axis; equal shares where all are zero."""
    size = graph.add("Abs", [x], x.shape)
    axes = graph.constant([x.axis], "axes")
    total = graph.add("ReduceSum", [size, axes], (*x.shape[:-1], 1), keepdims=1)
    some = graph.add("Greater", [total, graph.constant(0.0, "zero")], total.shape)
    divisor = graph.add("Where", [some, total, graph.constant(1.0, "one")], total.shape)
    share = graph.add("Div", [size, divisor], x.shape)
    return graph.add("Where", [some, share, graph.constant(1 / x.shape[-1], "equal")], x.shape)
