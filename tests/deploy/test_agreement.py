"""Two answers held to each other."""

from __future__ import annotations

import numpy as np

from residua.deploy.agreement import Agreement, compare_answers


def test_two_answers_are_counted_and_without_labels_neither_is_right():
    ours = np.array([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]], np.float32)
    theirs = np.array([[0.75, 0.25], [0.25, 0.75], [0.125, 0.875]], np.float32)
    assert compare_answers(ours, theirs, np.array([0, 1, 0])) == Agreement(2, 0.25, 1 / 3, 2 / 3)
    assert compare_answers(ours, theirs, None) == Agreement(2, 0.25, None, None)
