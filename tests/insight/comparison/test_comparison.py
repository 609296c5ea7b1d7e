"""Comparing models: the tests themselves, their false alarms, and the verb."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest, chi2
from tiny import TINY, answered, call, paint_folder, refused

import residua
from residua.config import CompareConfig
from residua.insight.comparison.figure import comparison_figure
from residua.insight.comparison.numbers import Comparison, Side, _pairs, shown_pairs
from residua.insight.comparison.significance import difference_interval, holm, mcnemar
from residua.insight.comparison.text import comparison_text
from residua.insight.evaluation.numbers import measure
from residua.training.inference import LabelledProbabilities
from residua.training.progress import Quiet

pytestmark = pytest.mark.usefixtures("quiet_cache")


# ---------------------------------------------------------------- McNemar, Holm, bootstrap
def test_mcnemar_by_hand():
    assert mcnemar(10, 2) == mcnemar(2, 10) == pytest.approx(2 * (1 + 12 + 66) / 2**12)
    assert mcnemar(5, 0) == pytest.approx(2 / 32)
    assert mcnemar(6, 0) == pytest.approx(2 / 64)
    assert mcnemar(7, 7) == mcnemar(0, 0) == 1.0
    with pytest.raises(ValueError, match="0 or more"):
        mcnemar(-1, 3)


@pytest.mark.parametrize(("one", "two"), [(53, 47), (3, 12), (150, 86), (1, 0), (5000, 4700)])
def test_mcnemar_is_the_sign_test(one, two):
    assert mcnemar(one, two) == pytest.approx(binomtest(one, one + two, 0.5).pvalue, rel=1e-6)


def test_mcnemar_is_near_its_approximation_where_that_holds():
    # Dietterich 1998, section 3.1: chi-square with one degree of freedom, corrected for continuity.
    for one, two in [(150, 86), (121, 59), (700, 640)]:
        statistic = (abs(one - two) - 1) ** 2 / (one + two)
        assert mcnemar(one, two) == pytest.approx(float(chi2.sf(statistic, 1)), rel=0.2)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_the_bootstrap_draws_pictures(rng):
    """Drawing counts is drawing pictures: the same interval as the long way."""
    scores = np.array([1] * 30 + [-1] * 18 + [0] * 152)  # right alone: the first, the second, neither
    drawn = scores[rng.integers(0, 200, (20_000, 200))].mean(axis=1)
    long_way = np.quantile(drawn, [0.025, 0.975])
    np.testing.assert_allclose(difference_interval(30, 18, 200, 0.05, 20_000, 0), long_way, atol=0.006)
    assert difference_interval(0, 0, 50, 0.05, 500, 0) == (0.0, 0.0)


def simulate(rng, models, pictures, accuracy=0.9, gain=0.0):
    """Which pictures equal models get right: hard and easy ones, alike for all; the first has a gain."""
    own = np.clip(rng.beta(9, 1, pictures) + accuracy - 0.9, 0, 1)
    chances = np.stack([np.clip(own + gain * (place == 0), 0, 1) for place in range(models)])
    return list(rng.random((models, pictures)) < chances)


def test_equal_models_are_seldom_called_different(rng):
    quick = CompareConfig(draws=100)
    two = [_pairs(simulate(rng, 2, 2000), quick)[0].significant for _ in range(2000)]
    # The exact test keeps below its level, since counts are whole.
    assert 0.02 < np.mean(two) < 0.06
    four = [any(pair.significant for pair in _pairs(simulate(rng, 4, 2000), quick)) for _ in range(500)]
    assert np.mean(four) < 0.075


def test_a_better_model_is_found_and_the_interval_holds_the_truth(rng):
    config = CompareConfig(draws=1000)
    told, held = [], []
    for _ in range(300):
        rights = simulate(rng, 2, 4000, accuracy=0.85, gain=0.03)
        (pair,) = _pairs(rights, config)
        told.append(pair.significant and pair.first == 0)
        low, high = pair.interval if pair.first == 0 else (-pair.interval[1], -pair.interval[0])
        held.append(low <= 0.03 <= high)
    assert np.mean(told) > 0.9
    assert 0.91 < np.mean(held) < 0.985


# ---------------------------------------------------------------- the verb
@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """pics/ with a test split of its own, and two runs on it that differ in seed and rate; to read only."""
    folder = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(folder / "user-cache"))
        paint_folder(folder / "pics" / "train", count=14)
        paint_folder(folder / "pics" / "test", count=6, seed=50)
        for name, options in (("good", {"epochs": 6}), ("poor", {"epochs": 1, "seed": 3, "rate": 0.0001})):
            residua.train(folder / "pics", run=str(folder / name), reporter=Quiet(), **TINY | options)
    return folder


def test_two_runs_side_by_side(runs, tmp_path, capsys):
    out = json.loads(
        answered(
            capsys, "compare", runs / "good", runs / "poor", "--json", "--output", tmp_path / "drawn.png"
        )
    )
    good, poor = out["runs"]
    assert (good["name"], poor["name"], out["pictures"]) == ("good", "poor", 12)
    evaluation = residua.evaluate(runs / "good", say=lambda line: None)
    assert good["accuracy"] == evaluation.accuracy
    assert good["calibration_error"] == evaluation.calibration_error
    assert good["epochs"] == 6
    assert good["seconds"] > 0
    assert good["settings"] == {"rate": 0.05, "epochs": 6, "seed": 0}
    assert poor["settings"] == {"rate": 0.0001, "epochs": 1, "seed": 3}
    (pair,) = out["pairs"]
    assert pair["difference"] == pytest.approx(good["accuracy"] - poor["accuracy"])
    assert pair["first_only"] - pair["second_only"] == good["correct"] - poor["correct"]
    assert pair["probability"] == pair["adjusted"] == mcnemar(pair["first_only"], pair["second_only"])
    with Image.open(tmp_path / "drawn.png") as drawn:
        assert drawn.size[0] > 800


def test_the_same_answers_are_no_difference(runs, tmp_path, capsys):
    shutil.copytree(runs / "good", tmp_path / "twin")
    out = answered(
        capsys, "compare", runs / "good", tmp_path / "twin", "--output", tmp_path / "x.png", "--threads", "1"
    )
    assert "good and twin: no difference, right and wrong on the same pictures" in out
    assert "the runs have the same settings" in out
    assert "better" not in out
    assert "another seed gives another model" in out


def test_a_model_file_has_no_settings(runs, tmp_path, capsys):
    shutil.copy(runs / "poor" / "best.safetensors", tmp_path / "alone.safetensors")
    picture = ("--output", tmp_path / "x.png")
    out = answered(capsys, "compare", runs / "good", tmp_path / "alone.safetensors", *picture)
    assert "settings and time are not known: alone" in out
    best, last = (runs / "poor" / f"{name}.safetensors" for name in ("best", "last"))
    out = answered(capsys, "compare", best, last, *picture)
    assert "poor/best and poor/last: no difference" in out


def test_what_cannot_be_compared_is_refused(runs, trained, tmp_path, capsys):
    line = refused(capsys, "compare", runs / "good")
    assert "compare takes two or more run folders or model files; 1 came" in line
    assert "0 came" in refused(capsys, "compare")
    line = refused(capsys, "compare", runs / "good", runs / "good" / "best.safetensors")
    assert "each model can be compared once" in line
    (tmp_path / "begun").mkdir()
    line = refused(capsys, "compare", runs / "good", tmp_path / "begun")
    assert "begun is a folder without best.safetensors" in line
    assert "nowhere" in refused(capsys, "compare", runs / "good", tmp_path / "nowhere")
    line = refused(capsys, "compare", runs / "good", trained / "run")
    assert "compare needs one set of test pictures: good is of" in line
    assert "--level takes" in refused(capsys, "compare", "a", "b", "--level", "1")
    paint_folder(tmp_path / "new", seed=900)
    paint_folder(tmp_path / "three", ("blue", "green", "red"), 6)
    residua.train(tmp_path / "three", run=str(tmp_path / "greens"), reporter=Quiet(), **TINY | {"epochs": 1})
    line = refused(capsys, "compare", trained / "run", tmp_path / "greens", "--data", tmp_path / "new")
    assert "compare needs models of the same classes: run has 2, greens 3, and not both know green" in line
    residua.train(
        trained / "pics", run=str(tmp_path / "other"), reporter=Quiet(), **TINY | {"epochs": 1, "seed": 5}
    )
    line = refused(capsys, "compare", trained / "run", tmp_path / "other")
    assert re.search(r"compare needs the same test pictures: run has 2, other 2, [01] in common", line)
    assert not list(tmp_path.glob("*.png"))
    code, _, err = call(capsys, "compare", tmp_path / "other", trained / "run", "--data", runs / "pics/test",
                        "--output", "/dev/null/no/such/x.png")  # fmt: skip
    assert code == 2, err


# ---------------------------------------------------------------- many models
def test_many_models_stay_readable(rng):
    labels = rng.integers(0, 3, 400)
    sides, rights = [], []
    for number in range(9):
        chosen = np.where(rng.random(400) < 0.6 + 0.04 * number, labels, (labels + 1) % 3)
        answers = LabelledProbabilities(np.eye(3, dtype=np.float32)[chosen], labels)
        rights.append(chosen == labels)
        evaluation = measure(answers, ("a", "b", "c"), "toys", "test")
        sides.append(Side(f"a-run-with-a-rather-long-name-{number}", "resnet8", evaluation, 75_290))
    comparison = Comparison("toys", "test", 400, 0.05, tuple(sides), _pairs(rights, CompareConfig()))
    assert len(comparison.pairs) == 36
    text = comparison_text(comparison)
    assert "and 16 pairs more: --json prints all" in text
    assert "for all 36 pairs together (Holm)" in text
    assert "Choose among models by --split validation" in text
    best = max(range(9), key=lambda place: sides[place].evaluation.accuracy)
    assert all(best in (pair.first, pair.second) for pair in shown_pairs(comparison)[:8])
    told = sum(pair.significant for pair in comparison.pairs)
    figure = comparison_figure(comparison)
    assert f"{told} of 36 pairs (20 drawn)" in figure.axes[1].get_title()
    figure.canvas.draw()
    ticks = [tick.get_window_extent() for tick in figure.axes[0].get_yticklabels()]
    assert all(box.x0 >= 0 for box in ticks)


def test_the_earlier_name_of_significant_warns(rng):
    (pair,) = _pairs(simulate(rng, 2, 2000), CompareConfig(draws=10))
    with pytest.warns(DeprecationWarning, match="significant"):
        assert pair.told == pair.significant
