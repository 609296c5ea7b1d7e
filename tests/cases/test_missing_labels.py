"""A column of labels with empty cells: nothing is trained, and it is said how many are missing and where."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import refused

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


def test_check_of_their_folder_says_what_they_are_for(tmp_path, capsys):
    """Arrays in a folder, or named alone: no pictures, but nothing that is empty either."""
    np.save(tmp_path / "X.npy", np.zeros((6, 8, 8), np.uint8))
    np.save(tmp_path / "y.npy", np.arange(6) % 3)
    line = refused(capsys, "check", tmp_path)
    assert "holds no pictures, but 2 NumPy arrays such as" in line
    assert "(residua.Classifier in Python takes them)" in line
    line = refused(capsys, "check", tmp_path / "X.npy")
    assert "X.npy is a file: a NumPy array (residua.Classifier in Python takes it)" in line
    (tmp_path / "labels.csv").write_text("file,label\n")
    assert "is a file: a table; name the folder of its pictures" in refused(
        capsys, "check", tmp_path / "labels.csv"
    )
