"""Transfer: a new head on a base, frozen by depth; each picture passes the frozen part once."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import answered, paint_folder, refused

import residua
from residua.config import ModelOptions, OptimizerOptions, TrainConfig
from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.engines.numpy.engine import NumpyEngine
from residua.layers import Sequential
from residua.models import build_model
from residua.models.model_file import Model, load_model, save_model
from residua.models.stages import frozen_layers
from residua.training.feature_cache import can_be_cached
from residua.training.freezing import FreezePlan
from residua.training.interruption import Interrupted
from residua.training.optimizers import make_optimizer
from residua.training.phases import make_phase
from residua.training.progress import Quiet
from residua.training.run_folder import read_log, read_run
from residua.training.step import start_state
from residua.training.task import Task
from residua.variables import flatten, trainable

FILES = ("log.jsonl", "best.safetensors", "last.safetensors")


@pytest.fixture
def base(tmp_path):
    """A resnet8 for three classes with statistics of its own, as a model file."""
    network = build_model(ModelOptions(model="resnet8", width=4, dropout=0.3), channels=3, classes=3)
    v = network.init(np.random.default_rng(3))
    rng = np.random.default_rng(4)
    for path, array in flatten(v).items():
        if path.endswith(("running_mean", "running_var")):
            array[...] = rng.uniform(0.2, 1.5, array.shape)
    shape = Preprocessing(8, 8, 3, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3), resize=10)
    path = tmp_path / "base.safetensors"
    save_model(path, Model("resnet8", network, v, ("a", "b", "c"), shape))
    return path


@pytest.fixture
def pics(tmp_path, quiet_cache):
    return paint_folder(tmp_path / "pics")


def transfer(pics, base, run, **options):
    chosen = {
        "batch": 4,
        "epochs": 3,
        "threads": 1,
        "engine": "numpy",
        "final_test": False,
        "reporter": Quiet(),
    }
    return residua.train(pics, run=str(run), from_=str(base), **(chosen | options))


def written(run):
    return {name: (run / name).read_bytes() for name in FILES}


# ------------------------------------------------------------------ phases
def small_phase(freeze, augment, depth_rate=0.5, **changes):
    """One step of a frozen network: state before and after."""
    rng = np.random.default_rng(0)
    network = build_model(ModelOptions(model="resnet8", width=4), channels=3, classes=2)
    v = network.init(rng)
    for path, array in flatten(v).items():
        if path.endswith(("running_mean", "running_var")):
            array[...] = rng.uniform(0.2, 1.5, array.shape)
    images = rng.integers(0, 256, (6, 8, 8, 3)).astype(np.uint8)
    pictures = Pictures(images, np.array([0, 1, 0, 1, 0, 1]), tuple("abcdef"))
    train = Batches(pictures, Preprocessing(8, 8, 3, (0.5,) * 3, (0.3,) * 3), augment, 6, 1)
    options = OptimizerOptions(rate=0.1, decay=0.0, momentum=0.0, **changes)
    shape = Preprocessing(8, 8, 3, (0.5,) * 3, (0.3,) * 3)
    task = Task(
        config=TrainConfig(optimizer=options),
        engine=NumpyEngine(),
        model=Model("resnet8", network, v, ("a", "b"), shape),
        train=train,
        validation=None,
        class_weights=None,
        fingerprint="",
        run=Path(),
        reporter=Quiet(),
        after_epoch=lambda run: None,
        freezing=FreezePlan(frozen_layers(network, freeze, "it"), None, depth_rate),
    )
    state = start_state(v, make_optimizer(options), 0.0)
    phase = make_phase(task, 0, v)
    with phase.train.epoch(0) as batches:
        batch = next(batches)
    after, results = phase.step(state, batch.images, batch.labels, None, 0.1)
    return network, v, batch, after, results


def test_a_frozen_part_runs_its_inference_network_and_stays_as_it_is():
    network, v, batch, after, results = small_phase(2, Augment())
    before, now = flatten(v), flatten(after["variables"])
    for path, array in before.items():
        kept = path.split(".")[0] in ("stem", "stage1")
        assert np.array_equal(array, now[path]) == kept or path == "head.bias", path
    # The loss, by hand: frozen layers by running statistics, the others by the batch's.
    engine = NumpyEngine()
    first = Sequential({name: network.layers[name] for name in ("stem", "stage1")})
    rest = Sequential({name: layer for name, layer in network.layers.items() if name not in first.layers})
    frozen, _ = first.freeze(v)
    logits, _, _ = rest.forward(engine, v, batch.images)
    assert float(results["loss"]) == pytest.approx(
        float(engine.softmax_cross_entropy(logits, batch.labels)[0])
    )
    assert batch.images.shape[1:] == frozen.output_shape((8, 8, 3))
    assert set(after["slots"]["velocity"]) == set(trainable(v))


def test_each_stage_moves_by_its_share_of_the_rate():
    network, v, batch, after, _ = small_phase(1, Augment(), depth_rate=0.5)
    engine = NumpyEngine()
    rest = Sequential({name: layer for name, layer in network.layers.items() if name != "stem"})
    logits, saved, _ = rest.forward(engine, v, batch.images)
    _, dlogits = engine.softmax_cross_entropy(logits, batch.labels)
    _, grads = rest.backward(engine, v, saved, dlogits)
    shares = {"head": 1.0, "stage3": 0.5, "stage2": 0.25, "stage1": 0.125}
    for path, gradient in flatten(grads).items():
        wanted = flatten(v)[path] - 0.1 * shares[path.split(".")[0]] * gradient
        np.testing.assert_allclose(flatten(after["variables"])[path], wanted, rtol=1e-5, atol=1e-7)


def test_mirrored_features_are_those_of_the_mirrored_pictures():
    """Cached or computed for every batch: the same step, to the last bit."""
    cached = small_phase("all", Augment(flip=True))
    network, v, batch, *_ = cached
    frozen, held = network.freeze(v)
    base = Sequential({name: layer for name, layer in frozen.layers.items() if name != "head"})
    rng = np.random.default_rng(0)
    network.init(rng)
    computed = small_phase("all", Augment(crop=1, flip=True))  # not cached: images are pictures
    assert batch.images.ndim == 2
    assert computed[2].images.ndim == 4
    images = computed[2].images
    assert images.shape == (6, 8, 8, 3)
    flips = Augment(flip=True)
    shape = Preprocessing(8, 8, 3, (0.5,) * 3, (0.3,) * 3)
    # The pictures of small_phase again, varied as training would.
    for path, array in flatten(v).items():
        if path.endswith(("running_mean", "running_var")):
            rng.uniform(0.2, 1.5, array.shape)
    pictures = rng.integers(0, 256, (6, 8, 8, 3)).astype(np.uint8)
    varied = flips.apply(pictures[batch.indices], shape, 1, 0, batch.indices)
    plain = shape.normalize(pictures[batch.indices])
    assert 0 < (varied != plain).any(axis=(1, 2, 3)).sum() < 6
    np.testing.assert_array_equal(base.infer(NumpyEngine(), held, varied), batch.images)


def test_what_can_be_cached():
    assert can_be_cached(None)
    assert can_be_cached(Augment())
    assert can_be_cached(Augment(flip=True))
    assert not can_be_cached(Augment(crop=1))
    assert not can_be_cached(Augment(flip=True, cutout=2))


# ------------------------------------------------------------------ whole runs
def test_a_transfer_from_start_to_use(pics, base, tmp_path):
    run = tmp_path / "run"
    result = transfer(pics, base, run, epochs=12, final_test=True, rate=0.05)
    model = load_model(result.model)
    assert model.classes == ("blue", "red")
    assert model.preprocessing == load_model(base).preprocessing
    assert (model.name, model.training["base"]) == ("resnet8", "base.safetensors")
    before, after = flatten(load_model(base).variables), flatten(model.variables)
    for path in after:
        if not path.startswith(("head", "dropout")):
            assert np.array_equal(before[path], after[path]), path
    assert read_log(run)[-1]["train_loss"] < read_log(run)[0]["train_loss"]
    assert (
        residua.evaluate(result.model, say=lambda line: None, engine="numpy").accuracy == result.test.accuracy
    )
    assert len(residua.predict(result.model, pics, engine="numpy")) == 24
    config = read_run(run)
    assert (config.transfer.from_, config.data.size, config.data.crop) == (str(base), 8, 0)


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "options",
    [
        {"unfreeze_at": 2},
        {"freeze": 2, "unfreeze_at": 3, "average": 0.9},
        {"crop": 1, "unfreeze_at": 3, "optimizer": "adamw"},
        {"freeze": 0},
    ],
    ids=["all", "two stages", "not cached", "nothing frozen"],
)
def test_stopped_and_resumed_is_bit_equal(pics, base, tmp_path, options):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    transfer(pics, base, whole, **options)

    class Stopping(Quiet):
        steps = 0

        def step(self, pictures, loss, accuracy):
            self.steps += 1
            if self.steps in (3, 9):
                signal.raise_signal(signal.SIGINT)

    spy = Stopping()
    with pytest.raises(Interrupted):
        transfer(pics, base, stopped, reporter=spy, **options)
    base.unlink()  # a run goes on without what it began with
    with pytest.raises(Interrupted):
        residua.train(resume=stopped, reporter=spy)
    residua.train(resume=stopped, reporter=Quiet())
    assert written(stopped) == written(whole)
    last, start = (
        flatten(load_model(whole).variables),
        flatten(load_model(whole / "base.safetensors").variables),
    )
    moved = not np.array_equal(last["stem.conv.weight"], start["stem.conv.weight"])
    assert moved or load_model(whole).training["at"]["epoch"] < options.get("unfreeze_at", 1)


def test_cached_and_computed_features_train_the_same(pics, base, tmp_path, monkeypatch):
    transfer(pics, base, tmp_path / "cached", flip=True)
    monkeypatch.setattr("residua.training.phases.can_be_cached", lambda augment: False)
    transfer(pics, base, tmp_path / "computed", flip=True)
    assert written(tmp_path / "cached") == written(tmp_path / "computed")


def test_large_features_lie_in_a_file_that_does_not_stay(pics, base, tmp_path, monkeypatch):
    transfer(pics, base, tmp_path / "memory")
    monkeypatch.setattr("residua.training.feature_cache.MOST_MEMORY", 10)
    rooms = []
    import residua.training.feature_cache as features

    room = features._allocate
    monkeypatch.setattr(features, "_allocate", lambda shape, file: rooms.append(file) or room(shape, file))
    transfer(pics, base, tmp_path / "disk")
    assert sorted(file.name for file in rooms) == [
        "features-train-mirrored.bin",
        "features-train.bin",
        "features-validation.bin",
    ]
    assert not list((tmp_path / "disk").glob("features-*"))
    assert written(tmp_path / "disk") == written(tmp_path / "memory")


def test_weights_to_begin_with_keep_their_head(pics, base, tmp_path):
    model = load_model(base)
    given = replace(model, classes=("blue", "green", "red"))
    save_model(tmp_path / "three.safetensors", given)
    three = paint_folder(tmp_path / "three", ("blue", "green", "red"))
    chosen = {
        "batch": 8,
        "epochs": 1,
        "rate": 1e-9,
        "engine": "numpy",
        "reporter": Quiet(),
        "final_test": False,
    }
    result = residua.train(
        three, weights=str(tmp_path / "three.safetensors"), run=str(tmp_path / "r"), **chosen
    )
    after = load_model(result.run / "last.safetensors")
    np.testing.assert_allclose(
        after.variables["head"]["weight"], model.variables["head"]["weight"], atol=1e-6
    )


# ------------------------------------------------------------------ bad input
def test_what_cannot_be_is_told_in_one_line(pics, base, tmp_path, capsys):
    start = ("train", pics, "--from", base, "--run", tmp_path / "r")
    assert (
        "--freeze takes 0 to 4 or all for resnet8, whose stages before the head are stem, stage1"
        in refused(capsys, *start, "--freeze", "5")
    )
    assert "is a resnet8, not a vgg16: leave --model out" in refused(capsys, *start, "--model", "vgg16")
    assert "was trained on pictures of 8x8, not of 64: leave --size out" in refused(
        capsys, *start, "--size", "64"
    )
    assert "leave it out" in refused(capsys, *start, "--width", "8")
    assert "choose one" in refused(capsys, *start, "--weights", base)
    assert "--freeze 0" in refused(capsys, *start, "--freeze", "0", "--unfreeze-at", "2")
    assert "up to the last, 3; it was given 4" in refused(
        capsys, *start, "--epochs", "3", "--unfreeze-at", "4"
    )
    assert "--unfreeze-at takes 2 or a later epoch" in refused(capsys, *start, "--unfreeze-at", "1")
    assert "--freeze takes" in refused(capsys, *start, "--freeze", "-1")
    assert "--freeze takes" in refused(capsys, *start, "--freeze", "1.5")
    assert "--freeze" in refused(capsys, *start, "--freeze", "some")
    assert "digits has pictures of 8x8x1" in refused(capsys, "train", "digits", "--from", base)
    assert "--freeze is about a base" in refused(capsys, "train", "digits", "--freeze", "1")
    assert "there is no" in refused(capsys, "train", pics, "--from", tmp_path / "no.pth")
    assert "--from gives it a new head" in refused(capsys, "train", pics, "--weights", base)
    lonely = paint_folder(tmp_path / "lonely", ("blue",))
    assert "only the class 'blue'" in refused(capsys, "train", lonely, "--from", base)
    assert not (tmp_path / "r").exists()


def test_a_runs_own_options_repeat_it(pics, base, tmp_path, capsys):
    transfer(pics, base, tmp_path / "one", freeze=2)
    assert 'from = "' in (tmp_path / "one" / "run.toml").read_text()
    again = ("train", "--config", tmp_path / "one" / "run.toml", "--run", tmp_path / "two")
    answered(capsys, *again)
    assert written(tmp_path / "one") == written(tmp_path / "two")


def test_training_stops_early(pics, base, tmp_path):
    """The tutorial's recipe: momentum, decay, a plateau that divides by ten, patience, the best kept."""
    recipe = {
        "momentum": 0.9,
        "decay": 5e-4,
        "schedule": "plateau",
        "plateau_patience": 2,
        "stop_patience": 3,
    }
    result = transfer(pics, base, tmp_path / "r", epochs=40, rate=1e-9, **recipe)
    rows = read_log(tmp_path / "r")
    assert len(rows) - result.best_epoch == 3
    assert len(rows) < 40
    assert rows[-1]["rate"] == pytest.approx(rows[0]["rate"] / 10)
