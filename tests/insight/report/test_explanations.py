"""Which answers a report explains: sure right ones of different classes, and the worst mistakes."""

from __future__ import annotations

import numpy as np
from small_predictions import predictions

from residua.config import ReportConfig
from residua.insight.mistakes.numbers import find_mistakes
from residua.insight.report.explanations import RIGHT, WRONG, explain_answers, explained_indices


def test_right_answers_take_turns_between_classes(rng):
    labels = np.repeat([0, 1, 2], 4)
    shares = 0.6 * np.eye(3)[labels] + 0.4 / 3 + 0.001 * rng.random((12, 3))
    answered = predictions(labels, shares)
    indices = explained_indices(answered, find_mistakes(answered))
    assert len(indices) == RIGHT + WRONG  # there is no mistake that would take a place
    assert sorted(answered.labels[indices[:3]]) == [0, 1, 2]
    assert sorted(answered.labels[indices[3:6]]) == [0, 1, 2]


def test_mistakes_come_last_and_are_counted():
    answered = predictions([0, 1, 1], [[0.9, 0.1], [0.3, 0.7], [0.8, 0.2]])
    explanations = explain_answers(
        answered, find_mistakes(answered), ReportConfig(engine="numpy", threads=1), lambda line: None
    )
    assert explanations.mistakes == 1
    # A linear model has no maps: integrated gradients stand in the place of Grad-CAM.
    assert list(explanations.explained.maps) == ["integrated", "occlusion"]
    assert explanations.explained.names[-1] == "picture 2"
