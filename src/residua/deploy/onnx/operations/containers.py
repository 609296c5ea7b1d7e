"""Layers that hold layers: chains, residual blocks, branches, and networks that answer together."""

from __future__ import annotations

import numpy as np

from residua.deploy.onnx.graph import Graph, Value
from residua.layers import PROBABILITIES, Add, Concatenate, Ensemble, Identity, Parallel, Residual, Sequential
from residua.variables import Tree


def identity(graph: Graph, layer: Identity, v: Tree, x: Value) -> Value:
    """Nothing."""
    return x


def sequential(graph: Graph, layer: Sequential, v: Tree, x: Value) -> Value:
    """One after the other."""
    for name, inner in layer.layers.items():
        x = graph.layer(inner, v[name], x, name)
    return x


def residual(graph: Graph, layer: Residual, v: Tree, x: Value) -> Value:
    """Add and Relu."""
    y = graph.layer(layer.body, v["body"], x, "body")
    if layer.shortcut is not None:
        beside = graph.layer(layer.shortcut, v["shortcut"], x, "shortcut")
        y = graph.add("Add", [y, beside], y.shape)
    return graph.add("Relu", [y], y.shape)


def add(graph: Graph, layer: Add, v: Tree, x: Value) -> Value:
    """The sum of the branches."""
    total, *others = [graph.layer(branch, v[name], x, name) for name, branch in layer.branches.items()]
    for other in others:
        total = graph.add("Add", [total, other], total.shape)
    return total


def concatenate(graph: Graph, layer: Concatenate, v: Tree, x: Value) -> Value:
    """Concat of the branches' channels."""
    return _joined(graph, [graph.layer(branch, v[name], x, name) for name, branch in layer.branches.items()])


def parallel(graph: Graph, layer: Parallel, v: Tree, x: Value) -> Value:
    """Split, and Concat of the branches' channels."""
    count = len(layer.branches)
    share = (*x.shape[:-1], layer.channels // count)
    if count == 1:
        inputs = [x]
    else:
        sizes = graph.constant([share[-1]] * count, "sizes")
        inputs = graph.add_split("Split", [x, sizes], [share] * count, axis=x.axis)
    branches = zip(layer.branches.items(), inputs, strict=True)
    return _joined(graph, [graph.layer(branch, v[name], part, name) for (name, branch), part in branches])


def _joined(graph: Graph, parts: list[Value]) -> Value:
    shape = (*parts[0].shape[:-1], sum(part.shape[-1] for part in parts))
    return parts[0] if len(parts) == 1 else graph.add("Concat", parts, shape, axis=parts[0].axis)


def ensemble(graph: Graph, layer: Ensemble, v: Tree, x: Value) -> Value:
    """The members' probabilities: their weighted mean, or their votes with the mean as one vote more."""
    parts = []
    for index, (name, member) in enumerate(layer.members.items()):
        with graph.within(name):
            seen = x
            if layer.scales:
                scale, shift = (np.array(rows[index], np.float32) for rows in (layer.scales, layer.shifts))
                seen = graph.add("Mul", [seen, graph.constant(x.along(scale), "scale")], x.shape)
                seen = graph.add("Add", [seen, graph.constant(x.along(shift), "shift")], x.shape)
            outputs = graph.layer(member, v[name], seen)
            parts.append(graph.layer(PROBABILITIES[member.outputs], {}, outputs, "probabilities"))
    weights = [graph.constant(weight, "member_weight") for weight in layer.weights]
    weighed = zip(parts, weights, strict=True)
    mean = _total(graph, [graph.add("Mul", [part, weight], part.shape) for part, weight in weighed])
    if layer.method != "vote":
        return mean
    shape = mean.shape
    classes = graph.constant(np.arange(shape[0]), "classes")
    votes = []
    for part in parts:
        best = graph.add("ArgMax", [part], (1,), axis=1, keepdims=1)
        votes.append(graph.add("Cast", [graph.add("Equal", [best, classes], shape)], shape, to=1))
    total = graph.add("Add", [_total(graph, votes), mean], shape)
    return graph.add("Div", [total, graph.constant(float(len(parts) + 1), "voters")], shape)


def _total(graph: Graph, parts: list[Value]) -> Value:
    total = parts[0]
    for part in parts[1:]:
        total = graph.add("Add", [total, part], total.shape)
    return total
