"""Calibration in words: figures before and after, and a threshold for each accuracy."""

from __future__ import annotations

import numpy as np
from small_predictions import predictions

from residua.insight.calibration.numbers import CalibrationReport, with_temperature
from residua.insight.calibration.text import calibration_text, format_threshold
from residua.models.calibration import Calibration, Coverage


def test_every_accuracy_has_its_threshold_or_none():
    before = predictions([0, 1, 0], [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    calibration = Calibration(2.0, "digits", 200, (Coverage(0.0, 200, 180), Coverage(0.7, 100, 98)))
    after = with_temperature(before, calibration)
    lines = calibration_text(CalibrationReport(before, after), (0.9, 0.95, 0.99)).splitlines()
    assert lines[0] == "digits: 200 pictures"
    assert lines[2].split() == ["temperature", "2.0000"]
    assert lines[-3].split()[:2] == ["90", "%"]
    assert lines[-3].endswith("180 of 200")
    assert lines[-2].split()[2] == "0.700000"
    assert lines[-2].endswith("98 of 100")
    assert lines[-1].endswith("no threshold reaches it")
    losses = [f"{side.evaluation.loss:.4f}" for side in (before, after)]
    assert lines[4].split()[-2:] == losses
    np.testing.assert_array_equal(before.chosen, after.chosen)


def test_a_threshold_near_one_keeps_the_digits_that_tell():
    assert [format_threshold(value) for value in (0.5, 0.9984, 0.999912)] == ["0.500", "0.998", "0.999912"]
