"""Another shape in residua's reading order, rows, columns, channels: the one place where layouts change."""

from __future__ import annotations

from math import prod

from residua.deploy.onnx.graph import Graph, Value
from residua.layers import Flatten, Reshape
from residua.layers.shapes import Shape
from residua.variables import Tree


def flatten(graph: Graph, layer: Flatten, v: Tree, x: Value) -> Value:
    """(N, features)."""
    return reshaped(graph, x, (prod(x.shape),))


def reshape(graph: Graph, layer: Reshape, v: Tree, x: Value) -> Value:
    """(N, *shape)."""
    return reshaped(graph, x, layer.shape)


def reshaped(graph: Graph, x: Value, shape: Shape) -> Value:
    """The same numbers in another shape, transposed only where channels do not lie last by themselves."""
    if x.shape == shape:
        return x
    name = x.name
    if len(x.shape) == 3 and _layouts_differ(x.shape):
        name = graph.add("Transpose", [x], x.shape, perm=[0, 2, 3, 1]).name
    if len(shape) == 1:
        return graph.add("Flatten", [name], shape, axis=1)
    if len(shape) != 3:
        return graph.add("Reshape", [name, graph.constant([0, *shape], "shape")], shape)
    height, width, channels = shape
    if not _layouts_differ(shape):
        return graph.add("Reshape", [name, graph.constant([0, channels, height, width], "shape")], shape)
    pictures = graph.add("Reshape", [name, graph.constant([0, *shape], "shape")], shape)
    return graph.add("Transpose", [pictures], shape, perm=[0, 3, 1, 2])


def _layouts_differ(shape: Shape) -> bool:
    """Whether (H, W, C) and (C, H, W) hold numbers in another order."""
    height, width, channels = shape
    return channels > 1 and height * width > 1
