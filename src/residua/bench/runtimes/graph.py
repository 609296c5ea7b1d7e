"""A frozen network alone as an ONNX file of float pictures, channels first: what the runtimes read.

The graph is that of `residua export` without what lies around the network there: no bytes to make float32 of,
no softmax behind the logits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from residua.bench.networks import Network
from residua.deploy.onnx import messages
from residua.deploy.onnx.graph import Graph, Value
from residua.deploy.onnx.messages import Port
from residua.deploy.onnx.operations.table import WRITERS

PICTURES, LOGITS = "images", "logits"


def write_graph(network: Network, file: Path) -> None:
    """The network with the weights that every side begins with, those of the first seed."""
    layers = network.build()
    frozen, variables = layers.freeze(layers.init(np.random.default_rng(0)))
    graph, size = Graph(WRITERS), network.size
    graph.rename(graph.layer(frozen, variables, Value(PICTURES, (size, size, 3))), LOGITS)
    whole = messages.graph(
        network.title,
        graph.nodes,
        graph.constants,
        [Port(PICTURES, (3, size, size))],
        [Port(LOGITS, (network.classes,))],
    )
    chunks = messages.model(whole, {}, ("residua", ""), network.title)
    file.write_bytes(b"".join(chunks))
