"""Medians, spread, ratio and goal."""

from __future__ import annotations

from dataclasses import replace

from residua.bench.results import Goal, Result, line


def test_medians_spread_ratio_and_goal():
    samples = {"residua": [[1.0, 2.0], [3.0, 2.0]], "PyTorch": [[6.0, 5.0], [4.0, 6.0]]}
    result = Result("main", "work", 2, "ms", samples, goal=Goal(">=", 3.0), flops=1e8, peak=1e11)
    row = result.row()
    assert row["sides"]["residua"] | {"low": 0, "high": 0} == {
        "median": 2.0, "low": 0, "high": 0, "best": 1.0, "samples": 4, "share_of_sgemm_peak": 0.5,
    }  # fmt: skip
    assert row["ratio"]["of_medians"] == 2.75
    assert row["ratio"]["of_best"] == 4.0
    assert row["ratio"]["of_rounds"]["median"] == 3.5  # 5 / 1 and 4 / 2
    assert (row["to_reach"], row["reached"]) == (">= 3", False)
    assert "to reach >= 3: no" in line(row)
    assert replace(result, goal=Goal(">=", 2.7)).row()["reached"]
    assert not replace(result, goal=Goal("<", 2.75)).row()["reached"]
    assert replace(result, goal=Goal("<=", 2.0, "residua")).row()["reached"]
    alone = replace(result, samples={"residua": [[1.0]]}).row()
    assert "ratio" not in alone
    assert alone["reached"] is None
