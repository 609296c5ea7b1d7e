"""Layers on features and channels: linear, normalisations that are frozen or have no statistics."""

from __future__ import annotations

import numpy as np

from residua.deploy.onnx.graph import Graph, Value
from residua.layers import Linear, LocalResponseNorm, ScaleShift
from residua.variables import Tree


def linear(graph: Graph, layer: Linear, v: Tree, x: Value) -> Value:
    """Gemm."""
    bias = [graph.constant(v["bias"], "bias")] if "bias" in v else []
    return graph.add("Gemm", [x, graph.weight(v["weight"], "weight"), *bias], (layer.out_features,))


def scale_shift(graph: Graph, layer: ScaleShift, v: Tree, x: Value) -> Value:
    """Mul and Add, and Relu where it is fused."""
    scaled = graph.add("Mul", [x, graph.constant(x.along(v["weight"]), "weight")], x.shape)
    y = graph.add("Add", [scaled, graph.constant(x.along(v["bias"]), "bias")], x.shape)
    return graph.add("Relu", [y], x.shape) if layer.relu else y


def local_response_norm(graph: Graph, layer: LocalResponseNorm, v: Tree, x: Value) -> Value:
    """LRN, whose alpha is divided by its size; its even windows lie otherwise, and features it takes not."""
    if len(x.shape) == 3 and layer.size % 2:
        return graph.add(
            "LRN",
            [x],
            x.shape,
            size=layer.size,
            alpha=float(layer.alpha * layer.size),
            beta=float(layer.beta),
            bias=float(layer.offset),
        )
    squares = graph.add("Mul", [x, x], x.shape)
    channels = x.shape[-1]
    before, after = layer.size // 2, (layer.size - 1) // 2
    place = np.arange(channels)[:, None] - np.arange(channels)  # of the result less that of the summand
    band = ((-after <= place) & (place <= before)).astype(np.float32)
    if len(x.shape) == 3:
        total = graph.add("Conv", [squares, graph.constant(band[:, :, None, None], "window")], x.shape)
    else:
        total = graph.add("MatMul", [squares, graph.constant(band.T, "window")], x.shape)
    scaled = graph.add("Mul", [total, graph.constant(layer.alpha, "alpha")], x.shape)
    base = graph.add("Add", [scaled, graph.constant(layer.offset, "offset")], x.shape)
    power = graph.add("Pow", [base, graph.constant(layer.beta, "beta")], x.shape)
    return graph.add("Div", [x, power], x.shape)
