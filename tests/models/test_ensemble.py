"""Ensembles: what members say together, as one file, and what the report says that each is worth."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tiny import TINY, answered, paint_folder, refused

from residua import api
from residua.config import ModelOptions
from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.errors import ConfigError, DataError, ModelFileError
from residua.files.tensors import read_tensors, write_tensors
from residua.layers.ensemble import combine
from residua.models import build_model
from residua.models.ensemble import best_weights, join_models
from residua.models.model_file import KIND, VERSION, Model, load_model, save_model
from residua.training.inference import predict_probabilities
from residua.training.progress import Quiet

A = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]], np.float32)
B = np.array([[0.1, 0.8, 0.1], [0.3, 0.6, 0.1], [0.5, 0.3, 0.2]], np.float32)
C = np.array([[0.4, 0.35, 0.25], [0.5, 0.1, 0.4], [0.5, 0.4, 0.1]], np.float32)


def untrained(seed, name="resnet8", classes=("a", "b", "c"), look=None, side=18):
    look = look or Preprocessing(side, side, 1, (0.1 * (seed + 1),), (0.2 + 0.1 * seed,))
    network = build_model(
        ModelOptions(model=name, width=8), channels=1, classes=len(classes), size=(look.height, look.width)
    )
    return Model(name, network, network.init(np.random.default_rng(seed)), classes, look, {"seed": seed})


def probabilities(engine, model, images):
    pictures = Pictures(images, np.zeros(len(images), np.int64), tuple(map(str, range(len(images)))))
    return predict_probabilities(
        engine, *model.frozen(), Batches(pictures, model.preprocessing, None, 4)
    ).probabilities


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (6, 18, 18, 1), np.uint8)


# ---------------------------------------------------------------- together
def test_mean_and_weighted_mean():
    np.testing.assert_allclose(combine(np, [A, B], "mean", (0.5, 0.5)), (A + B) / 2)
    np.testing.assert_allclose(
        combine(np, [A, B, C], "weighted", (0.2, 0.5, 0.3)), 0.2 * A + 0.5 * B + 0.3 * C, rtol=1e-6
    )


def test_the_majority_wins_and_the_mean_decides_between_equals():
    """Votes: 0 1 0, then 1 1 0, then 2 0 0."""
    third = (1 / 3,) * 3
    y = combine(np, [A, B, C], "vote", third)
    assert y.argmax(axis=1).tolist() == [0, 1, 0]
    assert combine(np, [A, B, C], "mean", third).argmax(axis=1).tolist() == [1, 1, 0]
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)
    # One vote each: 0.6 + 0.1 for the first class, 0.3 + 0.8 for the second.
    assert combine(np, [A, B], "vote", (0.5, 0.5)).argmax(axis=1).tolist() == [1, 1, 2]


@pytest.mark.parametrize("method", ["mean", "weighted", "vote"])
def test_members_see_what_they_were_trained_on(engine, images, method):
    """Different preprocessing, different kinds of outputs: to the last digit what each says alone."""
    members = [untrained(0), untrained(1, "capsnet"), untrained(2, "preresnet20")]
    weights = (0.5, 0.2, 0.3) if method == "weighted" else ()
    joined = join_models(members, ["x", "y", "z"], method, weights)
    parts = [probabilities(engine, member, images) for member in members]
    expected = combine(np, parts, method, weights or (1 / 3,) * 3)
    assert np.array_equal(probabilities(engine, joined, images), expected)


@pytest.mark.parametrize(
    ("reading", "told"),
    [
        ({"source": (24, 20)}, "18x18x3 made of 24x20"),
        ({"resize": 20}, "18x18x3 out of the middle of 20x20"),
        ({"order": "BGR"}, "18x18x3 in the order BGR"),
    ],
)
def test_members_pictures_are_read_as_they_were_trained(engine, rng, reading, told):
    def member(seed, **reading):
        look = Preprocessing(18, 18, 3, (0.1, 0.4, 0.7), (0.2, 0.3, 0.1 + 0.1 * seed), **reading)
        network = build_model(ModelOptions(model="resnet8", width=4), channels=3, classes=3, size=(18, 18))
        return Model("resnet8", network, network.init(np.random.default_rng(seed)), ("a", "b", "c"), look, {})

    members = [member(0, **reading), member(1, **reading)]
    joined = join_models(members, ["x", "y"])
    look = members[0].preprocessing
    assert (joined.preprocessing.reading, joined.preprocessing.stored) == (look.reading, look.stored)
    images = rng.integers(0, 256, (4, *look.stored, 3), np.uint8)
    parts = [probabilities(engine, one, images) for one in members]
    np.testing.assert_allclose(probabilities(engine, joined, images), sum(parts) / 2, atol=1e-6)
    with pytest.raises(DataError, match=f"y takes pictures of {told}, x of 18x18x3: .*from one base"):
        join_models([member(0), members[1]], ["x", "y"])


def test_an_ensemble_may_be_a_member(engine, images):
    pair = join_models([untrained(0), untrained(1)], ["x", "y"])
    whole = join_models([pair, untrained(2)], ["pair", "z"], "weighted", (0.75, 0.25))
    parts = [probabilities(engine, model, images) for model in (pair, untrained(2))]
    np.testing.assert_allclose(
        probabilities(engine, whole, images), 0.75 * parts[0] + 0.25 * parts[1], atol=1e-6
    )


def test_the_fast_engine_agrees(engine, images):
    fast = pytest.importorskip("residua.engines.numba").NumbaEngine(1)
    joined = join_models([untrained(0, "capsnet"), untrained(1, "capsnet")], ["x", "y"], "vote")
    images = np.concatenate([images] * 4)  # often enough to be played back
    expected = probabilities(engine, joined, images)
    np.testing.assert_allclose(probabilities(fast, joined, images), expected, atol=1e-4)


# ---------------------------------------------------------------- weights
def test_weights_make_the_labels_most_probable(rng):
    labels = rng.integers(0, 4, 500)

    def member(right):
        logits = rng.normal(size=(500, 4)) + right * np.eye(4)[labels]
        e = np.exp(logits)
        return (e / e.sum(axis=1, keepdims=True)).astype(np.float32)

    parts = [member(2.0), member(0.0), member(1.0)]
    weights = best_weights(parts, labels)

    def loss(given):
        return -np.log(sum(w * p[np.arange(500), labels] for w, p in zip(given, parts, strict=True))).mean()

    assert sum(weights) == pytest.approx(1, abs=1e-12)
    assert weights[0] > weights[2] > weights[1]
    steps = np.linspace(0, 1, 26)
    grid = min(loss((a, b, 1 - a - b)) for a in steps for b in steps if a + b <= 1 + 1e-9)
    assert loss(weights) <= grid + 1e-9


def test_a_member_without_any_right_answer_is_left_out():
    labels = np.zeros(3, np.int64)
    right, wrong = np.eye(2, dtype=np.float32)[[0, 0, 0]], np.eye(2, dtype=np.float32)[[1, 1, 1]]
    np.testing.assert_allclose(best_weights([right, wrong], labels), (1, 0), atol=1e-9)


# ---------------------------------------------------------------- one file
def test_one_file_that_comes_back(engine, images, tmp_path):
    joined = join_models([untrained(0), untrained(1, "capsnet")], ["x", "y"], "weighted", (0.25, 0.75))
    save_model(tmp_path / "m", joined)
    loaded = load_model(tmp_path / "m")
    assert loaded.network == joined.network
    assert loaded.name == "ensemble of resnet8, capsnet"
    assert loaded.training["members"] == [{"file": "x", "name": "resnet8"}, {"file": "y", "name": "capsnet"}]
    before, after = (probabilities(engine, model, images) for model in (joined, loaded))
    assert np.array_equal(before, after)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("weights", [0.9, 0.9], "sum to 1"),
        ("weights", [1.0], "2 numbers"),
        ("method", "best", "mean, weighted, vote"),
        ("members", {}, "one or more members"),
        ("scales", [[1.0], [1.0, 2.0]], "for each channel"),
        ("weights", "heavy", "could not convert"),
    ],
)
def test_a_file_that_describes_no_ensemble_is_refused(tmp_path, field, value, told):
    save_model(tmp_path / "m", join_models([untrained(0), untrained(1)], ["x", "y"]))
    arrays, document = read_tensors(tmp_path / "m", KIND, VERSION)
    document["network"][field] = value
    write_tensors(tmp_path / "m", KIND, VERSION, arrays, document)
    with pytest.raises(ModelFileError, match=told) as caught:
        load_model(tmp_path / "m")
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------- the verb, on real digits
def test_an_ensemble_predicts_and_is_evaluated_like_one_model(trained, tmp_path, capsys):
    other = api.train(
        trained / "pics", run=str(tmp_path / "other"), reporter=Quiet(), **TINY | {"epochs": 6, "width": 5}
    )
    file = tmp_path / "joined.safetensors"
    answered(capsys, "ensemble", file, trained / "run", other.run)
    out = answered(capsys, "predict", file, trained / "pics" / "red", "--csv", "--top", "1")
    assert out.count("red,") == 12
    assert "ensemble" not in answered(capsys, "evaluate", file)
    assert "member2" in answered(capsys, "summary", file)


# ---------------------------------------------------------------- what cannot be
def test_members_that_do_not_fit_are_named(trained, members, tmp_path, capsys):
    line = refused(capsys, "ensemble", tmp_path / "m", trained / "run", members / "one")
    assert f"{members / 'one'} knows the classes 0, 1, 2, 3, ... (10), {trained / 'run'} blue, red" in line
    assert "with the same classes" in line
    assert not (tmp_path / "m").exists()
    with pytest.raises(DataError, match=r"y knows the classes b, a, c, x a, b, c in another order"):
        join_models([untrained(0), untrained(1, classes=("b", "a", "c"))], ["x", "y"])
    with pytest.raises(DataError, match=r"y takes pictures of 20x20x1, x of 18x18x1: .*--size"):
        join_models([untrained(0), untrained(1, side=20)], ["x", "y"])


def test_calls_that_cannot_be_carried_out(trained, members, tmp_path, capsys):
    line = refused(capsys, "ensemble", tmp_path / "m", trained / "run")
    assert "two or more models; 1 came after it" in line
    line = refused(capsys, "ensemble", members / "one", members / "two", members / "three")
    assert "one exists already: give a new file's name before the models" in line
    line = refused(capsys, "ensemble", tmp_path / "m", members / "one", tmp_path / "absent")
    assert "absent" in line
    with pytest.raises(ConfigError, match="takes two or more models; it was given 1"):
        join_models([untrained(0)], ["x"])
    with pytest.raises(ConfigError, match="a weight for each member"):
        join_models([untrained(0), untrained(1)], ["x", "y"], "weighted")


def test_weights_need_pictures(tmp_path, capsys):
    for seed in (0, 1):
        save_model(tmp_path / str(seed), untrained(seed))
    files = [tmp_path / "0", tmp_path / "1"]
    line = refused(capsys, "ensemble", tmp_path / "m", *files, "--method", "weighted")
    assert "weights are chosen on validation pictures" in line
    assert "--data" in line
    assert answered(capsys, "ensemble", tmp_path / "m", *files) == ""
    assert load_model(tmp_path / "m").classes == ("a", "b", "c")


def test_other_data_may_be_named(trained, tmp_path, capsys):
    """A folder without splits of its own is taken whole."""
    other = paint_folder(tmp_path / "more", count=4, seed=9)
    out = answered(
        capsys, "ensemble", tmp_path / "m", trained / "run", trained / "run" / "last.safetensors",
        "--data", other, "--json",
    )  # fmt: skip
    assert json.loads(out)["pictures"] == 8
