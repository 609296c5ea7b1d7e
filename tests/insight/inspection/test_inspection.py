"""Inside a network: taps change nothing, a planted dead unit is named, the strongest pictures are right."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from tiny import TINY, answered, call, paint_folder, refused

import residua
import residua.training.loop as loop
from residua.config import EvaluateConfig, ModelOptions
from residua.data.batches import Batches
from residua.engines import installed, open_engine
from residua.engines.numpy.engine import NumpyEngine
from residua.errors import ConfigError
from residua.insight.evaluation.predictions import predict_split
from residua.insight.inspection.channels import choose_channels, first_filters
from residua.insight.inspection.feature_map import principal_components
from residua.insight.inspection.feature_map_figure import feature_map_figure
from residua.insight.inspection.figure import filters_figure, strongest_figure
from residua.insight.inspection.numbers import activation_maps, look_inside
from residua.insight.inspection.stages import stages
from residua.insight.inspection.statistics_figure import statistics_figure
from residua.insight.inspection.text import dead_text
from residua.layers import Conv2d, Flatten, GlobalAveragePool, Linear, Sequential
from residua.layers.ensemble import Ensemble
from residua.layers.hooks import with_hooks
from residua.models import build_model
from residua.training.layer_statistics import layer_statistics, read_statistics
from residua.training.progress import Quiet

pytestmark = pytest.mark.usefixtures("quiet_cache")


@pytest.fixture(scope="module")
def looked(trained):
    """The trained model's answers on all 24 pictures, renamed, so that they are other data."""
    model = residua.load_model(trained / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(trained / "user-cache"))
        other = shutil.copytree(trained / "pics", trained / "whole", dirs_exist_ok=True)
        for number, path in enumerate(sorted((other / "red").iterdir())):
            path.rename(path.with_name(f"red-{number}.png"))
        return predict_split(model, EvaluateConfig(data=str(other)), lambda line: None)


def with_dead_channel(model, channel=2):
    """The stem's normalisation gives -1 for one channel, whatever the picture."""
    variables = json.loads("{}") | model.variables
    norm = {name: np.array(value) for name, value in variables["stem"]["norm"].items()}
    norm["weight"][channel], norm["bias"][channel] = 0, -1
    variables["stem"] = variables["stem"] | {"norm": norm}
    return replace(model, variables=variables)


# ---------------------------------------------------------------- taps
@pytest.mark.sample(2, by="engine")
@pytest.mark.parametrize("name", ["resnet8", "preresnet20", "squeezenet", "capsnet", "ensemble"])
@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_taps_change_no_bit(name, engine, rng):
    if not installed(engine):
        pytest.skip("numba is not installed")
    if (name, engine) == ("squeezenet", "numba"):
        pytest.skip("compiling its kernels takes seconds, and tells nothing more")
    if name == "ensemble":
        members = [
            build_model(ModelOptions(model="resnet8", width=4), channels=3, classes=3, size=(8, 8))
        ] * 2
        network = Ensemble(dict(zip("ab", members, strict=True)))
        size = 8
    else:
        size = {"squeezenet": 40, "capsnet": 28}.get(name, 8)
        options = ModelOptions(model=name, width=None if name == "squeezenet" else 8)
        network = build_model(options, channels=3, classes=3, size=(size, size))
    frozen, v = network.freeze(network.init(rng))
    x = rng.standard_normal((2, size, size, 3)).astype(np.float32)
    computing, heard = open_engine(engine, threads=1), {}
    tapped = with_hooks(
        frozen, lambda name, layer, y: heard.update({name: np.array(y)}), lambda name, layer: True
    )
    plain = np.array(computing.plain(frozen.infer(computing, v, x)))
    np.testing.assert_array_equal(np.array(computing.plain(tapped.infer(computing, v, x))), plain)
    assert len(heard) >= 3
    assert all(np.isfinite(y).all() for y in heard.values())
    assert not any(part in ("layers", "branches", "members") for name in heard for part in name.split("."))


def test_the_maps_of_a_stage_are_what_the_layers_compute(looked):
    model, engine = looked.model, NumpyEngine()
    images = looked.pictures.images[:3]
    maps = activation_maps(model, images, engine)
    assert list(maps) == list(stages(model)) == ["stem", "stage1", "stage2", "stage3"]
    frozen, v = model.frozen()
    x = model.preprocessing.normalize(images)
    for name, layer in list(frozen.layers.items())[:4]:
        x = layer.infer(engine, v[name], x)
        np.testing.assert_array_equal(maps[name], x)


# ---------------------------------------------------------------- what is found
def test_a_planted_dead_unit_is_named(looked):
    assert not any(dead.layer == "stem" for dead in look_inside(looked).dead)
    broken = with_dead_channel(looked.model)
    found = look_inside(replace(looked, model=broken))
    stem = next(dead for dead in found.dead if dead.layer == "stem")
    assert (stem.channels, stem.of) == ((2,), 4)
    assert "stem: 1 of 4 channels: 2" in dead_text(found)
    # In the statistics of training too.
    batches = Batches(looked.pictures, broken.preprocessing)
    rows = layer_statistics(NumpyEngine(), broken.network, broken.variables, batches)["layers"]
    assert next(row for row in rows if row["name"] == "stem")["dead"] == 1
    healthy = layer_statistics(NumpyEngine(), broken.network, looked.model.variables, batches)["layers"]
    assert next(row for row in healthy if row["name"] == "stem")["dead"] == 0


def test_the_strongest_pictures_of_a_channel_that_sees_red(looked):
    """A 1x1 kernel that answers to red minus blue, and one that is never on."""
    weight = np.zeros((1, 1, 3, 3), np.float32)
    weight[0, 0, :, 0] = 1, 0, -1
    weight[0, 0, :, 1] = -1, 0, 1
    network = Sequential(
        {
            "see": Conv2d(3, 3, 1, 1, 0, bias=True, relu=True),
            "flat": GlobalAveragePool(),
            "head": Linear(3, 2),
        }
    )
    variables = {
        "see": {"weight": weight, "bias": np.array([0, 0, -1], np.float32)},
        "flat": {},
        "head": {"weight": np.eye(3, 2, dtype=np.float32), "bias": np.zeros(2, np.float32)},
    }
    answers = replace(looked, model=replace(looked.model, network=network, variables=variables))
    found = look_inside(answers)
    assert (found.stage, found.rectified) == ("see", True)
    strongest = answers.labels[np.argsort(-found.peaks, axis=0)[:5]]
    red, blue = answers.classes.index("red"), answers.classes.index("blue")
    assert (strongest[:, 0] == red).all()
    assert (strongest[:, 1] == blue).all()
    assert [(dead.layer, dead.channels) for dead in found.dead] == [("see", (2,))]
    assert choose_channels(found) == [0, 1]
    # Where: the pixel of the largest difference.
    place = int(np.argmax(found.peaks[:, 0]))
    image = looked.pictures.images[found.places[place]].astype(int)
    shape = looked.model.preprocessing
    seen = (image / 255 - np.array(shape.mean)) / np.array(shape.std)
    row, column = np.unravel_index((seen[..., 0] - seen[..., 2]).argmax(), image.shape[:2])
    np.testing.assert_allclose(found.spots[place, 0], [(row + 0.5) / 8, (column + 0.5) / 8], atol=1e-6)
    strongest_figure(found, (2, 0))  # a channel that is never on, when asked for
    with pytest.raises(ConfigError, match="see has the channels 0 to 2; --channels was given 3"):
        strongest_figure(found, (3,))
    name, kernels = first_filters(answers.model)
    assert name == "see"
    np.testing.assert_array_equal(kernels, weight)
    features = np.array([[1, 0, 0]], np.float32)
    assert found.features.shape == (24, features.shape[1])


def test_principal_components_equal_scikit_learn_s(rng):
    from sklearn.decomposition import PCA

    features = (rng.standard_normal((40, 6)) * [5, 3, 1, 1, 0.5, 0.1]).astype(np.float32)
    points, shares = principal_components(features, 2)
    wanted = PCA(2, svd_solver="full").fit(features.astype(np.float64))
    np.testing.assert_allclose(
        np.abs(points), np.abs(wanted.transform(features.astype(np.float64))), atol=1e-5
    )
    np.testing.assert_allclose(shares, wanted.explained_variance_ratio_, rtol=1e-6)
    flat, none = principal_components(np.ones((5, 1), np.float32), 2)
    assert flat.shape == (5, 2)
    assert (none == 0).all()


def test_maps_of_few_and_of_equal_features(looked):
    found = look_inside(looked)
    for method in ("pca", "tsne"):
        figure = feature_map_figure(found, method)
        text = figure._suptitle.get_text()
        assert "24 pictures" in text
        assert ("t-SNE" in text) == (method == "tsne")
    few = replace(found, places=found.places[:3], features=np.ones((3, 4), np.float32))
    assert "PCA" in feature_map_figure(few, "tsne")._suptitle.get_text()


# ---------------------------------------------------------------- the verb, and bad input
def test_inside_draws_everything_of_a_run(trained, tmp_path, capsys):
    out = answered(capsys, "inside", trained / "run", trained / "pics" / "red", "--output", tmp_path)
    drawn = {path.stem for path in tmp_path.glob("*.png")}
    every = {"filters", "strongest", "map-pca", "map-tsne", "statistics"}
    assert drawn == every | {f"activations-{number}" for number in range(1, 5)}
    assert "pictures looked at" in out
    line = refused(capsys, "inside", trained / "run", "--stage", "stage9")
    assert "has no stage or layer 'stage9'. Did you mean 'stage" in line
    line = refused(capsys, "inside", trained / "run", "--stage", "head")
    assert "head gives no maps to show; stages that do: stem, stage1" in line
    assert "--channels takes numbers from 0" in refused(capsys, "inside", trained / "run", "--channels", "-1")


def test_a_network_without_convolutions_and_an_ensemble(looked, tmp_path, capsys):
    network = Sequential({"flat": Flatten(), "head": Linear(8 * 8 * 3, 2)})
    plain = replace(
        looked.model, name="plain", network=network, variables=network.init(np.random.default_rng(0))
    )
    with pytest.raises(ConfigError, match="no convolution that sees the pictures"):
        filters_figure(plain)
    path = tmp_path / "plain.safetensors"
    residua.save_model(path, plain)
    code, out, err = call(capsys, "inside", path, "--data", looked.data, "--map", "pca")
    assert code == 0
    assert "Not drawn: plain has no convolution that sees the pictures" in err
    assert "map-pca.png" in out
    from residua.models.ensemble import join_models

    residua.save_model(path, join_models([looked.model] * 2, ["a", "b"]))
    assert "is no row of layers to look into" in refused(capsys, "inside", path)
    residua.save_model(path, replace(looked.model, training={}))
    code, out, err = call(capsys, "inside", path)
    assert code == 0
    assert "name a data set with --data to see more" in err


# ---------------------------------------------------------------- statistics of training
@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_statistics_change_no_bit_of_the_training(engine, tmp_path, monkeypatch):
    if not installed(engine):
        pytest.skip("numba is not installed")
    pics = paint_folder(tmp_path / "pics")
    for name in ("with", "without"):
        if name == "without":
            monkeypatch.setattr(loop, "layer_statistics", lambda *_: {})
        run = str(tmp_path / name)
        residua.train(
            pics, run=run, reporter=Quiet(), engine=engine, final_test=False, **TINY | {"epochs": 1}
        )
    for name in ("best.safetensors", "last.safetensors", "log.jsonl"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


def test_statistics_are_taken_back_to_the_checkpoint(trained, tmp_path):
    run = shutil.copytree(trained / "run", tmp_path / "run")
    whole = (run / "statistics.jsonl").read_bytes()
    assert len(whole.splitlines()) == 10
    assert [row["epoch"] for row in read_statistics(run)] == list(range(1, 11))
    newest, _ = sorted(run.glob("checkpoint-*"), reverse=True)
    newest.unlink()  # as if killed in the last epoch, after its statistics and before its checkpoint
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(trained / "user-cache"))
        residua.train(resume=run, reporter=Quiet())
    assert (run / "statistics.jsonl").read_bytes() == whole


def test_the_picture_of_one_epoch(tmp_path):
    row = {"name": "stem", "weight_std": 0.1, "weight_most": 1.0, "mean": 0.0, "std": 1.0, "off": 0.5}
    row |= {"dead": 1, "channels": 4}
    line = {
        "epoch": 1,
        "pictures": 16,
        "layers": [row, {"name": "head", "weight_std": 0.0, "weight_most": 0}],
    }
    (tmp_path / "statistics.jsonl").write_text(json.dumps(line) + "\n")
    figure = statistics_figure(tmp_path)
    assert "1 channels off" in figure._suptitle.get_text()
    figure.canvas.draw()
