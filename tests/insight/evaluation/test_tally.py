"""Sums over answers: those of parts are those of the whole."""

from __future__ import annotations

import json

import numpy as np
import pytest

from residua.insight.evaluation.numbers import evaluation_of, measure
from residua.insight.evaluation.tally import Tally, calibration_error
from residua.training.inference import LabelledProbabilities

CLASSES = tuple("abcdefg")


@pytest.fixture
def answers():
    rng = np.random.default_rng(4)
    probabilities = rng.dirichlet(np.full(len(CLASSES), 0.4), 500).astype(np.float32)
    return LabelledProbabilities(probabilities, rng.integers(0, 5, 500))  # of two classes there is none


def part(answers, rows):
    return LabelledProbabilities(answers.probabilities[rows], answers.labels[rows])


def test_parts_in_any_order_give_the_figures_of_the_whole(answers):
    whole = measure(answers, CLASSES, "data", "test")
    parts = [Tally.of(part(answers, slice(start, start + 90))) for start in range(0, 500, 90)]
    for order in (parts, parts[::-1]):
        found = evaluation_of(sum(order, Tally.none(len(CLASSES))), CLASSES, "data", "test")
        for name in ("accuracy", "top5_accuracy", "balanced_accuracy", "loss", "calibration_error"):
            assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-12), name
        assert found.confusion.tolist() == whole.confusion.tolist()
        assert (found.classes, found.interval) == (whole.classes, whole.interval)


def test_a_tally_survives_json(answers):
    tally = Tally.of(answers)
    again = Tally.from_dict(json.loads(json.dumps(tally.to_dict())))
    assert again.pictures == 500
    assert again.to_dict() == tally.to_dict()


def test_its_calibration_error_is_that_of_single_answers(answers):
    wanted = calibration_error(answers.probabilities, answers.labels)
    assert Tally.of(answers).calibration_error == pytest.approx(wanted, rel=1e-12)
