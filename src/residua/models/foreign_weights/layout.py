"""Arrays as PyTorch lays them out -> as this library does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from residua.layers import Flatten, Linear, Sequential

Shape = tuple[int, int, int]


def convert_arrays(
    weights: Mapping[str, Any], paths: Mapping[str, str], network: Sequential, shape: Shape
) -> dict[str, Any]:
    """{path of a variable: array in this library's layout}, for pictures of `shape`.

    paths: {published name: path of the variable}. Convolutions (out, in, height, width) become (height,
    width, in, out), linear layers (out, in) become (in, out). The first linear layer reads maps channel by
    channel there and pixel by pixel here, so its rows change places. A bias in front of a normalisation goes
    into the running mean that takes it away again.
    """
    variables: dict[str, Any] = {}
    for name, path in paths.items():
        array = weights[name]
        if array.ndim == 4:
            array = array.transpose(2, 3, 1, 0)
        elif array.ndim == 2:
            array = array.T
        variables[path] = np.ascontiguousarray(array, dtype=np.float32)
    _reorder_flattened_rows(variables, network, shape)
    _fold_biases(variables)
    return variables


def _reorder_flattened_rows(variables: dict[str, Any], network: Sequential, shape: Shape) -> None:
    path, (height, width, channels) = _first_linear(network, shape)
    array = variables.get(path)
    if array is not None and array.ndim == 2 and len(array) == height * width * channels:
        maps = array.reshape(channels, height, width, -1).transpose(1, 2, 0, 3)
        variables[path] = np.ascontiguousarray(maps.reshape(array.shape))


def _first_linear(network: Sequential, shape: Shape) -> tuple[str, Shape]:
    """The path of the weights of the linear layer that reads flattened maps, and the maps' shape.

    An empty path where there is none.
    """
    current: tuple[int, ...] = shape
    maps: tuple[int, ...] = ()
    for name, layer in network.layers.items():
        if isinstance(layer, Flatten):
            maps = current
        elif isinstance(layer, Linear) and len(maps) == 3:
            return f"{name}.weight", (maps[0], maps[1], maps[2])
        current = layer.output_shape(current)
    return "", (0, 0, 0)


def _fold_biases(variables: dict[str, Any]) -> None:
    for path in [path for path in variables if path.endswith(".conv.bias")]:
        mean = normalization_mean(path)
        if mean in variables and variables[mean].shape == variables[path].shape:
            variables[mean] = variables[mean] - variables.pop(path)


def normalization_mean(bias: str) -> str:
    """The path of the running mean that a convolution's bias (`....conv.bias`) can be folded into."""
    return bias.removesuffix("conv.bias") + "norm.running_mean"
