"""Every layer as operators of ONNX."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from layer_cases import CASES
from onnx_files import as_stored, judge, layer_file, refer, run

from residua.deploy.onnx.graph import Graph, Value
from residua.deploy.onnx.messages import IR_VERSIONS, OPSET
from residua.deploy.onnx.operations.table import WRITERS
from residua.errors import ConfigError
from residua.layers import LAYERS, BatchNorm2d, Conv2d, Layer, LocalResponseNorm, Logarithm, Sequential


def _moved(tree, rng):
    """Variables that are none of the zeros and ones that they begin with."""
    if isinstance(tree, dict):
        return {name: _moved(inner, rng) for name, inner in tree.items()}
    if tree.dtype.kind != "f":
        return tree
    return (tree + rng.uniform(0.05, 0.2, tree.shape)).astype(np.float32)


@pytest.mark.sample(8, by="opset")
@pytest.mark.parametrize("opset", [opset for opset in IR_VERSIONS if opset != OPSET])
@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_is_the_same_in_other_opsets(name, opset, rng):
    for layer, shape in CASES[name][:2]:
        v = _moved(layer.init(rng), rng)
        x = np.abs(rng.normal(size=shape)).astype(np.float32)
        usual, other = (layer_file(layer, v, shape, version)[0] for version in (OPSET, opset))
        model = judge(other)
        assert (model.ir_version, model.opset_import[0].version) == (IR_VERSIONS[opset], opset)
        expected, y = run(usual, x=as_stored(x))[0], run(other, x=as_stored(x))[0]
        assert np.abs(y - expected).max() <= 3e-6 * max(1.0, float(np.abs(expected).max())), layer


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_is_the_same_in_onnx(name, engine, rng):
    for layer, shape in CASES[name]:
        if isinstance(layer, LocalResponseNorm) and len(shape) == 4:
            shape = (shape[-1], *shape[1:])  # the reference takes pictures for channels in one loop
        v = _moved(layer.init(rng), rng)
        content, _ = layer_file(layer, v, shape)
        x = rng.normal(size=shape).astype(np.float32)
        if isinstance(layer, Logarithm):
            x = np.abs(x)
            x.flat[0] = 0
        frozen, variables = layer.freeze(v)
        expected = as_stored(np.asarray(engine.plain(frozen.infer(engine, variables, x))))
        model, size = judge(content), max(1.0, float(np.abs(expected).max()))
        for (y,) in (refer(model, x=as_stored(x)), run(content, x=as_stored(x))):
            assert y.shape == expected.shape
            assert np.abs(y - expected).max() <= 3e-6 * size, layer


def test_every_layer_has_a_writer_as_it_is_or_as_it_becomes(rng):
    for name, kind in LAYERS.items():
        layer = CASES[name][0][0]
        frozen, _ = layer.freeze(layer.init(rng))
        assert kind in WRITERS or type(frozen) in WRITERS, f"{name} has no export to ONNX"


@dataclass(frozen=True)
class Unheard(Layer):
    """Somebody's own."""


def test_a_layer_without_a_writer_is_named_with_its_place():
    network = Sequential({"body": Sequential({"odd": Unheard()})})
    with pytest.raises(ConfigError, match=r"the layer Unheard \(body\.odd\) has no export to ONNX"):
        Graph(WRITERS).layer(network, {"body": {"odd": {}}}, Value("x", (3,)))


def test_what_is_another_layer_for_inference_is_written_as_that(rng):
    layer = BatchNorm2d(3, relu=True)
    _, nodes = layer_file(layer, layer.init(rng), (2, 4, 4, 3))
    assert [node.operator for node in nodes] == ["Mul", "Add", "Relu"]


def test_weights_of_half_the_size_are_made_float32_where_they_are_read(rng):
    layer, graph = Conv2d(2, 3, bias=True), Graph(WRITERS, half=True)
    graph.layer(layer, layer.init(rng), Value("x", (4, 4, 2)), "conv")
    assert {name: array.dtype.name for name, array in graph.constants.items()} == {
        "conv.weight.half": "float16",
        "conv.bias": "float32",
    }
    assert [node.operator for node in graph.nodes] == ["Cast", "Conv"]


def test_weights_beyond_float16_stay_as_they_are(rng):
    layer, graph = Conv2d(2, 3), Graph(WRITERS, half=True)
    graph.layer(layer, {"weight": layer.init(rng)["weight"] + 1e5}, Value("x", (4, 4, 2)))
    assert graph.constants["weight"].dtype == np.float32
