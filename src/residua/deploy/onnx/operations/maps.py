"""Layers that move pixels: pools, paddings, larger and smaller maps."""

from __future__ import annotations

from residua.deploy.onnx.graph import Graph, Value
from residua.layers import (
    AveragePool2d,
    GlobalAveragePool,
    MaxPool2d,
    NearestUpsample2d,
    ReflectionPad2d,
    ReplicationPad2d,
    SubsamplePad,
    ZeroPad2d,
)
from residua.variables import Tree

MODES = {"zero": "constant", "reflect": "reflect", "edge": "edge"}  # of Pad, by our borders
END = 2**31 - 1  # of a Slice that goes to the end


def max_pool(graph: Graph, layer: MaxPool2d, v: Tree, x: Value) -> Value:
    """MaxPool."""
    return graph.add("MaxPool", [x], layer.output_shape(x.shape), **_window(layer))


def average_pool(graph: Graph, layer: AveragePool2d, v: Tree, x: Value) -> Value:
    """AveragePool."""
    counts = int(layer.count_padding)
    return graph.add(
        "AveragePool", [x], layer.output_shape(x.shape), count_include_pad=counts, **_window(layer)
    )


def _window(layer: MaxPool2d | AveragePool2d) -> dict[str, list[int]]:
    return {
        "kernel_shape": [layer.kernel] * 2,
        "strides": [layer.stride] * 2,
        "pads": [layer.padding] * 4,
    }


def global_average_pool(graph: Graph, layer: GlobalAveragePool, v: Tree, x: Value) -> Value:
    """GlobalAveragePool, whose maps of one pixel are then features."""
    mean = graph.add("GlobalAveragePool", [x], (1, 1, x.shape[2]))
    return graph.add("Flatten", [mean], x.shape[2:], axis=1)


def pad(graph: Graph, layer: ZeroPad2d | ReflectionPad2d | ReplicationPad2d, v: Tree, x: Value) -> Value:
    """Pad, by rows and columns."""
    sides = [0, 0, layer.above, layer.left, 0, 0, layer.below, layer.right]
    return graph.add(
        "Pad", [x, graph.constant(sides, "sides")], layer.output_shape(x.shape), mode=MODES[layer.border]
    )


def nearest_upsample(graph: Graph, layer: NearestUpsample2d, v: Tree, x: Value) -> Value:
    """Resize by repetition: pixel k comes from pixel k // factor."""
    scales = graph.constant([1.0, 1.0, float(layer.factor), float(layer.factor)], "scales")
    return graph.add(
        "Resize",
        [x, "", scales],
        layer.output_shape(x.shape),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def subsample_pad(graph: Graph, layer: SubsamplePad, v: Tree, x: Value) -> Value:
    """Slice of every stride-th pixel, and Pad of channels; the greater half behind."""
    height, width, channels = layer.output_shape(x.shape)
    bounds = [
        graph.constant(numbers, name)
        for name, numbers in (
            ("starts", [0, 0]),
            ("ends", [END, END]),
            ("axes", [2, 3]),
            ("steps", [layer.stride] * 2),
        )
    ]
    kept = graph.add("Slice", [x, *bounds], (height, width, x.shape[2]))
    before = (channels - x.shape[2]) // 2
    after = channels - x.shape[2] - before
    sides = graph.constant([0, before, 0, 0, 0, after, 0, 0], "sides")
    return graph.add("Pad", [kept, sides], (height, width, channels), mode="constant")
