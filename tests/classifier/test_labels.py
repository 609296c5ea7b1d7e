"""Labels as people have them: what is a class, what is missing, and that both are said and kept."""

from __future__ import annotations

import json
from datetime import date, datetime
from enum import Enum

import numpy as np
import pytest
from sklearn.exceptions import DataConversionWarning

from residua.classifier.labels import (
    check_known,
    class_names,
    distinct_labels,
    find_missing,
    read_labels,
    restore_labels,
    store_labels,
)
from residua.errors import DataError, ResiduaError, ShapeError


class NAType:
    """As pandas' NA: comparing with it gives it again, which is neither true nor false."""

    def __eq__(self, other):
        return self

    __ne__ = __eq__
    __hash__ = None

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")


class Column:
    """As a column of a table: an array is all that is known of it."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)


MISSING = {
    "nan": np.array([0, 1, np.nan, 1, np.nan, 0]),
    "none": ["a", "b", None, "b", None, "a"],
    "nan among texts": ["a", "b", np.nan, "b", float("nan"), "a"],
    "texts of nan": np.array(["a", "b", np.nan, "b", np.nan, "a"]),
    "empty texts": ["a", "b", "", "b", "  ", "a"],
    "bytes": np.array([b"a", b"b", b"", b"b", b" ", b"a"]),
    "not a time": np.array(["2020", "2021", "NaT", "2021", "NaT", "2020"], "M8[D]"),
    "pandas' NA": np.array([1, 2, NAType(), 2, NAType(), 1], object),
    "masked": np.ma.masked_array([0, 1, 7, 1, 7, 0], [0, 0, 1, 0, 1, 0]),
    "masked column": np.ma.masked_array([0, 1, 7, 1, 7, 0], [0, 0, 1, 0, 1, 0]).reshape(-1, 1),
    "a table's column": Column([0, 1, np.nan, 1, np.nan, 0]),
    "numbers and none": [1, 2, None, 2, None, 1],
}


@pytest.mark.filterwarnings("ignore:A column-vector")
@pytest.mark.parametrize("y", MISSING.values(), ids=MISSING.keys())
def test_missing_labels_are_counted_and_named(y):
    with pytest.raises(DataError) as caught:
        read_labels(y, 6)
    assert "2 of 6 (rows 2, 4)" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_many_missing_rows_are_not_all_named():
    with pytest.raises(DataError, match=r"50 of 100 \(rows 0, 2, 4, 6, 8, \.\.\.\)"):
        read_labels([None, "a"] * 50, 100)


REFUSED = {
    "infinite": ([0.0, 1.0, np.inf, 1.0], DataError, r"infinity.*1 of 4 \(row 2\)"),
    "continuous": ([0.0, 1.0, 1.5, 1.0], DataError, r"continuous.*1 of 4 are not \(1.5 and so on, row 2\)"),
    "numbers and texts": ([1, "a", 1, 2], DataError, r"mixes numbers and texts \(1 texts, row 1\)"),
    "truth and numbers": ([True, 2, 3, 1], DataError, r"mixes numbers and truth values"),
    "bytes and texts": ([b"a", "a", "b", "b"], DataError, "mixes bytes and texts"),
    "days and moments": ([date(2020, 1, 1), datetime(2020, 1, 1)] * 2, DataError, "mixes dates and moments"),
    "blanks": (["cat", "cat ", "dog", "dog"], DataError, r"'cat' and 'cat ' \(1 rows, row 1\) look the same"),
    "two forms": (["\u00e9", "e\u0301", "b", "b"], DataError, r"'e\\u0301' and '\\xe9'.*look the same"),
    "one-hot": (np.eye(2)[[0, 1, 0, 1]], ShapeError, r"one-hot.*y\.argmax"),
    "several": ([[1, 2], [3, 4], [1, 2], [3, 4]], ShapeError, "several labels a picture"),
    "ragged": ([[1], [1, 2], [1], [2]], ShapeError, "differ in length"),
    "complex": (np.array([1j, 2, 3, 4]), DataError, "complex"),
    "objects": ([object()] * 4, DataError, "objects of the kind object"),
    "tuples": (np.array([(1, 2), (1,), (2,), (3, 3)], object), DataError, "objects of the kind tuple"),
    "nothing": (None, DataError, "the target y is None"),
    "text": ("abab", ShapeError, "1d array"),
    "one number": (3, ShapeError, "1d array"),
    "fewer": ([0, 1, 0], ShapeError, r"4 pictures need as many labels; y has the shape \(3,\)"),
    "enums": (list(Enum("Kind", "A B C D")), DataError, "objects of the kind Kind"),
}


@pytest.mark.parametrize(("y", "error", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_label_is_refused_in_a_line(y, error, said):
    with pytest.raises(error, match=said) as caught:
        read_labels(y, 4)
    assert isinstance(caught.value, ResiduaError)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


KEPT = {
    "texts": (["b", "a", "b"], "U"),
    "numbers": ([3, 1, 3], "i"),
    "whole floats": ([1.0, 2.0, 1.0], "f"),
    "whole and float": ([1, 2.0, 1], "f"),
    "small": (np.array([3, 1, 3], np.uint8), "u"),
    "truth": ([True, False, True], "b"),
    "texts as objects": (np.array(["b", "a", "b"], object), "O"),
    "numbers as objects": (np.array([3, 1, 3], object), "i"),
    "truth as objects": (np.array([True, False, True], object), "b"),
    "bytes": ([b"b", b"a", b"b"], "S"),
    "dates": ([date(2021, 1, 1), date(2020, 1, 1), date(2021, 1, 1)], "O"),
    "moments": (np.array(["2021-01-01T10", "2020", "2021-01-01T10"], "M8[s]"), "M"),
    "blanks inside": (["a cat", " dog", "a cat"], "U"),
    "a column of a table": (Column(["b", "a", "b"]), "U"),
    "float32": (np.array([1, 2, 1], np.float32), "f"),
    "nano": (np.array(["nano", "nan o", "nano"]), "U"),
}


@pytest.mark.parametrize(("y", "kind"), KEPT.values(), ids=KEPT.keys())
def test_labels_keep_their_type_and_come_back_from_a_file(y, kind):
    labels = read_labels(y, 3)
    assert labels.dtype.kind == kind
    classes, numbers = distinct_labels(labels)
    assert (classes[numbers] == labels).all()
    stored = json.loads(json.dumps(store_labels(classes)))
    again = restore_labels(stored, class_names(classes))
    assert again.dtype == classes.dtype
    assert (again == classes).all()
    assert list(map(type, again.tolist())) == list(map(type, classes.tolist()))


@pytest.mark.parametrize(
    "stored",
    [
        {"type": "<U1", "labels": ["a"]},
        {"type": "<U1", "labels": ["a", "c"]},
        {"type": "<c16", "labels": ["a", "b"]},
        {"type": 3, "labels": ["a", "b"]},
        {"type": "nonsense", "labels": ["a", "b"]},
        {"type": "<i8", "labels": ["a", "b"]},
    ],
)
def test_labels_that_are_not_of_the_classes_are_refused(stored):
    with pytest.raises((ValueError, TypeError)):
        restore_labels(stored, ("a", "b"))


def test_a_column_warns_as_scikit_learn_does():
    with pytest.warns(DataConversionWarning, match="ravel"):
        assert read_labels(np.array([[0], [1], [0]]), 3).tolist() == [0, 1, 0]


def test_one_class_is_said():
    with pytest.raises(DataError, match="two or more classes; y holds 1 class"):
        distinct_labels(np.zeros(3))


def test_labels_that_no_class_has_are_counted():
    with pytest.warns(UserWarning, match=r"2 of 4 labels are none of the model's classes \('c', 'd'\)"):
        check_known(np.array(["a", "c", "d", "b"]), np.array(["a", "b"]))
    check_known(np.array(["a"], object), np.array(["a", "b"]))
    with pytest.raises(DataError, match=r"classes are texts \('a', ...\), the labels in y numbers"):
        check_known(np.array([0, 1]), np.array(["a", "b"]))


def test_whole_numbers_are_never_missing():
    assert not find_missing(np.arange(4)).any()
