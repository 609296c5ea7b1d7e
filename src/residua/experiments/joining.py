"""Results of one experiment from several machines, joined: each run once, means and claims of all of them."""

from __future__ import annotations

import re

from residua.errors import RunError
from residua.experiments.recipe import Experiment
from residua.experiments.results import Results, require_whole, results_of

_SEED = re.compile(r"\bseed[- ]\d+")


def join_results(experiment: Experiment, kept: Results, added: Results) -> Results:
    """`kept` with the runs and pictures of `added`, which take the place of its own of the same seed.

    Raises RunError where either is a quick run, or where of a variant runs with other options would be left
    beside one another: those of an older recipe give way where each of their seeds has been run again.
    """
    for results in (kept, added):
        require_whole(results, experiment.name, "cannot be joined")
    ours, theirs = (_runs(results) for results in (kept, added))
    runs = {
        name: _each_once(ours.get(name, []) + theirs.get(name, [])) for name in ours.keys() | theirs.keys()
    }
    for name, every in runs.items():
        _require_same_options(experiment.name, name, every)
    missing = {row["name"]: row["missing"] for row in added["variants"] if "missing" in row}
    joined = results_of(experiment, runs, missing, quick=False)
    pictures = dict.fromkeys([*kept["pictures"], *added["pictures"]])
    return joined | {"pictures": list(pictures)}


def _runs(results: Results) -> dict[str, list[Results]]:
    return {row["name"]: list(row["runs"]) for row in results["variants"] if row["runs"]}


def _each_once(runs: list[Results]) -> list[Results]:
    """Of every seed the last run that came to its end, or else the last."""
    by_seed = {int(run["seed"]): run for run in sorted(runs, key=lambda run: "error" in run)}
    return [by_seed[seed] for seed in sorted(by_seed)]


def _require_same_options(experiment: str, variant: str, runs: list[Results]) -> None:
    """The commands of a variant's runs differ in nothing but the seed."""
    told = {_SEED.sub("seed", run["command"]): run["command"] for run in runs}
    if len(told) > 1:
        one, other = list(told.values())[:2]
        raise RunError(
            f"{experiment}, {variant}: runs with other options cannot be told together ({one}; {other}): "
            "run those of the older recipe again"
        )
