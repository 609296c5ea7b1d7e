"""Evaluation: every figure equals scikit-learn's or a computation by hand; pictures that are drawn well."""

from __future__ import annotations

import json
import math
import shutil
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from tiny import OPTIONS, answered, call, paint, paint_folder, refused

import residua
from residua.data import DATASETS
from residua.insight.evaluation.figure import draw_confusion
from residua.insight.evaluation.numbers import measure
from residua.insight.evaluation.tally import calibration_error
from residua.insight.evaluation.text import evaluation_text
from residua.insight.learning_curves.figure import draw_curves
from residua.training.inference import LabelledProbabilities

pytestmark = pytest.mark.usefixtures("quiet_cache")


def random_answers(classes=7, count=400, seed=0, absent=()):
    rng = np.random.default_rng(seed)
    labels = rng.choice([number for number in range(classes) if number not in absent], count)
    logits = rng.standard_normal((count, classes)) + 1.5 * np.eye(classes)[labels]
    exponentials = np.exp(logits)
    shares = (exponentials / exponentials.sum(1, keepdims=True)).astype(np.float32)
    return LabelledProbabilities(shares, labels.astype(np.int64))


def names(count):
    return tuple(f"class {number}" for number in range(count))


# ---------------------------------------------------------------- figures of merit
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize(("classes", "absent"), [(2, ()), (7, ()), (7, (3,)), (100, (0, 99))])
def test_figures_equal_scikit_learn_s(classes, absent):
    from sklearn import metrics

    answers = random_answers(classes, absent=absent)
    found = measure(answers, names(classes), "x", "test")
    labels, shares = answers.labels, answers.probabilities
    chosen, every = shares.argmax(1), np.arange(classes)
    assert found.pictures == 400
    assert found.correct == (labels == chosen).sum()
    assert found.accuracy == metrics.accuracy_score(labels, chosen)
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(labels, chosen))
    assert (found.confusion == metrics.confusion_matrix(labels, chosen, labels=every)).all()
    for figure, function in (
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1", metrics.f1_score),
    ):
        wanted = function(labels, chosen, labels=every, average=None, zero_division=0)
        assert [getattr(entry, figure) for entry in found.classes] == wanted.tolist()
    assert [entry.pictures for entry in found.classes] == np.bincount(labels, minlength=classes).tolist()
    exact = shares.astype(np.float64)
    exact /= exact.sum(1, keepdims=True)
    assert found.loss == pytest.approx(metrics.log_loss(labels, exact, labels=every), rel=1e-6)
    wanted = metrics.top_k_accuracy_score(labels, shares, k=5, labels=every) if classes > 5 else 1.0
    assert found.top5_accuracy == pytest.approx(wanted)


def test_figures_by_hand():
    shares = np.array(
        [[0.7, 0.2, 0.1], [0.4, 0.5, 0.1], [0.3, 0.3, 0.4], [0.9, 0.05, 0.05]], dtype=np.float32
    )
    found = measure(LabelledProbabilities(shares, np.array([0, 0, 2, 1])), ("a", "b", "c"), "x", "test")
    assert (found.correct, found.accuracy, found.top5_accuracy) == (2, 0.5, 1.0)
    assert found.confusion.tolist() == [[1, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert found.balanced_accuracy == pytest.approx((1 / 2 + 0 + 1) / 3)
    a, b, c = found.classes
    assert (a.pictures, a.precision, a.recall, a.f1) == (2, 0.5, 0.5, 0.5)
    assert (b.pictures, b.precision, b.recall, b.f1) == (1, 0, 0, 0)
    assert (c.pictures, c.precision, c.recall, c.f1) == (1, 1, 1, 1)
    loss = -sum(math.log(share) for share in (0.7, 0.4, 0.4, 0.05)) / 4
    assert found.loss == pytest.approx(loss, rel=1e-6)
    # Bins of 1/15: 0.7 | 0.5 | 0.4 | 0.9 are alone; right, wrong, right, wrong.
    gap = ((1 - 0.7) + (0.5 - 0) + (1 - 0.4) + (0.9 - 0)) / 4
    assert found.calibration_error == pytest.approx(gap, rel=1e-6)
    # Wilson 1927: centre and half width with z = 1.959964.
    z, n, p = 1.959963984540054, 4, 0.5
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert found.interval == pytest.approx((centre - half, centre + half), rel=1e-9)


def test_calibration_of_pictures_that_share_a_bin():
    shares = np.array([[0.61, 0.39], [0.65, 0.35], [0.64, 0.36], [1.0, 0.0]], np.float32)
    labels = np.array([0, 1, 0, 0])
    wanted = 3 / 4 * abs((0.61 + 0.65 + 0.64) / 3 - 2 / 3) + 1 / 4 * 0
    assert calibration_error(shares, labels) == pytest.approx(wanted, abs=1e-7)
    by_loop = 0.0
    answers = random_answers(5, 1000)
    confidence, right = answers.probabilities.max(1), answers.probabilities.argmax(1) == answers.labels
    for low in range(15):
        inside = (confidence >= low / 15) & (confidence < (low + 1) / 15 + (low == 14))
        if inside.any():
            by_loop += inside.mean() * abs(confidence[inside].mean(dtype=np.float64) - right[inside].mean())
    assert calibration_error(answers.probabilities, answers.labels) == pytest.approx(by_loop, rel=1e-5)


def test_a_probability_of_zero_gives_a_finite_loss():
    found = measure(
        LabelledProbabilities(np.array([[0, 1]], np.float32), np.array([0])), ("a", "b"), "x", "test"
    )
    assert np.isfinite(found.loss)
    assert found.loss > 80
    assert found.accuracy == 0


def test_everything_survives_json():
    found = measure(random_answers(), names(7), "x", "test")
    entries = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert set(entries) == set(vars(found))
    assert entries["confusion"] == found.confusion.tolist()
    assert entries["classes"][2]["recall"] == found.classes[2].recall


# ---------------------------------------------------------------- text
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_the_page_is_aligned_and_fits_a_terminal(classes):
    called = {2: ("cat", "dog"), 10: DATASETS["cifar10"].classes, 100: DATASETS["cifar100"].classes}[classes]
    text = evaluation_text(measure(random_answers(classes), called, "things", "test"))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any(line != line.rstrip() for line in lines)
    assert lines[0] == f"things, test split: 400 pictures, {classes} classes"
    assert ("top-5" in text) == (classes > 5)
    assert ("confusion matrix" in text) == (classes <= 20)
    assert ("most frequent mistakes" in text) == (classes > 20)
    table = lines[next(place for place, line in enumerate(lines) if "precision" in line) :][: classes + 1]
    assert len({len(line) for line in table}) == 1


def test_names_of_many_letters_leave_room_for_the_figures():
    long = ["A" * 200, "B" * 200, "c"]
    page = evaluation_text(measure(random_answers(3), long, "things", "test"))
    assert max(map(len, page.splitlines())) <= 80
    alike = evaluation_text(measure(random_answers(2), ["A" * 90 + "x" + "A" * 90, "A" * 181], "t", "test"))
    assert "A" * 90 + "x" in alike


def test_a_perfect_model_has_no_list_of_mistakes():
    answers = LabelledProbabilities(np.eye(30, dtype=np.float32), np.arange(30))
    text = evaluation_text(measure(answers, names(30), "x", "test"))
    assert "100.00 %" in text
    assert "mistakes" not in text


# ---------------------------------------------------------------- through the program
@pytest.fixture
def run(trained, tmp_path):
    shutil.copytree(trained / "run", tmp_path / "run")
    return tmp_path / "run"


def is_png(path):
    with Image.open(path) as image:
        image.load()
        assert image.format == "PNG"
        assert min(image.size) > 300
        assert len(image.convert("RGB").getcolors(maxcolors=1 << 24)) > 20
    return True


def test_json_is_complete_and_equals_what_training_found(run, capsys):
    code, out, err = call(capsys, "evaluate", run, "--json")
    assert code == 0
    found = json.loads(out)
    assert found == json.loads((run / "test.json").read_text())
    assert err == f"Engine: numpy\nPicture: {run / 'best-confusion.png'}\n"
    assert is_png(run / "best-confusion.png")
    assert {"accuracy", "top5_accuracy", "balanced_accuracy", "loss", "calibration_error"} <= set(found)
    assert is_png(run / "confusion.png")
    assert is_png(run / "curves.png")


def test_output_goes_where_it_is_asked_to(run, capsys, tmp_path):
    answered(capsys, "evaluate", run, "--output", tmp_path / "new" / "place")
    assert is_png(tmp_path / "new" / "place" / "confusion.png")
    assert not (run / "best-confusion.png").exists()
    assert "--output takes a folder" in refused(capsys, "evaluate", run, "--output", run / "run.toml")


def test_figures_come_even_where_no_picture_can_be_drawn(run, capsys, monkeypatch):
    def full(*arguments):
        raise residua.errors.RunError("Cannot write it: Read-only file system.")

    monkeypatch.setattr("residua.insight.evaluation.figure.draw_confusion", full)
    code, out, err = call(capsys, "evaluate", run, "--json")
    assert code == 0
    assert json.loads(out)["pictures"] == 2
    assert (
        err == "Engine: numpy\nNo picture of the confusion matrix: Cannot write it: Read-only file system.\n"
    )


def test_splits(run, capsys):
    sizes = {}
    for split in ("train", "validation", "test"):
        sizes[split] = json.loads(answered(capsys, "evaluate", run, "--json", "--split", split))["pictures"]
    assert sizes == {"train": 20, "validation": 2, "test": 2}
    assert 'Did you mean "test"?' in refused(capsys, "evaluate", run, "--split", "tset")


def test_batches_do_not_matter(run, capsys):
    one, many = (
        answered(capsys, "evaluate", run, "--json", "--split", "train", "--batch", batch, "--engine", "numpy")
        for batch in ("1", "20")
    )
    assert one == many


def test_another_folder_is_matched_by_name(run, capsys, tmp_path):
    """A class that sorts before the others, or is absent, must not shift the labels."""
    other = tmp_path / "other"
    paint_folder(other, ("red", "blue"), seed=50)
    found = json.loads(answered(capsys, "evaluate", run, "--data", other, "--json"))
    assert found["split"] == "whole folder"
    assert found["pictures"] == 24
    assert found["accuracy"] == 1.0
    # The same pictures under exchanged names: all wrong.
    (other / "red").rename(other / "x")
    (other / "blue").rename(other / "red")
    (other / "x").rename(other / "blue")
    found = json.loads(answered(capsys, "evaluate", run, "--data", other, "--json"))
    assert found["accuracy"] == 0.0
    assert found["confusion"] == [[0, 12], [12, 0]]


def test_classes_in_another_order_than_the_model_s(capsys, tmp_path, monkeypatch):
    """The model's classes are in the order of its file, which need not be that of a folder's names."""
    from dataclasses import replace

    monkeypatch.chdir(tmp_path)
    paint_folder(tmp_path / "pics", ("blue", "green", "red"))
    answered(capsys, "train", "pics", *OPTIONS[:-4], "--epochs", "6", "--threads", "1", "--run", "run")
    model = residua.load_model("run")
    order = [2, 0, 1]
    head = {name: array[..., order] for name, array in model.variables["head"].items()}
    turned = replace(
        model,
        classes=tuple(model.classes[place] for place in order),
        variables=model.variables | {"head": head},
    )
    assert turned.classes == ("red", "blue", "green")
    residua.save_model("turned.safetensors", turned)
    for split in ("train", "test"):
        before = residua.evaluate(model, split=split, say=lambda line: None)
        after = residua.evaluate(turned, split=split, say=lambda line: None)
        assert after.accuracy == before.accuracy
        assert after.loss == pytest.approx(before.loss, rel=1e-5)
        assert (after.confusion == before.confusion[np.ix_(order, order)]).all()
        assert before.accuracy > 0.9


def test_a_folder_with_test_gives_that_alone(run, capsys, tmp_path):
    paint_folder(tmp_path / "other" / "train", seed=60)
    paint_folder(tmp_path / "other" / "test", count=5, seed=70)
    found = json.loads(answered(capsys, "evaluate", run, "--data", tmp_path / "other", "--json"))
    assert (found["split"], found["pictures"]) == ("test", 10)


def test_a_changed_training_folder_is_told(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paint_folder(tmp_path / "pics")
    answered(capsys, "train", "pics", *OPTIONS, "--run", "run")
    assert "has changed" not in call(capsys, "evaluate", "run")[2]
    paint(tmp_path / "pics" / "red" / "new.png", (200, 30, 30), 99)
    code, _, err = call(capsys, "evaluate", "run")
    assert code == 0
    assert "pics has changed since this model was trained" in err
    assert "may hold pictures that the model has seen" in err


def test_a_model_of_unknown_origin_asks_for_data(run, capsys, tmp_path):
    from dataclasses import replace

    model = residua.load_model(run)
    residua.save_model(tmp_path / "m.safetensors", replace(model, training={}))
    line = refused(capsys, "evaluate", tmp_path / "m.safetensors")
    assert "does not say what it was trained on: name a data set with --data" in line


# ---------------------------------------------------------------- pictures
@pytest.mark.sample(1)
@pytest.mark.parametrize("classes", [2, 10, 40, 100])
def test_confusion_pictures_show_every_name_inside_the_frame(tmp_path, classes, monkeypatch):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figures = []
    real = FigureCanvasAgg.__init__

    def remember(self, figure=None):
        figures.append(figure)
        real(self, figure)

    monkeypatch.setattr(FigureCanvasAgg, "__init__", remember)
    evaluation = measure(random_answers(classes, 3000), names(classes), "a folder of my own", "test")
    path = draw_confusion(evaluation, tmp_path / "c.png")
    assert is_png(path)
    assert path.stat().st_size < 2_000_000
    figure = figures[0]
    axes = figure.axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(names(classes))
    width, height = figure.get_size_inches() * figure.dpi
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels(), axes.title):
        box = text.get_window_extent()
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    labels = [text.get_window_extent() for text in axes.get_yticklabels()]
    for one, two in pairwise(labels):
        assert not one.overlaps(two), "names lie on each other"


def test_curves_of_one_epoch_and_without_validation(tmp_path):
    row = {"epoch": 1, "step": 3, "rate": 0.1, "train_loss": 2.0, "train_error": 80.0}
    (tmp_path / "log.jsonl").write_text(json.dumps(row) + "\n")
    assert is_png(draw_curves(tmp_path))
    (tmp_path / "log.jsonl").write_text("")
    assert draw_curves(tmp_path).exists()
