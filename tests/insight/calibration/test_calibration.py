"""Calibration: a planted temperature is recovered, errors fall, 'not sure' is said when asked."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from tiny import TINY, answered, call, paint, paint_folder, refused

import residua
from residua.data import Preprocessing
from residua.engines.numpy.engine import NumpyEngine
from residua.errors import ConfigError, ModelFileError
from residua.insight.calibration.numbers import (
    at_temperature,
    coverages,
    fit_temperature,
    reliability,
    risk_coverage,
)
from residua.insight.evaluation.tally import calibration_error
from residua.layers import Flatten, Linear, Sequential
from residua.models.calibration import Calibration, Coverage, tempered
from residua.models.model_file import Model
from residua.training.inference import LabelledProbabilities, make_infer

pytestmark = pytest.mark.usefixtures("quiet_cache")


def shares(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def honest(rng, count=6000, classes=6):
    """Logits whose probabilities are those with which the labels were drawn."""
    logits = 1.6 * rng.standard_normal((count, classes))
    labels = (shares(logits).cumsum(axis=1) < rng.random((count, 1))).sum(axis=1).clip(max=classes - 1)
    return logits, labels.astype(np.int64)


# ---------------------------------------------------------------- temperature
@pytest.mark.parametrize("planted", [0.4, 2.5])
def test_a_planted_temperature_is_recovered(planted, rng):
    logits, labels = honest(rng)
    bent = shares(logits * planted)  # too sure of itself, or too little
    found = fit_temperature(bent, labels)
    assert found == pytest.approx(planted, rel=0.06)
    after = at_temperature(bent, found)
    assert calibration_error(after, labels) < 0.5 * calibration_error(bent, labels)
    assert LabelledProbabilities(after, labels).loss < LabelledProbabilities(bent, labels).loss
    assert (after.argmax(axis=1) == bent.argmax(axis=1)).all()
    # No other temperature does better.
    best = LabelledProbabilities(after, labels).loss
    for other in (0.9 * found, 1.1 * found):
        assert LabelledProbabilities(at_temperature(bent, other), labels).loss > best


def test_no_temperature_where_nothing_can_be_wrong(rng):
    logits, labels = honest(rng, 50)
    right = shares(5 * np.eye(6)[labels] + 0.1 * logits)
    assert fit_temperature(right, labels) is None
    assert fit_temperature(np.ones((5, 1), np.float32), np.zeros(5, np.int64)) is None


def test_reliability_bins_by_hand():
    probabilities = np.array([[0.95, 0.05], [0.91, 0.09], [0.55, 0.45], [0.6, 0.4]], np.float32)
    found = reliability(probabilities, np.array([0, 1, 0, 1]), bins=10)
    assert found.counts.tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0, 2]
    assert found.confidence[9] == pytest.approx(0.93)
    assert found.accuracy[[5, 6, 9]].tolist() == [1.0, 0.0, 0.5]
    assert found.error == pytest.approx((0.45 + 0.6 + 2 * 0.43) / 4, abs=1e-6)


@pytest.mark.parametrize("kind", ["logits", "lengths", "probabilities"])
def test_the_network_answers_at_its_temperature(kind, trained, rng):
    """Whatever a network's outputs are, the tempered one gives p^(1/T)."""
    from residua.config import ModelOptions
    from residua.layers import Ensemble
    from residua.models import build_model

    engine = NumpyEngine()
    if kind == "lengths":
        network = build_model(ModelOptions(model="capsnet", width=8), channels=1, classes=3, size=(28, 28))
        x = rng.standard_normal((3, 28, 28, 1)).astype(np.float32)
    else:
        network = build_model(ModelOptions(model="resnet8", width=4), channels=3, classes=3, size=(8, 8))
        x = rng.standard_normal((3, 8, 8, 3)).astype(np.float32)
        network = Ensemble({"a": network, "b": network}) if kind == "probabilities" else network
    variables = network.init(rng)
    assert network.outputs == kind
    frozen = network.freeze(variables)
    plain = np.asarray(make_infer(engine, frozen[0])(frozen[1], x))
    layer, held = tempered(*frozen, 3.0)
    warm = np.asarray(make_infer(engine, layer)(held, x))
    np.testing.assert_allclose(warm, at_temperature(plain, 3.0), atol=1e-6)
    assert abs(warm - plain).max() > 1e-3
    assert tempered(*frozen, 1.0) == frozen


# ---------------------------------------------------------------- the verb and the file
@pytest.fixture(scope="module")
def unsure(tmp_path_factory):
    """A run whose validation pictures are hard, so that something is wrong."""
    folder = tmp_path_factory.mktemp("unsure")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(folder / "cache"))
        pics = paint_folder(folder / "pics", count=24)
        for number in range(8):  # red under blue's name, and the other way round
            name, colour = ("blue", (180, 40, 60)) if number % 2 else ("red", (60, 40, 170))
            paint(pics / name / f"z{number}.png", colour, 900 + number)
        residua.train(
            pics, run=str(folder / "run"), reporter=_quiet(), validation=0.4, **TINY | {"epochs": 8}
        )
    return folder


def _quiet():
    from residua.training.progress import Quiet

    return Quiet()


def test_calibrate_keeps_the_temperature_in_the_file(unsure, tmp_path, capsys):
    run = shutil.copytree(unsure / "run", tmp_path / "run")
    before = residua.load_model(run)
    found = json.loads(answered(capsys, "calibrate", run, "--json"))
    after = residua.load_model(run)
    assert after.calibration is not None
    assert after.calibration.temperature == found["temperature"] != 1
    assert found["after"]["loss"] < found["before"]["loss"]
    assert (run / "best-reliability.png").exists()
    assert (run / "best-risk-coverage.png").exists()
    for path in ("weight", "bias"):
        np.testing.assert_array_equal(after.variables["head"][path], before.variables["head"][path])
    # Evaluation and prediction answer at the temperature.
    evaluation = residua.evaluate(run, split="validation", say=lambda line: None)
    assert evaluation.loss == pytest.approx(found["after"]["loss"], rel=1e-5)
    assert evaluation.calibration_error == pytest.approx(found["after"]["calibration_error"], rel=1e-4)
    files = sorted((unsure / "pics").rglob("z*.png"))
    raw, warm = residua.predict(before, files), residua.predict(run / "best.safetensors", files)
    for one, two in zip(raw, warm, strict=True):
        assert one.top[0][0] == two.top[0][0]
        old = np.array([[p for _, p in one.top]], np.float32)
        new = at_temperature(old, after.calibration.temperature)[0]
        np.testing.assert_allclose([p for _, p in two.top], new, atol=1e-5)
    # A second time the first temperature is forgotten, not multiplied.
    text = answered(capsys, "calibrate", run)
    assert f"temperature                 {found['temperature']:8.4f}" in text
    assert "expected calibration error" in text
    assert "say 'not sure' below" in text


def test_calibrate_says_what_it_cannot_do(trained, tmp_path, capsys):
    pics = paint_folder(tmp_path / "pics", count=10)
    run = tmp_path / "run"
    residua.train(pics, run=str(run), reporter=_quiet(), validation=0.0, **TINY)
    whole = (run / "best.safetensors").read_bytes()
    line = refused(capsys, "calibrate", run)
    assert "this run kept none (--validation 0): name a folder of others" in line
    assert (run / "best.safetensors").read_bytes() == whole
    _, out, err = call(capsys, "calibrate", run, trained / "pics", "--output", tmp_path / "out")
    if residua.evaluate(run, trained / "pics", say=lambda line: None).accuracy == 1:
        assert "The temperature stays 1: every answer is right" in err
    assert "temperature" in out


def test_a_model_that_does_not_say_what_it_has_seen(trained, tmp_path, capsys):
    model = residua.load_model(trained / "run")
    path = tmp_path / "foreign.safetensors"
    residua.save_model(path, replace(model, training={}, seen=None))
    code, _, err = call(capsys, "calibrate", path, trained / "pics")
    assert code == 0
    assert "does not say which pictures it was trained on" in err


def test_weights_from_elsewhere_have_seen_what_is_held_out_here(tmp_path, capsys):
    network = Sequential({"flat": Flatten(), "head": Linear(64, 10)})
    model = Model(
        *("linear", network, network.init(np.random.default_rng(0)), tuple("0123456789")),
        Preprocessing(8, 8, 1, (0.3,), (0.4,)),
        {"data": "digits", "kind": "published", "imported_from": "digits.safetensors"},
    )
    path = tmp_path / "imported.safetensors"
    residua.save_model(path, model)
    for data in ([], ["digits"]):
        code, _, err = call(capsys, "calibrate", path, *data)
        assert code == 0
        assert "held out of digits's training split, which weights from elsewhere were most likely" in err
        assert "does not say which" not in err


def test_a_calibration_survives_the_file_and_a_damaged_one_is_refused(trained, tmp_path):
    model = residua.load_model(trained / "run")
    known = Calibration(1.7, "x, validation split", 9, (Coverage(0.25, 9, 7), Coverage(0.75, 4, 4)))
    path = tmp_path / "m.safetensors"
    residua.save_model(path, replace(model, calibration=known))
    assert residua.load_model(path).calibration == known
    for damage in ({"temperature": 0.0}, {"coverages": [[0.5, 3, 4]]}, {"coverages": 3}):
        bad = replace(known)
        object.__setattr__(bad, "to_dict", lambda damage=damage: known.to_dict() | damage)
        residua.save_model(path, replace(model, calibration=bad))
        with pytest.raises(ModelFileError, match="not a usable model file"):
            residua.load_model(path)


# ---------------------------------------------------------------- not sure
def test_risk_against_coverage_by_hand():
    first = np.array([0.9, 0.8, 0.8, 0.6, 0.5], np.float32)
    curve = risk_coverage(np.stack([first, 1 - first], axis=1), np.array([0, 1, 0, 0, 1]))
    assert curve.accepted.tolist() == [1, 3, 4, 5]  # equal confidence is taken together
    assert curve.right.tolist() == [1, 2, 3, 3]
    np.testing.assert_allclose(curve.risk, [0, 1 / 3, 1 / 4, 2 / 5])
    assert curve.area == pytest.approx((0 + 2 / 3 + 1 / 4 + 2 / 5) / 5)


def test_the_threshold_reaches_what_was_wanted(rng):
    logits, labels = honest(rng, 400)
    probabilities = shares(logits)
    known = Calibration(coverages=coverages(probabilities, labels))
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    for wanted in (0.6, 0.8, 0.9):
        entry = known.threshold(wanted)
        taken = confidence >= entry.threshold
        assert taken.sum() == entry.accepted
        assert right[taken].mean() >= wanted
        # Nothing lower would do.
        for lower in np.unique(confidence[confidence < entry.threshold]):
            assert right[confidence >= lower].mean() < wanted
    with pytest.raises(ConfigError, match="no threshold gave 100 %"):
        Calibration(coverages=(Coverage(0.5, 10, 9),)).threshold(1.0)


def test_predict_says_not_sure_when_asked(unsure, tmp_path, capsys):
    run = shutil.copytree(unsure / "run", tmp_path / "run")
    files = [unsure / "pics" / "blue" / "0.png", unsure / "pics" / "red" / "z0.png"]
    line = refused(capsys, "predict", run, *files, "--reject-accuracy", "0.9")
    assert "run `residua calibrate` on it first" in line
    answered(capsys, "calibrate", run)
    plain = answered(capsys, "predict", run, *files)
    assert "not sure" not in plain
    assert answered(capsys, "predict", run, *files, "--reject", "0") == plain
    every = answered(capsys, "predict", run, *files, "--reject", "1").splitlines()
    assert all("not sure   (" in entry for entry in every)
    best = max(entry.right / entry.accepted for entry in residua.load_model(run).calibration.coverages)
    asked = ("predict", run, *files, "--reject-accuracy", f"{best:.6f}"[:6])
    found = json.loads(answered(capsys, *asked, "--json"))
    least = residua.load_model(run).calibration.threshold(float(f"{best:.6f}"[:6])).threshold
    assert [entry["sure"] for entry in found] == [entry["probability"] >= least for entry in found]
    rows = list(csv.DictReader(io.StringIO(answered(capsys, *asked, "--csv"))))
    assert [row["sure"] for row in rows] == ["yes" if entry["sure"] else "no" for entry in found]
    assert "sure" not in answered(capsys, "predict", run, *files, "--csv").splitlines()[0]
    line = refused(capsys, "predict", run, *files, "--reject", "0.5", "--reject-accuracy", "0.9")
    assert line == "choose one of --reject and --reject-accuracy"
    assert "--reject takes a probability from 0 to 1" in refused(
        capsys, "predict", run, *files, "--reject", "2"
    )
