"""A whole model as an ONNX graph: pictures of bytes in, probabilities and logits out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from residua.data.preprocessing import Preprocessing
from residua.data.resampling import resize_weights
from residua.deploy.onnx import messages
from residua.deploy.onnx.graph import Graph, Value
from residua.deploy.onnx.messages import Node, Port
from residua.deploy.onnx.operations.table import WRITERS
from residua.deploy.onnx.protobuf import size
from residua.errors import ConfigError
from residua.layers import PROBABILITIES, Logarithm
from residua.models.model_file import Model

IMAGES, PROBABILITIES_OUT, LOGITS = "images", "probabilities", "logits"
MOST_BYTES = 2**31 - 1  # of one protocol buffer


@dataclass(frozen=True)
class Exported:
    """An ONNX file before it is written: its chunks of bytes, and the nodes in it."""

    chunks: list[bytes | memoryview]
    nodes: tuple[Node, ...]

    @property
    def content(self) -> bytes:
        """The whole file."""
        return b"".join(self.chunks)

    @property
    def bytes(self) -> int:
        """Its size."""
        return size(self.chunks)


def to_onnx(
    model: Model,
    metadata: Mapping[str, str] | None = None,
    *,
    half: bool = False,
    opset: int = messages.OPSET,
) -> Exported:
    """The model as an ONNX file.

    Input `images`: (N, H, W, C) uint8 of the size that the model's pictures are stored in. Outputs
    `probabilities` and `logits`, (N, classes) float32, of which softmax makes the former; of a network whose
    own outputs are probabilities or lengths, the logits are the probabilities' logarithms. half: weights as
    float16. opset: one of `messages.IR_VERSIONS`. Raises ConfigError for a layer without an export and for
    models beyond 2 GB.
    """
    graph, shape = Graph(WRITERS, half=half), model.preprocessing
    images = Value(IMAGES, (*shape.stored, shape.channels))
    pixels = write_preprocessing(graph, shape, images)
    network, variables = model.frozen()
    outputs = graph.layer(network, variables, pixels)
    if outputs is pixels:
        outputs = graph.add("Identity", [outputs], outputs.shape)
    probabilities = graph.layer(PROBABILITIES[network.outputs], {}, outputs)
    if network.outputs == "logits":
        logits = outputs
    else:
        logits = graph.layer(Logarithm(), {}, probabilities)
    graph.rename(logits, LOGITS)
    graph.rename(probabilities, PROBABILITIES_OUT)
    axes = ("DATA_BATCH", "DATA_FEATURE", "DATA_FEATURE", "DATA_CHANNEL")
    whole = messages.graph(
        model.name,
        graph.nodes,
        graph.constants,
        [Port(IMAGES, images.shape, "uint8", "IMAGE", axes)],
        [Port(PROBABILITIES_OUT, (len(model.classes),)), Port(LOGITS, (len(model.classes),))],
    )
    producer = ("residua", version("residua"))
    about = f"{model.name}: names what is in a picture"
    chunks = messages.model(whole, metadata or {}, producer, about, opset)
    if (total := size(chunks)) > MOST_BYTES:
        raise ConfigError(
            f"an ONNX file holds at most 2 GB, and this model takes {total / 2**30:.1f} GB: "
            "export its members one by one, or with --half"
        )
    return Exported(chunks, tuple(graph.nodes))


def write_preprocessing(graph: Graph, shape: Preprocessing, images: Value) -> Value:
    """(N, H, W, C) bytes -> what the network sees, (N, C, height, width): pixel * scale + shift.

    Where the model sees enlarged pictures or the middle of larger ones, that too: enlarging is linear, a
    matrix for each side. The one place where pixels and channels change places.
    """
    with graph.within("preprocessing"):
        x = graph.add("Transpose", [images], images.shape, perm=[0, 3, 1, 2])
        if shape.order == "BGR":
            x = graph.add("Gather", [x, graph.constant([2, 1, 0], "order")], x.shape, axis=1)
        x = graph.add("Cast", [x], x.shape, to=messages.TYPES["float32"])
        scale, shift = shape.scale_and_shift
        if np.any(scale != 1):
            x = graph.add("Mul", [x, graph.constant(x.along(scale), "scale")], x.shape)
        if np.any(shift != 0):
            x = graph.add("Add", [x, graph.constant(x.along(shift), "shift")], x.shape)
        return _view(graph, shape, x)


def _view(graph: Graph, shape: Preprocessing, x: Value) -> Value:
    """The middle of pictures at the size that the network takes, as `views.extract_view` has it."""
    height, width, channels = shape.height, shape.width, shape.channels
    stored_h, stored_w = shape.stored
    h, w = max(height, stored_h), max(width, stored_w)
    if w > stored_w:
        across = graph.constant(resize_weights(w, stored_w).T, "across")
        x = graph.add("MatMul", [x, across], (stored_h, w, channels))
    if h > stored_h:
        down = graph.constant(resize_weights(h, stored_h), "down")
        x = graph.add("MatMul", [down, x], (h, w, channels))
    if (h, w) == (height, width):
        return x
    top, left = (h - height) // 2, (w - width) // 2
    bounds = ([top, left], [top + height, left + width], [2, 3])
    names = [
        graph.constant(numbers, name)
        for numbers, name in zip(bounds, ("starts", "ends", "axes"), strict=True)
    ]
    return graph.add("Slice", [x, *names], (height, width, channels))
