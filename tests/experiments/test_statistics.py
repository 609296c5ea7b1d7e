"""Means and intervals of seeds, beside SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from residua.experiments.results import _claim, _variant
from residua.experiments.statistics import difference, quantile, spread


@pytest.mark.parametrize("freedom", [1, 2, 9, 30, 31, 60, 1000])
def test_the_quantile_is_students(freedom):
    assert quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=2e-3)


def test_the_interval_of_a_mean():
    numbers = [8.7, 9.1, 8.4, 8.9]
    found = spread(numbers)
    low, high = stats.t.interval(0.95, 3, np.mean(numbers), stats.sem(numbers))
    assert (found.count, found.mean) == (4, pytest.approx(np.mean(numbers)))
    assert found.deviation == pytest.approx(np.std(numbers, ddof=1))
    assert found.interval == pytest.approx((low, high), abs=1e-3)
    assert spread([3.0]).interval is None
    assert spread([3.0]).deviation is None


def test_the_interval_of_errors_holds_no_error_that_there_is_not():
    few, many = spread([1.0, 2.0, 7.0]), spread([99.0, 98.0, 93.0])
    assert few.interval == (0.0, pytest.approx(11.319, abs=1e-2))
    assert many.interval == (pytest.approx(88.681, abs=1e-2), 100.0)
    _, interval = difference([1.0, 2.0, 7.0], [2.0, 3.0, 8.0])
    assert interval[0] < 0, "a difference may lie below 0"


def test_the_interval_of_a_difference():
    less, than = [8.7, 9.1, 8.4, 8.9], [9.5, 9.9, 9.3]
    gap, interval = difference(less, than)
    result = stats.ttest_ind(than, less, equal_var=False)
    low, high = result.confidence_interval(0.95)
    assert gap == pytest.approx(np.mean(than) - np.mean(less))
    # Degrees of freedom between whole numbers are taken down: the interval is a little wider.
    assert interval[0] <= low + 1e-6
    assert interval[1] >= high - 1e-6
    assert interval[1] - interval[0] < 1.15 * (high - low)
    assert difference([8.0], [9.0]) == (1.0, None)
    assert difference([8.0, 8.0], [9.0, 9.0]) == (1.0, None)


def test_seeds_that_came_out_the_same_do_not_make_a_mean_certain():
    found = spread([0.1, 0.1, 0.1])  # whose sum, divided by three, is not 0.1
    assert (found.deviation, found.interval) == (0.0, None)
    from residua.experiments.recipe import Variant

    run = {"state": "finished", "error": 32.14, "pictures": 140, "interval": [24.98, 40.27]}
    row = _variant(Variant("one"), [run, run], {})
    assert (row["interval"], row["interval_of"]) == ([24.98, 40.27], "test pictures")
    row = _variant(Variant("one"), [run, run | {"error": 33.57}], {})
    assert row["interval_of"] == "seeds"


@pytest.mark.parametrize(
    ("less", "than", "verdict"),
    [(8.0, 13.0, "held"), (13.0, 8.0, "not held"), (8.0, 8.1, "undecided"), (8.0, None, "not run")],
)
def test_a_claim_of_one_seed_is_judged_by_the_test_pictures(less, than, verdict):
    from residua.experiments.recipe import Claim

    def row(error):
        runs = [] if error is None else [{"state": "finished", "error": error, "pictures": 10_000}]
        return {"runs": runs}

    found = _claim(Claim("one beats two", "one", "two"), {"one": row(less), "two": row(than)})
    assert found["verdict"] == verdict
    assert found.get("interval_of", "test pictures") == "test pictures"


def test_what_diverged_is_worse():
    from residua.experiments.recipe import Claim

    rows = {
        "one": {"runs": [{"state": "finished", "error": 8.0, "pictures": 100}]},
        "two": {"runs": [{"state": "diverged"}]},
    }
    assert _claim(Claim("", "one", "two"), rows)["verdict"] == "held"
