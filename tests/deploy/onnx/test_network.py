"""Whole models as ONNX files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from onnx_files import judge, refer, run
from small_models import pictures, small_model

from residua.data import Pictures
from residua.data.batches import Batches
from residua.data.preprocessing import Preprocessing
from residua.deploy.onnx.network import to_onnx
from residua.errors import ConfigError
from residua.models.calibration import Calibration
from residua.models.cards import MODELS
from residua.models.ensemble import join_models
from residua.training.inference import predict_probabilities

SIZES = {
    "airbench94": 32,
    "capsnet": 28,
    "lenet5": 16,
    "alexnet": 64,
    "alexnet-one-tower": 64,
    "squeezenet": 32,
}


def _answers(engine, model, x):
    images = Pictures(x, np.zeros(len(x), np.int64), tuple(map(str, range(len(x)))))
    batches = Batches(images, model.preprocessing, None, 8)
    return predict_probabilities(engine, *model.frozen(), batches).probabilities


def _check(engine, model, x, tolerance=1e-5):
    exported = to_onnx(model)
    probabilities, logits = run(exported.content, images=x)
    assert np.abs(probabilities - _answers(engine, model, x)).max() <= tolerance
    assert np.isfinite(logits).all()
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(e / e.sum(axis=1, keepdims=True), probabilities, atol=1e-6)
    return exported, logits


@pytest.mark.sample(5)
@pytest.mark.parametrize("name", MODELS)
def test_every_model_of_the_table_answers_the_same_in_onnx_runtime(name, engine, rng):
    size = SIZES.get(name, 32 if name.startswith("vgg") and name != "vgg8" else 12)
    channels = MODELS[name].input_shape[2]
    model = small_model(name, size, channels=channels)
    x = pictures(rng, 3, size, channels)
    exported, logits = _check(engine, model, x)
    judge(exported.content)
    # Untrained networks of a hundred layers are sure of one class: their logits say more.
    expected = _logits(engine, model, x)
    np.testing.assert_allclose(logits, expected, atol=1e-5 * max(1, np.abs(expected).max()))
    _check_transposes(exported)
    weights = sum(a.nbytes for a in _arrays(model.network.freeze(model.variables)[1]))
    assert exported.bytes <= 1.02 * weights + 60_000


def _logits(engine, model, x):
    network, variables = model.frozen()
    y = network.infer(engine, variables, model.preprocessing.normalize(x))
    return np.log(_answers(engine, model, x)) if network.outputs != "logits" else engine.plain(y)


def _arrays(tree):
    for value in tree.values():
        yield from _arrays(value) if isinstance(value, dict) else [value]


def _check_transposes(exported):
    """One at the front, one where maps become features, none between convolutions."""
    transposes = [index for index, node in enumerate(exported.nodes) if node.operator == "Transpose"]
    assert transposes[0] == 0
    convolutions = [index for index, node in enumerate(exported.nodes) if node.operator == "Conv"]
    assert len(transposes) <= 2
    assert all(index > convolutions[-1] for index in transposes[1:])


@pytest.mark.parametrize(("name", "count"), [("resnet8", 1), ("vgg8", 2), ("lenet5", 2), ("capsnet", 2)])
def test_layouts_change_once_and_again_where_maps_become_features(name, count):
    model = small_model(name, 32, channels=MODELS[name].input_shape[2])
    exported = to_onnx(model)
    _check_transposes(exported)
    assert sum(node.operator == "Transpose" for node in exported.nodes) == count


def test_input_and_outputs_are_as_promised():
    model = judge(to_onnx(small_model(), {"task": "classify"}).content)
    assert (model.ir_version, [(entry.domain, entry.version) for entry in model.opset_import]) == (
        8,
        [("", 17)],
    )
    assert model.producer_name == "residua"
    (images,) = model.graph.input
    sides = images.type.tensor_type.shape.dim
    assert (images.name, images.type.tensor_type.elem_type, images.type.denotation) == ("images", 2, "IMAGE")
    assert [side.dim_param or side.dim_value for side in sides] == ["N", 12, 12, 3]
    assert [output.name for output in model.graph.output] == ["probabilities", "logits"]
    assert {entry.key: entry.value for entry in model.metadata_props} == {"task": "classify"}


def test_the_same_model_gives_the_same_bytes():
    assert to_onnx(small_model()).content == to_onnx(small_model()).content


def test_a_picture_gives_the_same_alone_and_in_a_batch(rng):
    content, x = to_onnx(small_model()).content, pictures(rng, 9)
    alone = np.concatenate([run(content, images=one[None])[0] for one in x])
    assert np.abs(run(content, images=x)[0] - alone).max() <= 1e-6


@pytest.mark.parametrize(
    "changes",
    [
        {"order": "BGR", "mean": (0.1, 0.5, 0.3)},
        {"source": (16, 15)},
        {"source": (9, 12)},
        {"source": (7, 20)},
        {"mean": (0.0,) * 3, "std": (1 / 255,) * 3},
    ],
    ids=str,
)
def test_preprocessing_lies_inside(changes, engine, rng):
    model = small_model()
    shape = replace(model.preprocessing, **changes)
    model = replace(model, preprocessing=shape)
    x = rng.integers(0, 256, (3, *shape.stored, 3), np.uint8)
    exported, _ = _check(engine, model, x)
    judge(exported.content)


@pytest.mark.parametrize("method", ["mean", "weighted", "vote"])
def test_ensembles(method, engine, rng):
    shapes = [Preprocessing(12, 12, 3, (mean,) * 3, (0.3,) * 3) for mean in (0.3, 0.5, 0.45)]
    members = [replace(small_model(seed=seed), preprocessing=shape) for seed, shape in enumerate(shapes)]
    weights = (0.2, 0.5, 0.3) if method == "weighted" else ()
    joined = join_models(members, ["a", "b", "c"], method, weights)
    x = pictures(rng, 6)
    exported, _ = _check(engine, joined, x)
    judge(exported.content)
    assert sum(node.operator == "Transpose" for node in exported.nodes) == 1
    hot = replace(joined, calibration=Calibration(temperature=1.7))
    _check(engine, hot, x)


@pytest.mark.parametrize("name", ["resnet8", "capsnet"])
def test_temperature_lies_inside(name, engine, rng):
    channels = MODELS[name].input_shape[2]
    model = small_model(name, SIZES.get(name, 12), channels=channels)
    x = pictures(rng, 4, SIZES.get(name, 12), channels)
    cold = _answers(engine, model, x)
    hot = replace(model, calibration=Calibration(temperature=2.5))
    exported, _ = _check(engine, hot, x)
    assert np.abs(run(exported.content, images=x)[0] - cold).max() > 1e-3


def test_the_reference_agrees(engine, rng):
    model, x = small_model(), pictures(rng, 8)
    probabilities, _ = refer(judge(to_onnx(model).content), images=x)
    assert np.abs(probabilities - _answers(engine, model, x)).max() <= 1e-5


def test_openvino_reads_the_same_file(engine, rng, tmp_path):
    openvino = pytest.importorskip("openvino", reason="openvino is not installed")
    model, x = small_model(), pictures(rng, 4)
    file = tmp_path / "model.onnx"
    file.write_bytes(to_onnx(model).content)
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    answers = compiled(x)
    assert np.abs(answers["probabilities"] - _answers(engine, model, x)).max() <= 1e-5


def test_half_the_size_with_nearly_the_same_answers(engine, rng):
    model, x = small_model(), pictures(rng, 8)
    half = to_onnx(model, half=True)
    judge(half.content)
    assert half.bytes < 0.6 * to_onnx(model).bytes
    difference = np.abs(run(half.content, images=x)[0] - _answers(engine, model, x)).max()
    assert 0 < difference < 1e-2


def test_too_large_for_a_protocol_buffer(monkeypatch):
    monkeypatch.setattr("residua.deploy.onnx.network.MOST_BYTES", 1000)
    with pytest.raises(ConfigError, match=r"at most 2 GB, and this model takes .*--half"):
        to_onnx(small_model())
