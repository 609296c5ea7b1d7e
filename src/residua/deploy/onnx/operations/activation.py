"""Activations: functions of single numbers, and softmax over channels or features."""

from __future__ import annotations

from residua.deploy.onnx.graph import Graph, Value, Writer
from residua.layers import (
    GELU,
    Layer,
    LeakyReLU,
    Logarithm,
    LogSoftmax,
    MultiplyConstant,
    SiLU,
    Softmax,
    Threshold,
)
from residua.layers.activation import LEAST
from residua.variables import Tree


def elementwise(operator: str) -> Writer:
    """The writer of a layer that is one operator without attributes."""

    def write(graph: Graph, layer: Layer, v: Tree, x: Value) -> Value:
        return graph.add(operator, [x], x.shape)

    return write


def gelu(graph: Graph, layer: GELU, v: Tree, x: Value) -> Value:
    """x (1 + erf(x / sqrt(2))) / 2; Gelu itself came later than this opset."""
    scaled = graph.add("Mul", [x, graph.constant(0.5**0.5, "root")], x.shape)
    error = graph.add("Erf", [scaled], x.shape)
    doubled = graph.add("Add", [error, graph.constant(1.0, "one")], x.shape)
    half = graph.add("Mul", [x, graph.constant(0.5, "half")], x.shape)
    return graph.add("Mul", [half, doubled], x.shape)


def silu(graph: Graph, layer: SiLU, v: Tree, x: Value) -> Value:
    """x sigmoid(x)."""
    return graph.add("Mul", [x, graph.add("Sigmoid", [x], x.shape)], x.shape)


def leaky_relu(graph: Graph, layer: LeakyReLU, v: Tree, x: Value) -> Value:
    """LeakyRelu."""
    return graph.add("LeakyRelu", [x], x.shape, alpha=float(layer.slope))


def softmax(graph: Graph, layer: Softmax, v: Tree, x: Value) -> Value:
    """Softmax along residua's last axis."""
    return graph.add("Softmax", [x], x.shape, axis=x.axis)


def log_softmax(graph: Graph, layer: LogSoftmax, v: Tree, x: Value) -> Value:
    """LogSoftmax along residua's last axis."""
    return graph.add("LogSoftmax", [x], x.shape, axis=x.axis)


def threshold(graph: Graph, layer: Threshold, v: Tree, x: Value) -> Value:
    """Where; ThresholdedRelu puts only zero elsewhere."""
    above = graph.add("Greater", [x, graph.constant(layer.level, "level")], x.shape)
    return graph.add("Where", [above, x, graph.constant(layer.value, "value")], x.shape)


def logarithm(graph: Graph, layer: Logarithm, v: Tree, x: Value) -> Value:
    """Log of numbers that are at least the smallest float32."""
    positive = graph.add("Max", [x, graph.constant(LEAST, "least")], x.shape)
    return graph.add("Log", [positive], x.shape)


def multiply_constant(graph: Graph, layer: MultiplyConstant, v: Tree, x: Value) -> Value:
    """Mul by one number."""
    return graph.add("Mul", [x, graph.constant(float(layer.constant), "constant")], x.shape)
