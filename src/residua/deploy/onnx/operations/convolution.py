"""Convolutions; weights (k, k, in, out) become (out, in, k, k)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.deploy.onnx.graph import Graph, Value
from residua.layers import Conv2d, DepthwiseConv2d, GroupedConv2d, TransposedConv2d
from residua.variables import Tree


def conv2d(graph: Graph, layer: Conv2d, v: Tree, x: Value) -> Value:
    """Conv, and Relu where it is fused."""
    return _convolution(graph, layer, v, x, layer.weight_of(v).transpose(3, 2, 0, 1), 1)


def grouped_conv2d(graph: Graph, layer: GroupedConv2d, v: Tree, x: Value) -> Value:
    """Conv in groups."""
    return _convolution(graph, layer, v, x, v["weight"].transpose(3, 2, 0, 1), layer.groups)


def depthwise_conv2d(graph: Graph, layer: DepthwiseConv2d, v: Tree, x: Value) -> Value:
    """Conv with a group for each channel."""
    return _convolution(graph, layer, v, x, v["weight"].transpose(2, 0, 1)[:, None], layer.channels)


def _convolution(
    graph: Graph, layer: Any, v: Tree, x: Value, weight: NDArray[np.float32], groups: int
) -> Value:
    y = graph.add(
        "Conv",
        [x, graph.weight(weight, "weight"), *_bias(graph, v)],
        layer.output_shape(x.shape),
        kernel_shape=[layer.kernel] * 2,
        strides=[layer.stride] * 2,
        pads=[layer.padding] * 4,
        group=groups,
    )
    return graph.add("Relu", [y], y.shape) if layer.relu else y


def _bias(graph: Graph, v: Tree) -> list[str]:
    return [graph.constant(v["bias"], "bias")] if "bias" in v else []


def transposed_conv2d(graph: Graph, layer: TransposedConv2d, v: Tree, x: Value) -> Value:
    """ConvTranspose, whose weights are (in, out, k, k)."""
    return graph.add(
        "ConvTranspose",
        [x, graph.weight(v["weight"].transpose(2, 3, 0, 1), "weight"), *_bias(graph, v)],
        layer.output_shape(x.shape),
        kernel_shape=[layer.kernel] * 2,
        strides=[layer.stride] * 2,
        pads=[layer.padding] * 4,
        output_padding=[layer.extra] * 2,
    )
