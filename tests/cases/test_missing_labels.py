"""A column of labels with empty cells: nothing is trained, and it is said how many are missing and where."""

from __future__ import annotations

import numpy as np
import pytest

import residua
from residua.errors import DataError


@pytest.mark.parametrize("kind", ["nan", "none"])
def test_missing_labels_are_no_class(kind):
    X, y = np.zeros((60, 8, 8), np.uint8), np.arange(60) % 3
    missing = np.arange(60) % 10 == 0
    labels = np.where(missing, np.nan, y) if kind == "nan" else np.where(missing, None, y.astype(str))
    classifier = residua.Classifier(epochs=1, engine="numpy")
    with pytest.raises(DataError, match=r"6 of 60 \(rows 0, 10, 20, 30, 40, \.\.\.\)"):
        classifier.fit(X, labels)
    assert not hasattr(classifier, "classes_")
