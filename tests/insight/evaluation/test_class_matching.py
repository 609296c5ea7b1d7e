"""Labels matched by the names of classes."""

from __future__ import annotations

import numpy as np
import pytest

from residua.errors import DataError
from residua.insight.evaluation.class_matching import match_labels


def match(classes, known, unknown="skip", labels=None):
    heard = []
    labels = np.arange(len(classes)) if labels is None else np.asarray(labels)
    return match_labels(labels, tuple(classes), tuple(known), "pics", unknown, heard.append), heard


def test_by_name_and_never_by_place():
    found, heard = match(["b", "a"], ["a", "b", "c"])
    assert found.labels.tolist() == [1, 0]
    assert found.kept.all()
    assert (found.left_out, heard) == ({}, [])


def test_other_spellings_are_matched_where_one_class_is_meant():
    found, heard = match(["CAT ", "dog  house", "e\u0301"], ["cat", "Dog House", "\u00e9"])
    assert found.labels.tolist() == [0, 1, 2]
    assert len(heard) == 1
    assert heard[0].startswith("pics spells classes in another way: CAT  as cat")
    # Two classes that only capitals tell apart are both matched as they are written, and nothing else is.
    found, heard = match(["cat", "CAT"], ["Cat", "cat"])
    assert found.labels.tolist() == [1]
    assert found.left_out == {"CAT": 1}


def test_unknown_classes_are_named_counted_and_left_out_or_refused():
    found, heard = match(["a", "x", "y"], ["a", "b"], labels=[0, 1, 1, 0, 2])
    assert (found.labels.tolist(), found.left_out) == ([0, 0], {"x": 2, "y": 1})
    assert found.kept.tolist() == [True, False, False, True, False]
    assert heard == [
        "pics has classes that the model does not know: x (2), y (1). Their 3 pictures are left out"
    ]
    with pytest.raises(DataError, match=r"does not know \(x, y\); it knows a, b"):
        match(["a", "x", "y"], ["a", "b"], "refuse")
    with pytest.raises(DataError, match="does not know"):
        match(["x"], ["a", "b"])
    # Classes without pictures are nobody's concern.
    assert match(["a", "x"], ["a"], "refuse", labels=[0])[1] == []
