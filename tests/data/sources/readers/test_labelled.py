"""What the readers share: labels that are none of the classes, and files that cannot be read whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from residua.data.sources.readers import labelled
from residua.data.sources.readers.labelled import labelled_pictures, read_whole
from residua.errors import DataError

IMAGES = np.zeros((3, 2, 2, 1), np.uint8)


def test_labels_are_checked_and_pictures_named():
    pictures = labelled_pictures(IMAGES, np.array([0, 1, 1], np.uint8), 2, Path("f"), "train")
    assert pictures.names == ("train[0]", "train[1]", "train[2]")
    assert pictures.labels.dtype == np.int64
    with pytest.raises(DataError, match="f gives picture 1 the label 2; the labels are 0 to 1"):
        labelled_pictures(IMAGES, np.array([0, 2, 1]), 2, Path("f"), "train")


def test_files_too_large_or_absent(tmp_path, monkeypatch):
    (tmp_path / "f").write_bytes(b"abc")
    assert read_whole(tmp_path / "f") == b"abc"
    with pytest.raises(DataError, match="Cannot read"):
        read_whole(tmp_path / "absent")
    monkeypatch.setattr(labelled, "MOST_BYTES", 2)
    with pytest.raises(DataError, match="is larger than"):
        read_whole(tmp_path / "f")
