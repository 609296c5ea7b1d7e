"""Statistics of layers as numbers to draw."""

from __future__ import annotations

import numpy as np
import pytest

from residua.errors import RunError
from residua.insight.inspection.statistics import layer_names, read_statistics_of, values_by_epoch

ROWS = [
    {"epoch": 1, "layers": [{"name": "head", "std": 0.1}]},
    {
        "epoch": 2,
        "layers": [
            {"name": "stem", "std": 10.0, "off": 0.25, "dead": 2, "channels": 8},
            {"name": "head", "std": 0.0},
        ],
    },
]


def test_layers_of_any_epoch_and_holes_where_one_was_frozen():
    names = layer_names(ROWS)
    assert names == ["head", "stem"]
    np.testing.assert_allclose(values_by_epoch(ROWS, names, "std"), [[-1, -9], [np.nan, 1]])
    np.testing.assert_allclose(values_by_epoch(ROWS, names, "off")[1], [np.nan, 25])
    np.testing.assert_allclose(values_by_epoch(ROWS, names, "dead")[1], [np.nan, 25])


def test_a_run_without_statistics_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"holds no statistics\.jsonl"):
        read_statistics_of(tmp_path)
