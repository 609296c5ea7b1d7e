"""The engine of a page, in Node, held to residua's own."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from layer_cases import CASES
from page_scripts import run_in_node, text_of

from residua.config import ModelOptions
from residua.deploy.page.layers import LAYERS_OF_PAGES
from residua.deploy.page.packing import pack_layer
from residua.deploy.page.sources import engine_script, kernel, page_script, served_script
from residua.layers import LAYERS, PROBABILITIES, Logarithm
from residua.models import MODELS
from residua.models.build import build_model

MOST_BYTES = 40_000
COMPUTE = """
const answers = input.payload.map((given) => {
  const network = new Network(kernel, given, bytesOf(given.bytes));
  return given.x.map((row) => {
    network.memory.top = network.prepared;
    const y = run(network.memory, network.layer, network.v, network.memory.keep(given.shape, row));
    return { shape: y.shape, y: Array.from(network.memory.numbers(y)) };
  });
});
console.log(JSON.stringify(answers));
"""


def _moved(tree, rng):
    """Variables that are none of the zeros and ones that they begin with."""
    if isinstance(tree, dict):
        return {name: _moved(inner, rng) for name, inner in tree.items()}
    if tree.dtype.kind != "f":
        return tree
    return (tree + rng.uniform(0.05, 0.2, tree.shape)).astype(np.float32)


def _given(packed, x):
    rows = [row.ravel().tolist() for row in x]
    return {**packed.document, "bytes": text_of(packed.content), "shape": list(x.shape[1:]), "x": rows}


def test_engine_and_kernel_are_small():
    assert len(engine_script().encode()) + len(kernel()) <= MOST_BYTES


def test_the_table_of_layers_is_that_of_the_scripts():
    names = run_in_node(f"{engine_script()}\nconsole.log(JSON.stringify(Object.keys(LAYERS)));", None)
    assert sorted(names) == sorted(LAYERS_OF_PAGES)


def test_every_layer_is_the_same_in_a_page(engine, rng):
    given, expected = [], []
    for name in LAYERS:
        for layer, shape in CASES[name]:
            v = _moved(layer.init(rng), rng)
            x = rng.normal(size=shape).astype(np.float32)
            x = np.abs(x) if isinstance(layer, Logarithm) else x
            frozen, variables = layer.freeze(v)
            expected.append((layer, np.asarray(engine.plain(frozen.infer(engine, variables, x)))))
            given.append(_given(pack_layer(frozen, variables), x))
    answers = run_in_node(f"{engine_script()}\n{COMPUTE}", given)
    for (layer, y), rows in zip(expected, answers, strict=True):
        assert {tuple(row["shape"]) for row in rows} == {y.shape[1:]}, layer
        found = np.array([row["y"] for row in rows]).reshape(y.shape)
        assert np.abs(found - y).max() <= 3e-6 * max(1.0, float(np.abs(y).max())), layer


@pytest.mark.parametrize("half", [False, True])
def test_weights_of_half_the_size_are_those_that_numpy_rounds_to(rng, engine, half):
    from residua.layers import Linear

    layer = Linear(3, 9)
    v = {"weight": rng.normal(size=(3, 9)).astype(np.float32), "bias": rng.normal(size=9).astype(np.float32)}
    v["weight"][0, :4] = (0, 6e-8, -1e-5, 60000)
    packed = pack_layer(layer, v, half=half)
    rounded = v["weight"].astype(np.float16 if half else np.float32).astype(np.float32)
    (rows,) = run_in_node(f"{engine_script()}\n{COMPUTE}", [_given(packed, np.eye(3, dtype=np.float32))])
    found = np.array([row["y"] for row in rows], np.float32)
    assert np.array_equal(found, rounded + v["bias"])
    assert len(packed.content) == (56 if half else 108) + 36


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", ["lenet5", "capsnet", "vgg8", "preresnet20", "plain20", "airbench94"])
def test_whole_networks_are_the_same_in_a_page(name, engine, rng):
    height, width, channels = MODELS[name].input_shape
    network = build_model(ModelOptions(model=name), channels=channels, classes=10, size=(height, width))
    frozen, variables = network.freeze(_moved(network.init(rng), rng))
    x = rng.normal(size=(1, height, width, channels)).astype(np.float32)
    expected = np.asarray(engine.plain(frozen.infer(engine, variables, x)))[0]
    shares = np.asarray(engine.plain(PROBABILITIES[frozen.outputs].infer(engine, {}, expected[None])))[0]
    given = _given(pack_layer(frozen, variables), x)
    script = """
    const network = new Network(kernel, input.payload, bytesOf(input.payload.bytes));
    console.log(JSON.stringify(network.answer(input.payload.x[0], input.payload.shape)));
    """
    answer = run_in_node(f"{engine_script()}\n{script}", given)
    assert np.abs(np.array(answer["outputs"]) - expected).max() <= 3e-6 * np.abs(expected).max()
    assert np.abs(np.array(answer["probabilities"]) - shares).max() <= 1e-5


@pytest.mark.parametrize("script", [page_script, served_script])
def test_no_two_files_of_a_page_give_the_same_name(script):
    names = re.findall(
        r"^(?:async )?(?:function\*?|class|const|let) (\w+)", script(), re.MULTILINE
    )  # of two functions, the second would silently count for both
    assert len(names) > 10
    assert [name for name, count in Counter(names).items() if count > 1] == []
