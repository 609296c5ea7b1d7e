"""Predictions as text, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json

from residua.insight.prediction.numbers import Prediction
from residua.insight.prediction.text import write_csv, write_json, write_text

GOOD = Prediction("a.png", (("cat", 0.75), ("dog", 0.25)))
BAD = Prediction("b.png", (), "Cannot read b.png")
UNSURE = Prediction("c.png", (("cat", 0.5), ("dog", 0.5)), sure=False)


def test_each_writer_gives_back_what_failed():
    for write in (write_text, write_json, write_csv):
        assert write([GOOD, BAD], io.StringIO(), 2) == [BAD]


def test_text_says_not_sure_before_the_names():
    out = io.StringIO()
    write_text([GOOD, BAD, UNSURE], out, 2)
    assert out.getvalue().splitlines() == [
        "a.png   cat 75.0 %   dog 25.0 %",
        "b.png   cannot be read",
        "c.png   not sure   (cat 50.0 %   dog 50.0 %)",
    ]


def test_json_has_every_picture():
    out = io.StringIO()
    write_json([GOOD, BAD, UNSURE], out, 2)
    good, bad, unsure = json.loads(out.getvalue())
    assert (good["class"], bad["error"], unsure["sure"]) == ("cat", "Cannot read b.png", False)
    assert "sure" not in good


def test_csv_has_a_column_for_not_sure_only_where_it_was_asked_for():
    out = io.StringIO()
    write_csv([GOOD, BAD], out, 1)
    assert out.getvalue().splitlines()[0] == "file,class,probability,error"
    out = io.StringIO()
    write_csv([UNSURE], out, 2)
    (row,) = csv.DictReader(io.StringIO(out.getvalue()))
    assert (row["class_2"], row["sure"]) == ("dog", "no")
