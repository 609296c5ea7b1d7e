"""A check of a data set as one picture."""

from __future__ import annotations

from collections import Counter

import pytest
from small_findings import findings
from small_predictions import texts

from residua.insight.data_quality.figure import check_figure


@pytest.mark.parametrize("sizes", [Counter({(5, 6): 12}), Counter({(5, 6): 3, (9, 9): 9})])
def test_the_picture_of_it(sizes):
    said = texts(check_figure(findings([(0, 8)], sizes=sizes)))
    assert "pics: 12 pictures, 2 classes" in said
    assert "train  train-0  blue\ntest  test-0  blue" in said
    assert ("2 sizes, most often 9x9 (9)" in said) == (len(sizes) == 2)
