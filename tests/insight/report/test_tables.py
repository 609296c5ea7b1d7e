"""The rows of a report's tables."""

from __future__ import annotations

from small_predictions import predictions

from residua.insight.report.tables import confusion_rows, count_rows, format_shape


def test_counts_by_class_with_holes_where_a_split_has_none():
    counts = {"train": {"blue": 3, "red": 2}, "test": {"red": 1}}
    assert count_rows(counts) == [("blue", [3, 0]), ("red", [2, 1])]


def test_cells_are_the_darker_the_larger_their_share():
    shares = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.1, 0.9]]
    first, second = confusion_rows(predictions([0, 1, 1, 1], shares, ("blue", "red")).evaluation)
    assert first == {
        "name": "blue",
        "cells": [{"number": 1, "depth": 5, "right": True}, {"number": 0, "depth": 0, "right": False}],
    }
    assert [cell["number"] for cell in second["cells"]] == [1, 2]
    assert 0 < second["cells"][0]["depth"] < second["cells"][1]["depth"]


def test_shapes_as_people_write_them():
    assert format_shape((32, 32, 16)) == "32×32×16"
