"""ONNX files held to the onnx package and run by its reference and by ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest

from residua.deploy.onnx import messages
from residua.deploy.onnx.graph import Graph, Value
from residua.deploy.onnx.messages import Port
from residua.deploy.onnx.operations.table import WRITERS

onnx = pytest.importorskip("onnx", reason="the judge of ONNX files, onnx, is not installed")


def as_stored(array):
    """Pictures (N, H, W, C) as they lie in the graph."""
    return np.ascontiguousarray(array.transpose(0, 3, 1, 2)) if array.ndim == 4 else array


def layer_file(layer, v, shape, opset=messages.OPSET):
    """The bytes of a file that is one layer, for a batch of this shape, with the nodes in it."""
    graph = Graph(WRITERS)
    x = Value("x", tuple(shape[1:]))
    y = graph.layer(layer, v, x)
    if y is x:
        y = graph.add("Identity", [x], x.shape)
    sizes = [as_stored(np.empty((1, *value.shape))).shape[1:] for value in (x, y)]
    whole = messages.graph(
        "layer", graph.nodes, graph.constants, [Port("x", sizes[0])], [Port(y.name, sizes[1])]
    )
    return b"".join(messages.model(whole, {}, ("residua", "0"), "a layer", opset)), graph.nodes


def judge(content):
    """The parsed file, once the checker and strict shape inference have passed it."""
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    for output in inferred.graph.output:
        assert output.type.tensor_type.shape.dim[0].dim_param == "N"
    return model


def refer(model, **inputs):
    """What the onnx package's own evaluator gives."""
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(model).run(None, inputs)


def run(content, **inputs):
    """What ONNX Runtime gives, with one thread."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)
