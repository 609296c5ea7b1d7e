"""The messages of an ONNX file: tensors, nodes, inputs and outputs, the graph and the model around it.

Numbers of fields and types as in onnx.proto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, of IR
version 8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.deploy.onnx.protobuf import Chunks, content, integer, message, real

# Both of ONNX 1.12 (2022): every runtime since reads them. A newer stamp is the commonest refusal.
OPSET, IR_VERSION = 17, 8
# Opsets in which every operator that is written here says the same, with the IR version that came with each.
IR_VERSIONS = {13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10}
TYPES = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "bool": 9, "float16": 10}
_A_FLOAT, _AN_INT, _TEXT, _FLOATS, _INTS = 1, 2, 3, 6, 7  # types of attributes
BATCH = "N"  # the name of the first dimension, which is open


@dataclass(frozen=True)
class Node:
    """One operator: its inputs and outputs by name, and its attributes."""

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Port:
    """An input or output of the graph: (N, *shape) numbers of a type.

    meaning: ONNX's denotation of the type, such as IMAGE; axes: those of the dimensions, N included.
    """

    name: str
    shape: tuple[int, ...]
    type: str = "float32"
    meaning: str = ""
    axes: tuple[str, ...] = ()


def tensor(name: str, array: NDArray[Any]) -> Chunks:
    """TensorProto: a constant; little-endian whatever the machine."""
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    dims = [chunk for side in array.shape for chunk in integer(1, side)]
    kind = integer(2, TYPES[array.dtype.name])
    raw = array.reshape(-1).view(np.uint8).data if array.size else b""
    return [*dims, *kind, *content(8, name), *content(9, raw)]


def node(entry: Node) -> Chunks:
    """NodeProto."""
    chunks = [chunk for name in entry.inputs for chunk in content(1, name)]
    chunks += [chunk for name in entry.outputs for chunk in content(2, name)]
    chunks += content(3, entry.name) + content(4, entry.operator)
    for name, value in entry.attributes.items():
        chunks += message(5, _attribute(name, value))
    return chunks


def _attribute(name: str, value: Any) -> Chunks:
    """AttributeProto of a number, a text, or a list of numbers."""
    chunks = content(1, name)
    if isinstance(value, str):
        return [*chunks, *content(4, value), *integer(20, _TEXT)]
    if isinstance(value, float):
        return [*chunks, *real(2, value), *integer(20, _A_FLOAT)]
    if isinstance(value, int):
        return [*chunks, *integer(3, value), *integer(20, _AN_INT)]
    if any(isinstance(number, float) for number in value):
        return chunks + [chunk for number in value for chunk in real(7, number)] + integer(20, _FLOATS)
    return chunks + [chunk for number in value for chunk in integer(8, number)] + integer(20, _INTS)


def port(entry: Port) -> Chunks:
    """ValueInfoProto: name, type and shape, with the batch's size left open."""
    meanings = entry.axes or ("",) * (len(entry.shape) + 1)
    sides = [content(2, BATCH), *(integer(1, side) for side in entry.shape)]
    shape: Chunks = []
    for side, meaning in zip(sides, meanings, strict=True):
        shape += message(1, side + (content(3, meaning) if meaning else []))
    kind = message(1, integer(1, TYPES[entry.type]) + message(2, shape))
    return content(1, entry.name) + message(2, kind + (content(6, entry.meaning) if entry.meaning else []))


def graph(
    name: str,
    nodes: Sequence[Node],
    constants: Mapping[str, NDArray[Any]],
    inputs: Sequence[Port],
    outputs: Sequence[Port],
) -> Chunks:
    """GraphProto."""
    chunks: Chunks = []
    for entry in nodes:
        chunks += message(1, node(entry))
    chunks += content(2, name)
    for key, array in constants.items():
        chunks += message(5, tensor(key, array))
    for number, ports in ((11, inputs), (12, outputs)):
        for one in ports:
            chunks += message(number, port(one))
    return chunks


def model(
    graph: Chunks,
    metadata: Mapping[str, str],
    producer: tuple[str, str],
    description: str,
    opset: int = OPSET,
) -> Chunks:
    """ModelProto: the whole file. producer: name and version of the program that wrote it."""
    chunks = integer(1, IR_VERSIONS[opset]) + content(2, producer[0]) + content(3, producer[1])
    chunks += content(6, description) + message(7, graph)
    chunks += message(8, content(1, "") + integer(2, opset))
    for key, value in metadata.items():
        chunks += message(14, content(1, key) + content(2, value))
    return chunks
