"""What a model file keeps of a classifier, and what comes back, of files of whichever origin."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from tiny import answered

import residua
from residua.classifier.storage import KEY, Stored, read_classifier, with_classifier
from residua.errors import ConfigError, ModelFileError
from residua.models.model_file import load_model, save_model


def again(classifier, path):
    classifier.save(path)
    return residua.Classifier.load(path)


@pytest.mark.parametrize(
    "names",
    [
        np.array(["bar left", "bar middle", "bar right"]),
        np.array(["a", "b", "c"], object),
        np.array([10, 20, 30], np.int16),
        np.array([1.0, 2.0, 3.0], np.float32),
        np.array([b"a", b"b", b"c"]),
        np.array(["2020-01-01", "2021-01-01", "2022-01-01"], "M8[D]"),
        np.array([date(2020, 1, 1), date(2021, 1, 1), date(2022, 1, 1)], object),
    ],
    ids=["text", "object", "int16", "float32", "bytes", "datetime64", "dates"],
)
def test_labels_come_back_in_their_type(on_arrays, data, tmp_path, names):
    X, y = data
    fitted = residua.Classifier(**on_arrays.get_params() | {"epochs": 1}).fit(X, names[y])
    loaded = again(fitted, tmp_path / "m.safetensors")
    assert loaded.classes_.dtype == fitted.classes_.dtype
    assert loaded.predict(X).tolist() == fitted.predict(X).tolist()
    assert loaded.score(X, names[y]) == fitted.score(X, names[y])


def test_parameters_come_back_plain(tiny, data, tmp_path):
    X, y = data
    given = {
        "epochs": np.int64(1), "rate": np.float32(0.05), "width": np.array(4),
        "validation": np.float32(0.25),
        "flip": np.bool_(False), "size": np.int64(16), "random_state": np.int64(3), "batch": Fraction(16),
        "class_weight": {np.int64(0): np.float32(2), 1: 1.0}, "options": {"average": np.float64(0.5)},
        "image_shape": np.array([8, 8]),
    }  # fmt: skip
    fitted = residua.Classifier(**tiny | given).fit(X, y)
    loaded = again(fitted, tmp_path / "m.safetensors")
    kept = loaded.get_params()
    assert kept["class_weight"] == {0: 2.0, 1: 1.0}
    assert kept["image_shape"] == (8, 8)
    assert {type(kept[name]) for name in ("epochs", "width", "size", "random_state", "batch")} == {int}
    assert type(kept["options"]["average"]) is float
    assert (loaded.predict_proba(X) == fitted.predict_proba(X)).all()
    assert loaded.fit(X, y).predict_proba(X).tolist() == fitted.predict_proba(X).tolist()


def test_what_no_file_can_keep_is_said(on_arrays, tmp_path):
    odd = residua.Classifier(**on_arrays.get_params())
    odd.__dict__.update(on_arrays.__dict__ | {"options": {"average": object()}})
    with pytest.raises(ConfigError, match=r"the parameter options\.average is <object"):
        odd.save(tmp_path / "m.safetensors")
    assert not (tmp_path / "m.safetensors").exists()


def test_rows_keep_their_range(tiny, tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 5)), np.arange(30) % 2
    X[:, 0] += 3 * y
    fitted = residua.Classifier(**tiny).fit(X, y)
    loaded = again(fitted, tmp_path / "m.safetensors")
    assert (loaded.predict_proba(X) == fitted.predict_proba(X)).all()


def test_a_runs_model_is_used_as_it_was_trained(trained):
    """Its size, colours and preprocessing; its classes by name."""
    loaded = residua.Classifier.load(trained / "run")
    assert loaded.classes_.tolist() == ["blue", "red"]
    files = sorted((trained / "pics").rglob("*.png"))
    answers = loaded.predict_proba(files)
    for prediction, row in zip(residua.predict(trained / "run", files), answers, strict=True):
        assert prediction.top[0][1] == pytest.approx(row.max(), abs=1e-6)
        assert prediction.top[0][0] == loaded.classes_[row.argmax()]
    assert loaded.score(files, [file.parent.name for file in files]) > 0.8
    assert loaded.n_features_in_ == 8 * 8 * 3
    assert loaded.predict(np.zeros((1, 8, 8, 3), np.uint8)).shape == (1,)


@pytest.mark.parametrize("said", [None, "labels.csv", ["x", "y"]])
def test_what_a_run_says_of_labels_is_no_label(trained, tmp_path, said):
    model = load_model(trained / "run")
    save_model(tmp_path / "m", replace(model, training=model.training | {"labels": said}))
    assert residua.Classifier.load(tmp_path / "m").classes_.tolist() == ["blue", "red"]


def test_an_ensemble_and_wider_files_are_read_at_their_own_size(trained, tmp_path):
    model = load_model(trained / "run")
    wider = replace(model, preprocessing=replace(model.preprocessing, resize=12))
    save_model(tmp_path / "m", wider)
    files = sorted((trained / "pics").rglob("*.png"))[:4]
    loaded = residua.Classifier.load(tmp_path / "m")
    expected = [prediction.top[0][1] for prediction in residua.predict(tmp_path / "m", files)]
    assert loaded.predict_proba(files).max(axis=1) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"epohcs": 3}},
        {"parameters": 3},
        {"labels": ["x", "y"]},
        {"labels": None},
        {"type": "O"},
        {"limits": [3, 1]},
        {"limits": "ab"},
    ],
)
def test_a_file_that_says_something_else_is_refused(on_arrays, tmp_path, change):
    model = with_classifier(on_arrays.model_, Stored({}, on_arrays.classes_))
    broken = replace(model, training=model.training | {KEY: model.training[KEY] | change})
    save_model(tmp_path / "m", broken)
    with pytest.raises(ModelFileError, match="not a usable model file") as caught:
        residua.Classifier.load(tmp_path / "m")
    assert "\n" not in str(caught.value)


def test_labels_as_they_were_kept_before(on_arrays):
    old = {"labels": [0, 1, 2], "parameters": {"epochs": 3}}
    model = replace(on_arrays.model_, training=on_arrays.model_.training | old)
    stored = read_classifier(model, {"epochs"}, "m")
    assert stored.classes.tolist() == [0, 1, 2]
    assert stored.parameters == {"epochs": 3}


def test_the_file_is_a_model_for_every_verb(on_files, files, tmp_path, capsys):
    on_files.save(tmp_path / "m.safetensors")
    folder = files[0][0].parents[1]
    said = answered(
        capsys,
        "evaluate",
        tmp_path / "m.safetensors",
        "--data",
        folder,
        "--json",
        "--output",
        tmp_path / "c.png",
    )
    assert '"pictures": 12' in said
