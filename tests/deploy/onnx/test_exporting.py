"""A model exported: the proof, and what smaller weights cost."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from onnx_files import judge, onnx
from small_models import small_model

from residua.api import import_weights
from residua.config import ExportConfig
from residua.deploy import packages
from residua.deploy.onnx import exporting, runtime, verification
from residua.deploy.onnx.exporting import export_model
from residua.deploy.onnx.network import to_onnx
from residua.deploy.onnx.quantization import kept_float, quantize
from residua.deploy.onnx.text import _proof_lines, export_text
from residua.deploy.onnx.verification import find_answers, noise_pictures, settle, verify
from residua.errors import ConfigError, ResiduaError
from residua.models.ensemble import join_models
from residua.models.model_file import load_model

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
ONE = {"threads": 1, "engine": "numpy"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(runtime, "SECONDS", 0.0)


@pytest.fixture(scope="module")
def digits(members):
    return load_model(members / "one" / "best.safetensors")


def test_a_model_is_proved_on_its_validation_pictures(digits):
    found = export_model(digits, ExportConfig(**ONE), print)
    proof = found.verification
    assert proof.passed
    assert proof.pictures == proof.same > 100
    assert proof.largest_difference <= 1e-5
    assert proof.accuracy == proof.onnx_accuracy
    assert (proof.data, proof.split) == ("digits, validation split", "validation")
    model = judge(found.content)
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(about["residua.model"])["classes"] == list(digits.classes)
    document = found.to_dict()
    assert json.loads(json.dumps(document)) == document
    text = export_text(found)
    assert "full check and strict shapes passed" in text
    assert f"the same answer for {proof.pictures}" in text


def test_a_model_without_data_is_proved_on_noise():
    said = []
    found = export_model(small_model(), ExportConfig(**ONE, proof_pictures=50), said.append)
    assert found.verification.data == "noise"
    assert found.verification.pictures == 50
    assert found.verification.accuracy is None
    assert said[0].startswith("The proof takes noise, for there are no pictures of its own")
    assert "50 pictures of noise" in export_text(found)


def test_data_that_were_named_are_needed(tmp_path):
    with pytest.raises(ResiduaError, match="nowhere"):
        export_model(small_model(), ExportConfig(**ONE, verify=str(tmp_path / "nowhere")), print)


def test_a_file_that_answers_otherwise_is_not_proved(monkeypatch, digits):
    def broken(model, metadata=None, **options):
        return to_onnx(replace(model, variables=model.network.init(np.random.default_rng(1))), metadata)

    monkeypatch.setattr(exporting, "to_onnx", broken)
    with pytest.raises(ResiduaError, match=r"the proof fails, and nothing is written: of 1\d\d pictures"):
        export_model(digits, ExportConfig(**ONE), print)
    assert export_model(digits, ExportConfig(**ONE, proof=False), print).verification is None


def test_near_ties_are_counted_and_changed_ones_named():
    model = small_model(classes=2)
    session = runtime.open_session(to_onnx(model).content, 1)
    part = noise_pictures(model, 4)
    answered = verification.answer(model, verification.EvaluateConfig(engine="numpy"), part)
    theirs = verify(session, answered, 3)[1]
    tied = np.array([[0.5, 0.5 - 1e-6], [0.5 - 1e-6, 0.5], *theirs[2:]], np.float32)
    found, _ = verify(_Session(tied[:, ::-1]), replace(answered, probabilities=tied), 64)
    # Two classes changed places everywhere; only near ties may.
    assert found.near_ties == 2
    assert len(found.changes) == 4
    assert not found.passed
    swapped = np.concatenate([tied[:2, ::-1], tied[2:]])
    found, _ = verify(_Session(swapped), replace(answered, probabilities=tied), 64)
    assert found.passed
    assert found.same == 2
    assert found.changes[0].picture in {"noise[0]", "noise[1]"}
    text = "\n".join(_proof_lines(found))
    assert "near ties (two best within 1e-05): 2" in text
    assert "noise[0]: class 0, by ONNX Runtime class 1; they lie 1.0e-06 apart" in text


def test_what_a_fast_engine_rounds_away_is_settled_by_the_reference(digits):
    config = ExportConfig(**ONE)
    answered = find_answers(digits, config, print)
    rounded = answered.probabilities.copy()
    rounded[3] += np.float32(2e-5)
    rounded[5] = rounded[5, ::-1]
    session = runtime.open_session(to_onnx(digits).content, 1)
    assert not verify(session, replace(answered, probabilities=rounded), 64)[0].passed
    settled, found, _ = settle(session, replace(answered, probabilities=rounded), config)
    assert found.passed
    assert np.abs(settled.probabilities - answered.probabilities).max() <= 1e-6


class _Session:
    """A runtime that answers what it is told."""

    def __init__(self, probabilities):
        self.probabilities = probabilities

    def run(self, names, inputs):
        return [self.probabilities]


def test_half_costs_next_to_nothing(digits):
    found = export_model(digits, ExportConfig(**ONE, half=True), print)
    cost = found.smaller
    assert found.weights == cost.weights == "float16"
    assert cost.bytes < cost.float_bytes
    assert abs(cost.loss) <= 0.005
    assert cost.calibrated_on == 0
    assert min(cost.seconds) > 0
    kinds = {entry.data_type for entry in judge(found.content).graph.initializer}
    assert onnx.TensorProto.FLOAT16 in kinds
    text = export_text(found)
    assert "float16 beside float32" in text
    assert "speed in ONNX Runtime" in text


def test_eight_bits_are_fitted_on_some_pictures_and_measured_on_others(monkeypatch, digits):
    monkeypatch.setattr(exporting, "MOST_LOSS", 1.0)  # of so few pictures one is more than half a point
    found = export_model(digits, ExportConfig(**ONE, int8=True), print)
    cost = found.smaller
    assert cost.calibrated_on + cost.pictures == found.verification.pictures
    assert cost.calibrated_on == found.verification.pictures // 3
    assert -0.2 < cost.loss < 0.2
    model = judge(found.content)
    assert (model.ir_version, model.producer_name, model.opset_import[0].version) == (8, "residua", 17)
    assert "residua.model" in {entry.key for entry in model.metadata_props}
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("QuantizeLinear") > 10
    scales = [entry for entry in model.graph.initializer if entry.name.endswith("weight_scale")]
    assert max(entry.dims[0] for entry in scales if entry.dims) > 1, "per channel"
    assert "fitted on" in export_text(found)


def test_another_opset_is_proved_and_told(digits):
    found = export_model(digits, ExportConfig(**ONE, opset=13), print)
    model = judge(found.content)
    assert (model.ir_version, model.opset_import[0].version) == (7, 13)
    assert found.verification.passed
    assert "opset 13, IR version 7" in export_text(found)
    assert (found.to_dict()["opset"], found.to_dict()["ir_version"]) == (13, 7)


def test_eight_bits_that_cost_more_than_half_a_point_are_refused(monkeypatch, digits):
    spoiled = small_model(size=8, channels=1, classes=10)
    monkeypatch.setattr(exporting, "quantize", lambda exported, images, metadata: to_onnx(spoiled).content)
    with pytest.raises(ResiduaError, match=r"int8 would cost \d+\.\d\d points .* and nothing"):
        export_model(digits, ExportConfig(**ONE, int8=True), print)


def test_eight_bits_need_pictures():
    with pytest.raises(ConfigError, match=r"--int8 takes 40 or more labelled .* are none: name data"):
        export_model(small_model(), ExportConfig(**ONE, int8=True), print)


def test_probabilities_and_preprocessing_keep_their_bits():
    joined = join_models([small_model(seed=0), small_model(seed=1)], ["a", "b"])
    exported = to_onnx(joined)
    kept = [node for node in exported.nodes if node.name in kept_float(exported.nodes)]
    assert [node.operator for node in kept if node.name.startswith("preprocessing")] == ["Transpose", "Cast"]
    assert [node.operator for node in kept][2:] == ["Softmax", "Softmax", "Mul", "Mul", "Add", "Max", "Log"]


def test_what_the_quantiser_cannot_do_is_one_line():
    model = small_model()
    with pytest.raises(ResiduaError, match="onnxruntime cannot quantise it: "):
        quantize(to_onnx(model), np.zeros((0, 12, 12, 3), np.uint8), {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"half": True, "int8": True}, "choose one of --half and --int8"),
        ({"proof": False, "verify": "digits"}, "--no-proof leaves out: choose one"),
        ({"proof": False, "int8": True}, "leave --no-proof out"),
    ],
)
def test_options_that_contradict_each_other(options, message):
    with pytest.raises(ConfigError, match=message):
        export_model(small_model(), ExportConfig(**options), print)


@pytest.mark.parametrize(
    ("absent", "words"),
    [
        ({"onnx"}, "onnx, which is not"),
        ({"onnxruntime"}, "onnxruntime, which is not"),
        ({"onnx", "onnxruntime"}, "onnx and onnxruntime, which are not"),
    ],
)
def test_without_the_packages_a_file_is_written_and_not_proved(monkeypatch, absent, words):
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name in absent else object())
    found = export_model(small_model(), ExportConfig(), print)
    assert found.verification is None
    assert f"{' and '.join(sorted(absent))} not installed (pip install 'residua[onnx]')" in export_text(found)
    assert export_model(small_model(), ExportConfig(half=True), print).weights == "float16"
    for options in ({"int8": True}, {"verify": "digits"}):
        with pytest.raises(ConfigError, match=rf"takes {words} installed: pip install 'residua\[onnx\]'"):
            export_model(small_model(), ExportConfig(**options), print)


def test_a_refusal_of_checker_or_runtime_is_one_line():
    for judge_file in (runtime.check_file, lambda content: runtime.open_session(content, 1)):
        with pytest.raises(ResiduaError, match="refuses the file: "):
            judge_file(b"\x08\x08no file")


@pytest.mark.exhaustive
def test_ten_thousand_pictures_of_cifar_with_published_weights(data_dir, tmp_path):
    """The published ResNet-20 names 9,173 of CIFAR-10's test pictures; so does the file."""
    weights = data_dir / "weights" / "cifar10-resnets" / "resnet20-12fca82f.th"
    if not weights.exists():
        pytest.skip("the published ResNet-20 is not in RESIDUA_DATA")
    file, _ = import_weights(weights, output=str(tmp_path / "model.safetensors"), classes="cifar10")
    config = ExportConfig(verify="cifar10", split="test", proof_pictures=10_000)
    proof = export_model(load_model(file), config, print).verification
    assert (proof.pictures, proof.same) == (10_000, 10_000)
    assert proof.largest_difference <= 1e-5
    assert round(10_000 * proof.onnx_accuracy) == 9173
