from __future__ import annotations

import importlib.util
import json
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import residua
from residua.config import OptimizerOptions, TrainConfig
from residua.config.options import configure
from residua.engines import open_engine
from residua.errors import ConfigError, NonFiniteError, RunError
from residua.files.tensors import read_tensors
from residua.layers import GELU, Conv2d, Flatten, Linear, Sequential
from residua.models.model_file import load_model
from residua.training.interruption import Interrupted
from residua.training.optimizers import clip, gradient_norm, make_optimizer
from residua.training.phases import rests, whitening_biases
from residua.training.progress import PlainReporter, Quiet
from residua.training.run_folder import read_log, read_run
from residua.training.step import make_step, start_state
from residua.variables import flatten, transform

FAST = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")
SMALL = {"model": "resnet8", "width": 4, "batch": 128, "final_test": False, "reporter": Quiet()}


class Spy(Quiet):
    """Keeps what it is told, and calls `on_step` with the number of every step."""

    def __init__(self, on_step=lambda number: None):
        self.lines, self.epochs, self.steps, self.on_step = [], [], 0, on_step

    def say(self, line):
        self.lines.append(line)

    def step(self, pictures, loss, accuracy):
        self.steps += 1
        self.on_step(self.steps)

    def end_epoch(self, row, timing, best):
        self.epochs.append((row, timing, best))


def _bytes(run: Path) -> dict[str, bytes]:
    return {name: (run / name).read_bytes() for name in ("log.jsonl", "best.safetensors", "last.safetensors")}


def test_a_run_leaves_everything_that_is_promised(tmp_path, curves_after_epochs):
    run, drawn = tmp_path / "run", []
    spy = Spy(lambda number: drawn.append((run / "curves.png").exists()))
    options = SMALL | {"reporter": spy, "final_test": True}
    result = residua.train("digits", epochs=2, run=str(run), **options)
    names = {path.name for path in run.iterdir()}
    assert {"run.toml", "log.jsonl", "timing.jsonl", "curves.png", "confusion.png", "test.json"} <= names
    assert {"best.safetensors", "last.safetensors"} <= names
    assert not any(name.endswith(".partial") for name in names)
    rows = read_log(run)
    assert [row["epoch"] for row in rows] == [1, 2]
    steps = len(drawn) // 2
    assert drawn == [False] * steps + [True] * steps  # the curves, after the first epoch
    assert rows[1]["train_loss"] < rows[0]["train_loss"]
    assert result.test is not None
    assert json.loads((run / "test.json").read_text())["accuracy"] == result.test.accuracy
    assert (run / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    config = read_run(run)
    assert (config.model.model, config.model.width, config.schedule.epochs) == ("resnet8", 4, 2)
    timing = [json.loads(line) for line in (run / "timing.jsonl").read_text().splitlines()]
    assert all(0 <= entry["waited_share"] <= 1 and entry["images_per_second"] > 0 for entry in timing)


def test_one_seed_gives_the_same_bytes_and_another_does_not(tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        residua.train("digits", epochs=1, seed=seed, run=str(tmp_path / name), **SMALL)
    assert _bytes(tmp_path / "a") == _bytes(tmp_path / "b")
    assert _bytes(tmp_path / "a")["last.safetensors"] != _bytes(tmp_path / "c")["last.safetensors"]


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "sgd", "nesterov": True, "schedule": "plateau", "plateau_patience": 1},
        {"optimizer": "adamw", "average": 0.9, "dropout": 0.2, "schedule": "cosine", "cutout": 2},
        {"optimizer": "rmsprop", "balance": True, "schedule": "steps", "hidden": [8], "smoothing": 0.1},
        {"mixup": 0.4, "cutmix": 1.0, "balance": True},
        {
            "lookahead": True,
            "alternate_flip": True,
            "border": "reflect",
            "bias_rate": 8.0,
            "schedule": "triangle",
            "whitening_epochs": 1,
            "nesterov": True,
            "optimizer": "muon",
        },
        pytest.param({"engine": "numba", "nesterov": True, "average": 0.9, "dropout": 0.2}, marks=FAST),
        pytest.param({"engine": "numba", "mixup": 0.4}, marks=FAST),
    ],
    ids=["sgd", "adamw", "rmsprop", "mixed", "as airbench94", "fast engine", "mixed on the fast engine"],
)
def test_stopped_and_resumed_is_bit_equal_to_never_stopped(tmp_path, options):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    residua.train("digits", epochs=3, run=str(whole), **(SMALL | options))

    def interrupt(number):
        if number in (4, 16):
            signal.raise_signal(signal.SIGINT)

    again = {"reporter": Spy(interrupt)}
    with pytest.raises(Interrupted, match="residua train --resume"):
        residua.train("digits", epochs=3, run=str(stopped), **(SMALL | options | again))
    with pytest.raises(Interrupted):
        residua.train(resume=stopped, **again)  # the spy goes on counting
    residua.train(resume=stopped, reporter=Quiet())
    assert _bytes(stopped) == _bytes(whole)


def test_ctrl_c_writes_a_checkpoint_and_gives_the_signal_back(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    spy = Spy(lambda number: signal.raise_signal(signal.SIGTERM) if number == 3 else None)
    with pytest.raises(KeyboardInterrupt, match="residua train --resume"):
        residua.train("digits", epochs=2, run=str(tmp_path / "run"), **(SMALL | {"reporter": spy}))
    assert (tmp_path / "run" / "checkpoint-000000003.safetensors").exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_training_works_outside_the_main_thread(tmp_path):
    errors = []

    def work():
        try:
            residua.train("digits", epochs=1, run=str(tmp_path / "run"), **SMALL)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not errors
    assert (tmp_path / "run" / "best.safetensors").exists()


def test_a_loss_that_is_not_finite_stops_at_that_step(tmp_path):
    run = tmp_path / "run"
    with pytest.raises(NonFiniteError) as caught:
        residua.train("digits", epochs=5, rate=1000.0, run=str(run), **SMALL)
    assert caught.value.exit_code == 1
    report = json.loads((run / "not-finite.json").read_text())
    assert report["pictures"][0] in str(caught.value)
    assert len(report["pictures"]) == 128
    model = residua.load_model(run / "last.safetensors")
    assert all(np.isfinite(array).all() for array in flatten(model.variables).values())


@pytest.mark.parametrize("poison", ["pictures", "weights"])
def test_a_step_that_is_not_finite_changes_nothing(poison):
    network = Sequential({"head": Linear(4, 3)})
    options = OptimizerOptions()
    step = make_step(network, open_engine("numpy"), options)
    state = start_state(network.init(np.random.default_rng(0)), make_optimizer(options), 0.0)
    images = np.ones((5, 4), np.float32)
    if poison == "pictures":
        images[2, 1] = np.nan
    else:
        state["variables"]["head"]["weight"][0, 0] = np.inf
    with np.errstate(invalid="ignore"):
        after, results = step(state, images, np.zeros(5, np.int64), None, 0.1)
    assert not results["finite"]
    assert after is state


def test_early_stopping_waits_for_its_patience(tmp_path):
    spy = Spy()
    options = SMALL | {"reporter": spy, "rate": 1e-9, "stop_patience": 2, "schedule": "constant"}
    residua.train("digits", epochs=30, run=str(tmp_path / "run"), **options)
    best = max(number for number, (_, _, best) in enumerate(spy.epochs, 1) if best)
    assert len(spy.epochs) == best + 2
    assert any("Stopped early" in line for line in spy.lines)


def test_best_is_the_epoch_with_the_best_validation_accuracy(tmp_path):
    run = tmp_path / "run"
    result = residua.train("digits", epochs=4, run=str(run), **SMALL)
    errors = [row["validation_error"] for row in read_log(run)]
    best = residua.load_model(result.model).training["at"]
    assert best["validation_error"] == min(errors)
    assert result.best_epoch == best["epoch"]
    assert result.validation_accuracy == pytest.approx(1 - min(errors) / 100)


def test_without_validation_the_last_epoch_is_kept(tmp_path):
    result = residua.train("digits", epochs=2, validation=0, run=str(tmp_path / "run"), **SMALL)
    assert result.validation_accuracy is None
    assert result.best_epoch == 2


def test_a_run_of_so_many_steps_ends_within_an_epoch_and_goes_on_exactly(tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    options = {"total_steps": 16, "lookahead": True, "schedule": "steps"}
    residua.train("digits", run=str(whole), **(SMALL | options))
    rows = read_log(whole)
    assert rows[-1]["step"] == 16 < len(rows) * rows[0]["step"]
    config = read_run(whole).schedule
    assert (config.epochs, config.total_steps) == (len(rows), 16)
    # The eleventh step of 16 is past the half, the last past three quarters.
    assert [row["rate"] for row in rows] == pytest.approx([0.005, 0.0005])
    stop = Spy(lambda number: signal.raise_signal(signal.SIGINT) if number == 16 else None)
    with pytest.raises(Interrupted):  # with a checkpoint after the last step and before the last validation
        residua.train("digits", run=str(stopped), **(SMALL | options | {"reporter": stop}))
    residua.train(resume=stopped, reporter=Quiet())
    assert _bytes(stopped) == _bytes(whole)


def test_steps_and_epochs_that_disagree_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="leave one of them out"):
        residua.train("digits", total_steps=3, epochs=2, run=str(tmp_path / "run"), **SMALL)


def test_only_the_newest_checkpoints_stay_and_a_damaged_one_is_passed_over(tmp_path):
    run = tmp_path / "run"
    whole = tmp_path / "whole"
    residua.train("digits", epochs=2, run=str(whole), **SMALL)
    stop = Spy(lambda number: signal.raise_signal(signal.SIGINT) if number == 8 else None)
    with pytest.raises(Interrupted):
        residua.train("digits", epochs=2, run=str(run), checkpoint_steps=3, **(SMALL | {"reporter": stop}))
    found = sorted(run.glob("checkpoint-*"))
    assert [path.name for path in found] == [
        "checkpoint-000000006.safetensors",
        "checkpoint-000000008.safetensors",
    ]
    found[-1].write_bytes(found[-1].read_bytes()[:-100])
    spy = Spy()
    residua.train(resume=run, reporter=spy)
    assert any("Passed over" in line and "000000008" in line for line in spy.lines)
    assert _bytes(run) == _bytes(whole)


def test_changed_pictures_are_noticed_before_a_run_goes_on(tmp_path, monkeypatch):
    run = tmp_path / "run"
    stop = Spy(lambda number: signal.raise_signal(signal.SIGINT))
    with pytest.raises(Interrupted):
        residua.train("digits", epochs=2, run=str(run), **(SMALL | {"reporter": stop}))
    text = (run / "run.toml").read_text()
    (run / "run.toml").write_text(text.replace("validation = 0.1", "validation = 0.2"))
    with pytest.raises(RunError, match="not those that"):
        residua.train(resume=run, reporter=Quiet())


def test_weights_of_classes_in_the_loss_have_mean_one():
    from residua.training.task_setup import class_weights

    labels = np.array([0] * 90 + [1] * 9 + [2])
    weights = class_weights(labels, 3)
    each = weights[labels].astype(np.float64)
    assert each.mean() == pytest.approx(1)
    assert [each[labels == c].sum() for c in range(3)] == pytest.approx([100 / 3] * 3)


@pytest.mark.parametrize("name", ["numpy", pytest.param("numba", marks=FAST)])
def test_the_loss_of_mixed_pictures_is_that_of_their_soft_targets(name, rng):
    engine, network = open_engine(name, threads=1), Sequential({"head": Linear(6, 4)})
    v = network.init(rng)
    x, weights = rng.normal(size=(7, 6)).astype(np.float32), rng.random(7).astype(np.float32)
    labels, others = rng.integers(0, 4, 7), rng.integers(0, 4, 7)
    share = np.float32([0, 0.25, 0.5, 0.75, 1, 0.1, 0.9])
    found = network.loss(engine, v, x, labels, smoothing=0.1, weights=weights, mixed=(others, share))
    logits = x.astype(np.float64) @ v["head"]["weight"] + v["head"]["bias"]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = share[:, None] * np.eye(4)[labels] + (1 - share[:, None]) * np.eye(4)[others]
    targets = 0.9 * targets + 0.1 / 4
    assert float(found[0]) == pytest.approx(
        -(weights[:, None] * targets * np.log(chances)).sum() / 7, rel=1e-5
    )
    slope = x.T @ (weights[:, None] * (chances - targets)) / 7
    np.testing.assert_allclose(engine.plain(found[2]["head"]["weight"]), slope, rtol=1e-4, atol=1e-6)


def test_clipping_bounds_the_norm_of_the_whole_gradient():
    engine = open_engine("numpy")
    rng = np.random.default_rng(0)
    grads = {"a": {"weight": rng.normal(size=(4, 5))}, "b": rng.normal(size=7)}
    norm = gradient_norm(engine, grads)
    assert norm == pytest.approx(np.sqrt(sum((g**2).sum() for g in flatten(grads).values())))
    clipped = clip(engine, grads, norm, 0.5)
    assert gradient_norm(engine, clipped) == pytest.approx(0.5)
    assert clipped["b"] == pytest.approx(grads["b"] * 0.5 / norm)
    untouched = clip(engine, grads, norm, 2 * float(norm))
    assert untouched["b"] == pytest.approx(grads["b"])


def test_decay_spares_norms_and_biases_on_request():
    variables = {"conv": {"weight": np.ones((2, 3))}, "norm": {"weight": np.ones(3), "bias": np.ones(3)}}
    grads = {"conv": {"weight": np.zeros((2, 3))}, "norm": {"weight": np.zeros(3), "bias": np.zeros(3)}}
    for spared in (True, False):
        optimizer = make_optimizer(OptimizerOptions(decay=0.1, decay_norms=not spared))
        moved, _ = optimizer.update(open_engine("numpy"), variables, optimizer.init(variables), grads, 0.5)
        assert moved["conv"]["weight"] == pytest.approx(np.full((2, 3), 0.95))
        assert moved["norm"]["weight"] == pytest.approx(np.full(3, 1.0 if spared else 0.95))


def test_averaged_weights_follow_at_their_decay():
    network = Sequential({"head": Linear(4, 3)})
    options = OptimizerOptions(average=0.99)
    step = make_step(network, open_engine("numpy"), options)
    state = start_state(network.init(np.random.default_rng(0)), make_optimizer(options), 0.99)
    expected = state["averaged"]["head"]["weight"].copy()
    rng = np.random.default_rng(1)
    for count in range(1, 30):
        images = rng.normal(size=(6, 4)).astype(np.float32)
        state, _ = step(state, images, rng.integers(0, 3, 6), None, 0.1)
        decay = min(0.99, (1 + count) / (10 + count))
        expected = decay * expected + (1 - decay) * state["variables"]["head"]["weight"]
    assert state["averaged"]["head"]["weight"] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_plain_lines_tell_the_epoch(capsys):
    reporter = PlainReporter()
    reporter.start_epoch(0, 12, 3, 0)
    reporter.step(10, 1.5, 0.5)
    row = {
        "epoch": 1,
        "train_loss": 1.5,
        "train_error": 50.0,
        "validation_loss": 1.0,
        "validation_error": 25.0,
    }
    reporter.end_epoch(row, {"images_per_second": 1234.5}, True)
    line = capsys.readouterr().out
    assert line == (
        "epoch  1/12  loss 1.5000  accuracy 50.00 %  validation loss 1.0000  accuracy 75.00 %"
        "  1,234 images/s  best\n"
    )


def test_an_existing_run_is_not_overwritten(tmp_path):
    run = tmp_path / "run"
    residua.train("digits", epochs=1, run=str(run), **SMALL)
    before = _bytes(run)
    with pytest.raises(RunError, match="--resume"):
        residua.train("digits", epochs=1, run=str(run), **SMALL)
    assert _bytes(run) == before


def test_run_toml_repeats_the_run(tmp_path):
    from residua.config.options import read_toml

    residua.train("digits", epochs=1, seed=3, rate=0.03, run=str(tmp_path / "a"), **SMALL)
    options = read_toml(tmp_path / "a" / "run.toml")
    assert "run" not in options["run"], "a repetition must not ask for the folder of the first"
    options["run"]["run"] = str(tmp_path / "b")
    residua.train(config=configure(TrainConfig, options), reporter=Quiet())
    assert _bytes(tmp_path / "a") == _bytes(tmp_path / "b")


@pytest.mark.usefixtures("curves_after_epochs")
@pytest.mark.parametrize("problem", [ValueError("no\nfont"), OSError(28, "No space left on device")])
def test_a_picture_that_cannot_be_drawn_ends_no_training(monkeypatch, tmp_path, problem):
    def fail(run):
        raise problem

    class Hears(Quiet):
        def say(self, line):
            self.lines.append(line)

    monkeypatch.setattr("residua.insight.learning_curves.figure.draw_curves", fail)
    hears = Hears()
    hears.lines = []
    options = SMALL | {"epochs": 2, "reporter": hears, "engine": "numpy", "run": str(tmp_path / "run")}
    with pytest.raises(type(problem)):  # the last time it is the caller's to know
        residua.train("digits", **options)
    assert len(read_log(tmp_path / "run")) == 2
    assert sum("could not be drawn" in line for line in hears.lines) == 1


@pytest.mark.usefixtures("curves_after_epochs")
def test_the_end_of_a_run_is_drawn_once(monkeypatch, tmp_path):
    epochs = []
    monkeypatch.setattr(
        "residua.insight.learning_curves.figure.draw_curves", lambda run: epochs.append(len(read_log(run)))
    )
    residua.train("digits", epochs=3, run=str(tmp_path / "run"), **SMALL | {"engine": "numpy"})
    assert epochs == [1, 2, 3]


@pytest.mark.usefixtures("curves_after_epochs")
def test_a_run_whose_test_fails_has_its_curves(monkeypatch, tmp_path):
    def fail(*arguments):
        raise RunError("the test pictures are gone")

    monkeypatch.setattr(sys.modules["residua.api.train"], "measure_best", fail)
    options = SMALL | {"engine": "numpy", "final_test": True}
    with pytest.raises(RunError, match="are gone"):
        residua.train("digits", epochs=1, run=str(tmp_path / "run"), **options)
    assert (tmp_path / "run" / "curves.png").exists()


@pytest.mark.usefixtures("curves_after_epochs")
def test_a_run_that_is_stopped_at_its_very_end_has_its_curves(monkeypatch, tmp_path):
    class Stops(Quiet):
        def end_epoch(self, row, timing, best):
            signal.raise_signal(signal.SIGINT)

    options = SMALL | {"engine": "numpy", "reporter": Stops()}
    with pytest.raises(Interrupted, match="after the last epoch"):
        residua.train("digits", epochs=1, run=str(tmp_path / "run"), **options)
    assert (tmp_path / "run" / "curves.png").exists()


@pytest.mark.parametrize("name", ["numpy", pytest.param("numba", marks=FAST)])
def test_the_bias_of_a_whitening_layer_rests_after_its_epochs(name, rng):
    layers = {"whiten": Conv2d(1, 8, 2, 1, 0, bias=True, fixed=True), "gelu": GELU(), "flat": Flatten()}
    network = Sequential(layers | {"head": Linear(72, 3)})
    options = OptimizerOptions(momentum=0.9, whitening_epochs=2)
    assert [rests(options, epoch) for epoch in range(4)] == [False, False, True, True]
    assert not rests(OptimizerOptions(), 10)
    assert whitening_biases(network) == ("whiten.bias",)
    images, labels = rng.normal(size=(5, 4, 4, 1)).astype(np.float32), np.arange(5) % 3
    engine, v = open_engine(name), network.init(rng)
    for resting in ((), whitening_biases(network)):
        state = start_state(transform(np.array, v), make_optimizer(options), 0.0)
        step = make_step(network, engine, options, resting=resting)
        for _ in range(4):
            state, results = step(state, images, labels, None, 0.1)
        assert results["finite"]
        after = state["variables"]
        assert np.array_equal(after["whiten"]["bias"], v["whiten"]["bias"]) == bool(resting)
        np.testing.assert_array_equal(after["whiten"]["fixed_weight"], v["whiten"]["fixed_weight"])
        assert not np.array_equal(after["head"]["weight"], v["head"]["weight"])


def test_slow_weights_are_what_is_kept_and_judged(tmp_path):
    result = residua.train("digits", epochs=1, lookahead=True, run=str(tmp_path / "run"), **SMALL)
    checkpoint = max((tmp_path / "run").glob("checkpoint-*"))
    slow = read_tensors(checkpoint, "checkpoint", 1)[0]
    kept = flatten(load_model(result.model).variables)
    for path, array in kept.items():
        np.testing.assert_array_equal(array, slow[f"slow.{path}"])
    assert any(not np.array_equal(array, slow[f"variables.{path}"]) for path, array in kept.items())
