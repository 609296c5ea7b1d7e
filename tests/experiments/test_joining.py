"""Results of several machines are one table: the same as if all runs had been made on one of them."""

from __future__ import annotations

import json

import pytest

from residua.errors import RunError
from residua.experiments.catalogue import find_experiment
from residua.experiments.joining import join_results
from residua.experiments.results import gather
from residua.experiments.training_runs import RunResult

DEGRADATION = find_experiment("degradation")


def run(variant, seed, error, options="--epochs 30", state="finished"):
    """A run as it would be written down."""
    folder = f"experiments-out/degradation/{variant}/seed-{seed}"
    line = f"residua train cifar10 {options} --seed {seed} --run {folder}"
    if error is None:
        return RunResult(seed, state, line, epochs=3)
    return RunResult(seed, state, line, error, (error - 0.5, error + 0.5), round(100 * error), 10_000)


def results(missing=None, pictures=(), **runs):
    """Results as they are read from a file."""
    found = gather(DEGRADATION, runs, missing or {}, quick=False) | {"pictures": list(pictures)}
    return json.loads(json.dumps(found))


@pytest.fixture
def one():
    return results(plain20=[run("plain20", 0, 13.5)], resnet20=[run("resnet20", 0, 11.5)], pictures=["a.png"])


@pytest.fixture
def other():
    return results(
        plain20=[run("plain20", 1, 13.7)], plain56=[run("plain56", 0, 20.0)], pictures=["a.png", "b.png"]
    )


def test_what_two_machines_ran_is_what_one_would_have_run(one, other):
    together = results(
        plain20=[run("plain20", 0, 13.5), run("plain20", 1, 13.7)],
        plain56=[run("plain56", 0, 20.0)],
        resnet20=[run("resnet20", 0, 11.5)],
        pictures=["a.png", "b.png"],
    )
    assert join_results(DEGRADATION, one, other) == together
    assert join_results(DEGRADATION, other, one) == together
    verdicts = {(claim["less"], claim["than"]): claim["verdict"] for claim in together["claims"]}
    assert verdicts["plain20", "plain56"] == "held"
    assert verdicts["resnet56", "resnet20"] == "not run"


def test_a_run_made_again_takes_the_place_of_the_old_one(one):
    again = results(plain20=[run("plain20", 0, 13.4)])
    row = join_results(DEGRADATION, one, again)["variants"][0]
    assert [r["error"] for r in row["runs"]] == [13.4]
    assert row["mean"] == 13.4


def test_a_run_that_is_still_under_way_takes_no_place(one):
    begun = results(plain20=[run("plain20", 0, None, state="unfinished")])
    assert join_results(DEGRADATION, one, begun)["variants"][0]["mean"] == 13.5
    assert join_results(DEGRADATION, begun, one)["variants"][0]["mean"] == 13.5


def test_why_a_variant_was_not_run_is_what_the_later_results_say(one):
    later = results(missing={"plain20": "not chosen", "plain56": "the data are not at hand"})
    rows = {row["name"]: row for row in join_results(DEGRADATION, one, later)["variants"]}
    assert rows["plain56"]["missing"] == "the data are not at hand"
    assert "missing" not in rows["plain20"]


def test_runs_with_other_options_are_not_told_together(one):
    longer = results(plain20=[run("plain20", 1, 12.0, "--epochs 60")])
    with pytest.raises(
        RunError, match=r"degradation, plain20: runs with other options .*--epochs 30.*--epochs 60"
    ):
        join_results(DEGRADATION, one, longer)


def test_runs_of_an_older_recipe_give_way_where_each_was_run_again(one):
    longer = results(plain20=[run("plain20", 0, 12.0, "--epochs 60")])
    row = join_results(DEGRADATION, one, longer)["variants"][0]
    assert [r["error"] for r in row["runs"]] == [12.0]
    assert "--epochs 60" in row["runs"][0]["command"]


def test_quick_runs_and_other_experiments_are_refused(one):
    for wrong, told in (
        (one | {"quick": True}, "a quick run"),
        (one | {"experiment": "resnet20"}, "results of resnet20, not of degradation"),
    ):
        with pytest.raises(RunError, match=f"cannot be joined: {told}"):
            join_results(DEGRADATION, one, wrong)
