"""sample_weight and class_weight: what they take, and what they come to."""

from __future__ import annotations

import numpy as np
import pytest

from residua.classifier.weights import class_weights, joined_weights, sample_weights
from residua.errors import ConfigError, DataError, ShapeError

LABELS = np.array([0, 0, 0, 1])
NAMES = np.array(["a", "b"])


@pytest.mark.parametrize(
    "given", [[1, 2, 3, 4], (1, 2, 3, 4), np.arange(1, 5), np.arange(1, 5, dtype=np.float32)]
)
def test_a_number_for_each_picture(given):
    assert sample_weights(given, 4).tolist() == [1, 2, 3, 4]
    assert sample_weights(None, 4) is None
    assert sample_weights(2, 3).tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ([1, 2], ShapeError, r"expected \(4,\)"),
        (np.ones((4, 1)), ShapeError, "1D"),
        ([1, -1, 1, 1], DataError, "row 1"),
        ([1, 1, np.nan, 1], DataError, "row 2"),
        ([0, 0, 0, 0], DataError, "nothing but zeros"),
        (["a"] * 4, DataError, "a number for each picture"),
    ],
)
def test_what_sample_weight_cannot_be(given, error, said):
    with pytest.raises(error, match=said):
        sample_weights(given, 4)


def test_classes_are_weighed_by_label():
    assert class_weights(None, NAMES, LABELS, None) is None
    assert class_weights("balanced", NAMES, LABELS, None) == pytest.approx([2 / 3, 2])
    assert class_weights("balanced", NAMES, LABELS, np.array([1, 1, 1, 3.0])).tolist() == [1, 1]
    assert class_weights({"b": np.float32(2)}, NAMES, LABELS, None).tolist() == [1, 2]
    assert class_weights({np.int64(7): 3}, np.array([5, 7]), LABELS, None).tolist() == [1, 3]
    for wrong in ("equal", 3, {"c": 1}, {"a": -1}, {"a": "x"}, {"a": True}):
        with pytest.raises(ConfigError, match="class_weight"):
            class_weights(wrong, NAMES, LABELS, None)


def test_both_count():
    samples = np.array([1.0, 2, 3, 4])
    assert joined_weights(None, LABELS, None) is None
    assert joined_weights(None, LABELS, samples) is samples
    assert joined_weights(np.array([1.0, 2]), LABELS, samples).tolist() == [1, 2, 3, 8]
    assert joined_weights(np.array([1.0, 2]), LABELS, None).tolist() == [1, 1, 1, 2]
