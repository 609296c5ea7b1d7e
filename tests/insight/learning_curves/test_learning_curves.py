"""Curves of one run and of several, and the search for a learning rate."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
from tiny import TINY, answered, paint_folder, refused

import residua
from residua.config import FindRateConfig, TrainConfig
from residua.config.options import configure
from residua.insight.learning_curves.figure import curves_figure, sweep_figure
from residua.insight.learning_curves.numbers import run_labels
from residua.training.learning_rate_finder import evaluate_sweep, smooth, sweep_rates
from residua.training.progress import Quiet

pytestmark = pytest.mark.usefixtures("quiet_cache")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs that differ in their rate; the second has one epoch and no validation."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(folder / "cache"))
        pics = paint_folder(folder / "pics")
        common = TINY | {"reporter": Quiet(), "final_test": False}
        residua.train(pics, run=str(folder / "one"), rate=0.05, **common)
        residua.train(pics, run=str(folder / "two"), rate=0.01, validation=0.0, **common | {"epochs": 1})
    return folder


def test_several_runs_in_one_picture(runs, tmp_path, capsys):
    out = answered(capsys, "curves", runs / "one", runs / "two", "--output", tmp_path / "c.png")
    assert out == f"Picture: {tmp_path / 'c.png'}\n"
    figure = curves_figure([runs / "one", runs / "two"])
    loss, error = figure.axes
    assert (loss.get_xlabel(), loss.get_ylabel(), error.get_ylabel()) == ("epoch", "loss (nats)", "error (%)")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "rate 0.05" in labels[0]
    assert "at best, in epoch" in labels[0]
    assert "rate 0.01" in labels[1]
    assert "no validation" in labels[1]
    rows = [json.loads(line) for line in (runs / "one" / "log.jsonl").read_text().splitlines()]
    drawn = [line.get_ydata().tolist() for line in error.lines if len(line.get_ydata())]
    assert [row["validation_error"] for row in rows] in drawn
    assert [row["train_error"] for row in rows] in drawn
    assert len(drawn) == 3


def test_runs_under_names_of_their_own(runs):
    figure = curves_figure([runs / "one", runs / "two"], ["narrow, seed 0", "wide, seed 0"])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [label.partition(":")[0] for label in labels] == ["narrow, seed 0", "wide, seed 0"]


def test_one_run_and_what_is_no_run(runs, tmp_path, capsys):
    run = shutil.copytree(runs / "two", tmp_path / "run")
    (run / "curves.png").unlink()
    answered(capsys, "curves", run)
    assert (run / "curves.png").exists()
    (run / "log.jsonl").write_text("")
    assert "has no epoch in its log" in refused(capsys, "curves", run, runs / "one")
    assert "is not a run folder" in refused(capsys, "curves", tmp_path)
    assert "curves needs one run folder or more" in refused(capsys, "curves")


@pytest.mark.parametrize(
    ("last", "scale", "bottom"), [(0.2, "log", 0.1), (1.0, "linear", 0.0), (0.0, "linear", 0.0)]
)
def test_small_errors_can_be_told_apart(runs, tmp_path, last, scale, bottom):
    """From 12 % down to 0.2 % only a logarithmic axis shows the end; no error at all has no place on one."""
    run = shutil.copytree(runs / "two", tmp_path / "run")
    row = json.loads((run / "log.jsonl").read_text())
    rows = [row | {"epoch": epoch, "train_error": error} for epoch, error in ((1, 12.0), (2, last))]
    (run / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, error = curves_figure([run]).axes
    assert error.get_yscale() == scale
    assert error.get_ylim()[0] == pytest.approx(bottom, abs=0.1)


def test_ten_runs_keep_their_own_marks(runs, tmp_path):
    many = [shutil.copytree(runs / "one", tmp_path / f"run{number}") for number in range(10)]
    figure = curves_figure(many)
    marks = {(line.get_color(), line.get_marker()) for line in figure.axes[0].lines}
    assert len(marks) == 10
    assert len(set(run_labels(many))) == 10


# ---------------------------------------------------------------- the rate
def curve(rates, losses):
    config = configure(TrainConfig, {"batch": 8})
    return evaluate_sweep("x", "resnet8", config, rates, losses, "the highest rate was reached")


def test_the_rate_of_a_known_curve_is_suggested(rng):
    rates = np.geomspace(1e-5, 10, 200)
    losses = 2.3 - 1.5 * np.exp(-(np.log10(rates / 0.1) ** 2)) + 0.05 * rng.standard_normal(200)
    found = curve(rates, losses)
    assert found.suggested == pytest.approx(0.1, rel=0.25)
    assert 0.01 < found.steepest < 0.05
    assert f"about {found.suggested / 3:.1g}"[:9] in found.reason
    sweep_figure(found).canvas.draw()


def test_no_rate_where_the_loss_never_falls():
    rates = np.geomspace(1e-5, 10, 100)
    found = curve(rates, np.linspace(2.3, 9, 100))
    assert found.suggested is None
    assert "The loss never fell" in found.reason
    sweep_figure(found).canvas.draw()


def test_a_loss_that_still_falls_at_the_last_rate():
    rates = np.geomspace(1e-5, 1e-2, 100)
    found = curve(rates, np.linspace(2.3, 1.0, 100))
    assert "still fell at the last rate, 0.01" in found.reason
    assert "--highest" in found.reason


def test_smoothing_does_not_lag():
    values = np.abs(np.arange(101) - 50.0)
    assert smooth(values, 4).argmin() == 50
    np.testing.assert_allclose(smooth(np.full(9, 3.0), 2), 3.0)


def test_a_sweep_rises_by_equal_factors_and_leaves_nothing_behind(tmp_path, capsys, monkeypatch):
    pics = paint_folder(tmp_path / "pics")
    monkeypatch.chdir(tmp_path)
    options = [
        part for name in ("size", "model", "width", "batch", "threads") for part in (f"--{name}", TINY[name])
    ]
    out = answered(capsys, "find-rate", pics, *options, "--steps", "60", "--json")
    found = json.loads(out)
    ratios = np.diff(np.log(found["rates"]))
    np.testing.assert_allclose(ratios, ratios[0])
    assert found["rates"][0] == pytest.approx(1e-5)
    assert len(found["losses"]) == len(found["rates"]) <= 60
    assert min(found["smoothed"]) < 0.7 * found["smoothed"][0]
    assert found["suggested"] == pytest.approx(found["least"], rel=0.1)
    assert sorted(os.listdir(tmp_path)) == sorted(
        {"pics", "rates-pics.png"} | set(os.listdir(tmp_path)) & {"user-cache"}
    )
    again = sweep_rates(
        configure(
            FindRateConfig,
            {"data": str(pics), "steps": 60} | {k: v for k, v in TINY.items() if k != "epochs"},
        ),
        lambda line: None,
    )
    assert again.losses.tolist() == found["losses"]


def test_a_sweep_ends_where_training_comes_apart(tmp_path, capsys):
    pics = paint_folder(tmp_path / "pics")
    options = [
        part for name in ("size", "model", "width", "batch", "threads") for part in (f"--{name}", TINY[name])
    ]
    out = answered(
        capsys, "find-rate", pics, *options, "--highest", "1000", "--steps", "80", "--optimizer", "adam",
        "--output", tmp_path / "r.png",
    )  # fmt: skip
    assert "times its least" in out or "no finite number" in out
    line = refused(capsys, "find-rate", pics, *options, "--rate", "0.1")
    assert "leave --rate out" in line
    line = refused(capsys, "find-rate", pics, *options, "--lowest", "1", "--highest", "0.1")
    assert "--lowest takes a rate below --highest" in line
