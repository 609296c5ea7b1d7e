"""The report's charts."""

from __future__ import annotations

import numpy as np
from small_predictions import predictions, texts

from residua.insight.calibration.numbers import reliability, risk_coverage
from residua.insight.report.figure import curve_chart, reliability_chart, risk_chart


def test_curves_with_and_without_validation():
    rows = [{"epoch": n, "train_loss": 2.0 / n, "validation_loss": 2.5 / n} for n in (1, 2, 3)]
    figure = curve_chart(rows, "loss")
    assert len(figure.axes[0].lines) == 2
    assert "loss (nats)" in texts(figure)
    alone = curve_chart([{"epoch": 1, "train_loss": 2.0}], "loss")
    assert len(alone.axes[0].lines) == 1


def test_a_loss_that_falls_far_is_drawn_in_logarithms():
    rows = [{"epoch": n, "train_loss": 10.0**-n} for n in (1, 2, 3)]
    assert curve_chart(rows, "loss").axes[0].get_yscale() == "log"


def test_reliability_and_risk(rng):
    shares = rng.dirichlet((1, 1), 50)
    answered = predictions(rng.integers(0, 2, 50), shares)
    bins = reliability(answered.probabilities, answered.labels)
    assert len(reliability_chart(bins).axes[0].containers[0]) == int(np.count_nonzero(bins.counts))
    assert "wrong among them (%)" in texts(risk_chart(risk_coverage(answered.probabilities, answered.labels)))
