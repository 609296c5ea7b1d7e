"""Calibration drawn: reliability before and after, and what 'not sure' gains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_predictions import predictions, texts

from residua.insight.calibration.figure import reliability_figure, risk_coverage_figure
from residua.insight.calibration.numbers import highest_risk, ideal_risk, risk_coverage
from residua.models.calibration import Calibration


@pytest.fixture
def answered(rng):
    probabilities = rng.dirichlet((1, 1, 1), 300)
    labels = np.where(rng.random(300) < 0.7, probabilities.argmax(axis=1), 0)
    return predictions(labels, probabilities)


def test_one_panel_as_trained_and_two_where_it_is_calibrated(answered):
    assert "as trained" in texts(reliability_figure(answered))
    assert len(reliability_figure(answered).axes) == 2
    calibrated = replace(answered, model=replace(answered.model, calibration=Calibration(1.5)))
    figure = reliability_figure(calibrated)
    assert len(figure.axes) == 4
    assert "at temperature 1.500" in texts(figure)


def test_the_best_there_could_be_lies_below_the_curve(answered):
    curve = risk_coverage(answered.probabilities, answered.labels)
    coverage, risk = ideal_risk(curve)
    assert risk[-1] == pytest.approx(curve.risk[-1])
    assert (np.interp(curve.coverage, coverage, risk) <= curve.risk + 0.01).all()
    figure = risk_coverage_figure(answered)
    assert figure.axes[0].get_ylim()[1] == pytest.approx(highest_risk(curve))
    assert "what 'not sure' gains" in texts(figure)


def test_without_mistakes_there_is_nothing_to_refuse():
    sure = predictions([0, 1], [[0.9, 0.1], [0.2, 0.8]])
    assert "no mistakes: nothing to refuse" in texts(risk_coverage_figure(sure))
