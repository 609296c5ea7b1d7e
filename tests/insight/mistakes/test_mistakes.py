"""Mistakes: worst first, planted label errors found, a happy sheet where there are none."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from tiny import answered, paint, paint_folder, refused

import residua
from residua.config import EvaluateConfig
from residua.insight.evaluation.figure import confusion_figure
from residua.insight.evaluation.numbers import confused_pairs, measure
from residua.insight.evaluation.predictions import predict_split
from residua.insight.mistakes.figure import label_errors_figure, mistakes_figure, pairs_figure
from residua.insight.mistakes.label_errors import find_label_errors
from residua.insight.mistakes.numbers import find_mistakes
from residua.training.inference import LabelledProbabilities

pytestmark = pytest.mark.usefixtures("quiet_cache")


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def words(figure):
    """All text of a figure."""
    titles = [] if figure._suptitle is None else [figure._suptitle.get_text()]
    for axes in figure.axes:
        titles += [axes.get_title(), *(text.get_text() for text in axes.texts)]
        titles += [tick.get_text() for tick in axes.get_yticklabels()]
    return "\n".join(titles)


# ---------------------------------------------------------------- label errors
@pytest.mark.parametrize("classes", [2, 5])
def test_planted_label_errors_are_found(classes, rng):
    true = rng.integers(0, classes, 600)
    probabilities = softmax(rng.standard_normal((600, classes)) + 7 * np.eye(classes)[true])
    planted = rng.choice(600, 30, replace=False)
    labels = true.copy()
    labels[planted] = (true[planted] + 1) % classes
    found = find_label_errors(probabilities, labels)
    assert np.isin(planted, found.places).mean() >= 0.9
    assert np.isin(found.places[:25], planted).mean() >= 0.9
    top = found.places[:20]
    assert (found.suspected[:20] == true[top]).mean() >= 0.9
    assert found.share == pytest.approx(30 / 600, abs=0.03)
    assert (np.diff(found.margins) <= 0).all()
    clean = find_label_errors(probabilities, true)
    assert len(clean) < 12


def test_the_confident_joint_by_hand():
    # Class 0's own pictures get 0.9, 0.8 and 0.1 for it: threshold 0.6; class 1's get 0.7 and 0.5: 0.6.
    first = np.array([0.9, 0.8, 0.1, 0.3, 0.5], np.float32)
    probabilities = np.stack([first, 1 - first], axis=1)
    found = find_label_errors(probabilities, np.array([0, 0, 0, 1, 1]))
    np.testing.assert_allclose(found.thresholds, [0.6, 0.6], atol=1e-6)
    assert found.joint.tolist() == [[2, 1], [0, 1]]
    assert found.places.tolist() == [2]
    assert found.suspected.tolist() == [1]
    assert found.margins[0] == pytest.approx(0.8, abs=1e-6)
    assert found.share == pytest.approx(3 * (1 / 3) / 5)


def test_one_class_and_an_absent_class_suspect_nobody():
    assert len(find_label_errors(np.ones((4, 1), np.float32), np.zeros(4, np.int64))) == 0
    sure = np.array([[0.9, 0.1], [0.8, 0.2]], np.float32)
    found = find_label_errors(sure, np.zeros(2, np.int64))
    assert len(found) == 0
    assert found.thresholds[1] == np.inf


# ---------------------------------------------------------------- the verb
def test_the_worst_come_first_with_both_guesses(trained, tmp_path, capsys):
    folder = paint_folder(tmp_path / "others", ("red", "blue"), 3)
    paint(folder / "blue" / "wrong.png", (250, 20, 20), 5)
    paint(folder / "blue" / "nearly.png", (130, 40, 110), 6)
    paint(folder / "red" / "bluish.png", (60, 40, 170), 7)  # so that red asks for less than certainty
    out = answered(capsys, "mistakes", trained / "run", folder, "--json", "--output", tmp_path / "out")
    found = json.loads(out)
    model = residua.load_model(trained / "run")
    answers = predict_split(model, EvaluateConfig(data=str(folder)), print)
    own = {
        name: answers.probabilities[place, answers.labels[place]]
        for place, name in enumerate(answers.pictures.names)
    }
    listed = [entry["file"] for entry in found["mistakes"]]
    assert {"blue/wrong.png", "red/bluish.png"} <= set(listed)
    assert listed == sorted(listed, key=lambda name: own[name])
    worst = next(entry for entry in found["mistakes"] if entry["file"] == "blue/wrong.png")
    assert worst["class"] == "blue"
    assert [guess["class"] for guess in worst["guesses"]] == ["red", "blue"]
    assert worst["guesses"][1]["probability"] == pytest.approx(float(own["blue/wrong.png"]))
    confused = {(pair["class"], pair["answer"]): pair["pictures"] for pair in found["confused"]}
    assert sum(confused.values()) == len(listed)
    assert confused["red", "blue"] == 1
    suspected = {entry["file"]: entry["seems"] for entry in found["suspected_labels"]}
    assert suspected["blue/wrong.png"] == "red"
    for name in ("mistakes.png", "pairs.png", "label-errors.png"):
        with Image.open(tmp_path / "out" / name) as drawn:
            assert drawn.size[0] > 300
    text = answered(capsys, "mistakes", trained / "run", folder, "--output", tmp_path / "out")
    assert "blue/wrong.png   is blue   red" in text


def test_no_mistakes_make_a_happy_sheet(trained, tmp_path, capsys):
    folder = paint_folder(tmp_path / "good", count=4)
    out = answered(capsys, "mistakes", trained / "run", folder, "--output", tmp_path / "out")
    assert "no mistakes, all 8 pictures are right" in out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mistakes.png"]
    answers = predict_split(residua.load_model(trained / "run"), EvaluateConfig(data=str(folder)), print)
    found = find_mistakes(answers)
    assert "no mistakes" in words(mistakes_figure(found))
    assert "no mistakes" in words(pairs_figure(found))
    assert "no label is suspected" in words(label_errors_figure(found))


def test_one_class_other_sizes_and_grey_pictures(trained, tmp_path, capsys):
    for number, size in enumerate([(40, 9), (9, 40), (64, 64)]):
        path = tmp_path / "few" / "blue" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((*size, 3), (20, 40, 200), np.uint8)).save(path)
    paint(tmp_path / "few" / "blue" / "grey.png", (128, 128, 128), 3, mode="L")
    out = answered(capsys, "mistakes", trained / "run", tmp_path / "few", "--output", tmp_path / "one")
    assert "all 4 pictures" in out or "of 4 wrong" in out
    paint(tmp_path / "few" / "red" / "0.png", (210, 40, 30), 1)
    out = answered(capsys, "mistakes", trained / "run", tmp_path / "few", "--output", tmp_path / "out")
    assert "all 5 pictures" in out or "of 5 wrong" in out
    line = refused(capsys, "mistakes", trained / "run", "digits")
    assert "digits has pictures of 8x8x1, this model takes 8x8x3" in line


def test_a_picture_of_only_one_class_known(trained, tmp_path):
    """A model with one class has no second guess."""
    model = residua.load_model(trained / "run")
    answers = predict_split(model, EvaluateConfig(data=str(trained / "pics"), split="validation"), print)
    lone = replace(
        answers,
        model=replace(model, classes=("blue",)),
        probabilities=np.ones((len(answers), 1), np.float32),
        pictures=replace(answers.pictures, labels=np.zeros(len(answers), np.int64)),
    )
    found = find_mistakes(lone)
    assert (len(found), found.order.shape[1]) == (0, 1)
    mistakes_figure(found)
    confusion_figure(lone.evaluation)


# ---------------------------------------------------------------- a thousand classes
def test_a_thousand_classes_are_told_by_blocks_and_pairs(rng):
    labels = np.repeat(np.arange(1000), 4)
    logits = 0.5 * rng.standard_normal((4000, 1000)) + 8 * np.eye(1000)[labels]
    logits[:4, 7] += 20  # all of class 0 for class 7
    logits[np.arange(400, 600, 4), 900] += 20  # fifty weaker pairs
    names = tuple(f"a long name of class {number}" for number in range(1000))
    evaluation = measure(LabelledProbabilities(softmax(logits), labels), names, "imagenet", "test")
    assert confused_pairs(evaluation.confusion, 1) == [(0, 7, 4)]
    figure = confusion_figure(evaluation)
    text = words(figure)
    assert "the 30 strongest of 51 confused pairs" in text
    assert "21 weaker pairs with 21 mistakes are not named" in text
    assert "a long name of…" in text.replace("a long name of class 0", "")
    figure.canvas.draw()
    ticks = figure.axes[1].get_yticklabels()
    boxes = [tick.get_window_extent() for tick in ticks]
    assert all(box.x0 >= 0 for box in boxes)
    assert not any(one.overlaps(two) for one, two in pairwise(boxes))
