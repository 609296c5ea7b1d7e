"""A model as a page carries it: its network and facts as JSON, its weights as bytes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.deploy.onnx.graph import LARGEST_HALF
from residua.deploy.page.layers import LAYERS_OF_PAGES
from residua.errors import ConfigError
from residua.layers import Layer
from residua.layers.serialization import describe
from residua.models.model_file import Model
from residua.variables import Tree, transform

_HALF = np.float16


@dataclass(frozen=True)
class PackedNetwork:
    """A network for inference: {"network", "variables"} as plain data, and its numbers as bytes."""

    document: dict[str, Any]
    content: bytes


def pack_network(model: Model, *, half: bool = False) -> PackedNetwork:
    """A model's network, normalisations folded and the temperature inside; see `pack_layer`."""
    return pack_layer(*model.frozen(), half=half)


def pack_layer(network: Layer, variables: Tree, *, half: bool = False) -> PackedNetwork:
    """A frozen network and its variables.

    half: weights as float16, where they are matrices or kernels and none is beyond its range. Raises
    ConfigError for a layer that pages do not know.
    """
    _check(network, "")
    content = bytearray()
    placed = _place(variables, content, half)
    return PackedNetwork({"network": describe(network), "variables": placed}, bytes(content))


def _check(layer: Layer, name: str) -> None:
    """Raise ConfigError for a layer that pages do not know, with its place."""
    kind = type(layer).__name__
    if kind not in LAYERS_OF_PAGES:
        place = f" ({name})" if name else ""
        raise ConfigError(
            f"the layer {kind}{place} is none that a page can compute; `residua serve` answers with any"
        )
    for entry in fields(layer):
        value = getattr(layer, entry.name)
        inside = {entry.name: value} if isinstance(value, Layer) else value
        if isinstance(inside, dict):
            for key, below in inside.items():
                if isinstance(below, Layer):
                    _check(below, f"{name}.{key}" if name else key)


def round_to_half(tree: Tree) -> Tree:
    """Variables as a page that has them in float16 computes with them."""
    return transform(lambda array: array.astype(_HALF).astype(np.float32) if _halves(array) else array, tree)


def _halves(array: NDArray[Any]) -> bool:
    """Whether an array is stored in float16 where that is asked for."""
    return array.ndim > 1 and bool(np.abs(array).max(initial=0) <= LARGEST_HALF)


def _place(tree: Tree, content: bytearray, half: bool) -> dict[str, Any]:
    """{name: {"at": its first byte, "shape"}} in a tree like that of the variables; `content` grows."""

    def place(value: NDArray[Any]) -> dict[str, Any]:
        array = np.ascontiguousarray(value, np.float32)
        placed = {"at": len(content), "shape": list(array.shape)}
        if half and _halves(array):
            array = array.astype(_HALF)
            placed["half"] = True
        content.extend(array.astype(array.dtype.newbyteorder("<")).tobytes())
        content.extend(bytes(-len(content) % 4))
        return placed

    return transform(place, tree)
