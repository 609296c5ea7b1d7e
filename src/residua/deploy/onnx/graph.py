"""A graph while it is written: nodes and constants in order, under names that tell where they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.deploy.onnx.messages import Node
from residua.errors import ConfigError
from residua.layers import Layer
from residua.layers.shapes import Shape
from residua.variables import Tree

LARGEST_HALF = 65504.0  # of float16


@dataclass(frozen=True)
class Value:
    """What flows from node to node: its name, and the shape of one picture as residua's layers have it.

    A shape (H, W, C) lies in the graph as (N, C, H, W), which ONNX's convolutions take; any other as
    (N, *shape).
    """

    name: str
    shape: Shape

    @property
    def axis(self) -> int:
        """The graph's axis that is residua's last: channels or features."""
        return 1 if len(self.shape) == 3 else len(self.shape)

    def along(self, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
        """(C,) numbers as an array that meets every channel."""
        return numbers.reshape(-1, 1, 1) if len(self.shape) == 3 else numbers


Writer = Callable[["Graph", Any, Tree, Value], Value]


class Graph:
    """Nodes and constants, in the order in which they are needed.

    writers: the function for each class of layers. half: weights are kept as float16, each with a node that
    makes float32 of it; everything is computed in float32 all the same.
    """

    def __init__(self, writers: Mapping[type[Layer], Writer], *, half: bool = False) -> None:
        self.writers, self.half = writers, half
        self.nodes: list[Node] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self._place: list[str] = []
        self._names = {"images", "logits", "probabilities"}

    def layer(self, layer: Layer, v: Tree, x: Value, name: str = "") -> Value:
        """A layer's nodes; one that is another for inference is written as that.

        Raises ConfigError that names a layer without a writer.
        """
        with self.within(name):
            writer = self.writers.get(type(layer))
            if writer is not None:
                return writer(self, layer, v, x)
            frozen, variables = layer.freeze(v)
            if type(frozen) is type(layer):
                place = f" ({'.'.join(self._place)})" if self._place else ""
                raise ConfigError(
                    f"the layer {type(layer).__name__}{place} has no export to ONNX; those that have: "
                    + ", ".join(sorted(kind.__name__ for kind in self.writers))
                )
            return self.layer(frozen, variables, x)

    @contextmanager
    def within(self, name: str) -> Iterator[None]:
        """All that is added has this before its name."""
        if name:
            self._place.append(name)
        yield
        if name:
            self._place.pop()

    def add(self, operator: str, inputs: Sequence[Value | str], shape: Shape, **attributes: Any) -> Value:
        """A node with one output; shape: of that, as in `Value`."""
        return self.add_split(operator, inputs, [shape], **attributes)[0]

    def add_split(
        self, operator: str, inputs: Sequence[Value | str], shapes: Sequence[Shape], **attributes: Any
    ) -> list[Value]:
        """A node with several outputs."""
        name = self._free(operator)
        outputs = [name] if len(shapes) == 1 else [self._free(f"{operator}.{k}") for k in range(len(shapes))]
        names = tuple(entry if isinstance(entry, str) else entry.name for entry in inputs)
        self.nodes.append(Node(operator, name, names, tuple(outputs), attributes))
        return [Value(output, tuple(shape)) for output, shape in zip(outputs, shapes, strict=True)]

    def constant(self, array: Any, name: str) -> str:
        """The name of a constant; numbers are kept as float32, whole ones as int64."""
        array = np.asarray(array)
        array = array.astype(np.int64 if array.dtype.kind in "iu" else np.float32, copy=False)
        free = self._free(name)
        self.constants[free] = array
        return free

    def weight(self, array: Any, name: str) -> str:
        """As `constant`, of a layer's weights: as float16 where the file keeps these."""
        array = np.asarray(array, np.float32)
        if not self.half or np.abs(array).max(initial=0) > LARGEST_HALF:
            return self.constant(array, name)
        free = self._free(f"{name}.half")
        self.constants[free] = array.astype(np.float16)
        return self.add("Cast", [free], array.shape, to=1).name

    def rename(self, value: Value, name: str) -> Value:
        """The same value under the name of one of the graph's outputs."""
        for index, node in enumerate(self.nodes):
            inputs = tuple(name if entry == value.name else entry for entry in node.inputs)
            outputs = tuple(name if entry == value.name else entry for entry in node.outputs)
            self.nodes[index] = replace(node, inputs=inputs, outputs=outputs)
        return Value(name, value.shape)

    def _free(self, name: str) -> str:
        """A name that nothing has yet: the place, and a number where it is needed."""
        whole = ".".join([*self._place, name])
        free, number = whole, 1
        while free in self._names:
            number += 1
            free = f"{whole}.{number}"
        self._names.add(free)
        return free
