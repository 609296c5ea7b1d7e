"""What X is, sorted out: files, pictures, arrays, rows; and what it cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from residua.classifier.inputs import sort_input
from residua.errors import DataError, ShapeError

PICTURE = np.zeros((8, 9), np.uint8)


class Tensor:
    """As other libraries' arrays."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __array__(self, dtype=None, copy=None):
        return self.array


class Frame:
    """As a table of pandas."""

    def __init__(self, values):
        self.values = np.asarray(values, object)
        self.columns = list(range(self.values.shape[1]))
        self.shape = self.values.shape

    @property
    def iloc(self):
        return self.values

    def __len__(self):
        return len(self.values)


KINDS = {
    "texts": (["a.png", "b.png"], "files"),
    "paths": ((Path("a.png"), Path("b.png")), "files"),
    "bytes": ([b"a.png", b"b.png"], "files"),
    "array of texts": (np.array(["a.png", "b.png"]), "files"),
    "array of objects": (np.array([Path("a.png"), "b.png"], object), "files"),
    "column of texts": (np.array([["a.png"], ["b.png"]]), "files"),
    "table of texts": (Frame([["a.png"], ["b.png"]]), "files"),
    "generator of paths": ((Path(name) for name in ("a.png", "b.png")), "files"),
    "arrays": ([PICTURE, PICTURE], "pictures"),
    "arrays of several sizes": ([PICTURE, PICTURE.T], "pictures"),
    "arrays of grey and colour": ([PICTURE, np.zeros((8, 9, 3))], "pictures"),
    "generator of arrays": ((picture for picture in (PICTURE, PICTURE)), "pictures"),
    "tensors": ([Tensor(PICTURE), Tensor(PICTURE.T)], "pictures"),
    "pillow": ([Image.new("L", (8, 9)), Image.new("RGB", (4, 4))], "pictures"),
    "pillow and arrays": ([Image.new("L", (8, 9)), PICTURE], "pictures"),
    "lists of several sizes": ([PICTURE.tolist(), PICTURE.T.tolist()], "pictures"),
    "objects": (np.array([PICTURE, PICTURE.T, None], object)[:2], "pictures"),
    "array": (np.zeros((2, 8, 9)), "array"),
    "tensor": (Tensor(np.zeros((2, 8, 9))), "array"),
    "nested lists": (np.zeros((2, 8, 9)).tolist(), "array"),
    "rows": (np.zeros((2, 9)), "rows"),
    "list of rows": ([[1, 2], [3, 4]], "rows"),
    "table of numbers": (Frame([[1, 2], [3, 4]]), "rows"),
    "numbers": ([1, 2], "rows"),
}


@pytest.mark.parametrize(("X", "kind"), KINDS.values(), ids=KINDS.keys())
def test_what_x_is(X, kind):
    found = sort_input(X)
    assert found.kind == kind
    assert len(found) == 2
    if kind == "files":
        assert found.values == ["a.png", "b.png"]


REFUSED = {
    "one file": ("a.png", ShapeError, r"for one file alone give \['a.png'\]"),
    "one path": (Path("a.png"), ShapeError, r"give \['a.png'\]"),
    "one picture": (Image.new("L", (8, 8)), ShapeError, r"in a list: \[picture\]"),
    "files and arrays": (["a.png", PICTURE], DataError, "entry 1 is of the kind ndarray"),
    "files and none": (["a.png", None], DataError, "entry 1 is of the kind NoneType"),
    "arrays and none": ([PICTURE, None], DataError, "entry 1 of X is None"),
    "rows of several lengths": ([[1, 2], [3]], ShapeError, r"picture 0 .* \(2,\).*lengths: 1, 2"),
    "ragged": ([[[1, 2], [3]], [[1, 2], [3, 4]]], ShapeError, "picture 0 is no array"),
}


@pytest.mark.parametrize(("X", "error", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_x_cannot_be(X, error, said):
    with pytest.raises(error, match=said) as caught:
        sort_input(X)
    assert "\n" not in str(caught.value)


def test_nothing_is_no_pictures():
    assert len(sort_input([])) == 0
