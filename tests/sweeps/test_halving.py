"""Which trials end early: the same as by Optuna's pruners, and the same however often it is asked."""

from __future__ import annotations

import math

import numpy as np
import pytest

from residua.sweeps.halving import Brackets, Halving

EPOCHS = 27


def accuracies(trials, seed):
    return np.random.default_rng(seed).uniform(0, 1, (trials, EPOCHS)).round(2)


def ends(rows, halving_of):
    """After which epoch each trial ends, one after the other."""
    seen, found = [], []
    for number, row in enumerate(rows):
        own, end = {}, EPOCHS
        seen.append((halving_of(number), own))
        for epoch in range(1, EPOCHS):  # a trial at its end has nothing to save
            own[epoch] = float(row[epoch - 1])
            others = [other for halving, other in seen[:-1] if halving == halving_of(number)]
            if halving_of(number).ends(own, others, epoch):
                assert halving_of(number).ends(own, others, epoch)
                end = epoch
                break
        found.append(end)
    return found


def optunas(rows, pruner, name="sweep"):
    optuna = pytest.importorskip("optuna", reason="optuna is not installed")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", pruner=pruner, study_name=name)
    found = []
    for row in rows:
        trial, end = study.ask(), EPOCHS
        for epoch in range(1, EPOCHS):
            trial.report(float(row[epoch - 1]), epoch)
            if trial.should_prune():
                end = epoch
                break
        study.tell(trial, float(row[0]))
        found.append(end)
    return found


@pytest.mark.parametrize(("shortest", "factor"), [(1, 3), (2, 2)])
def test_successive_halving_is_optunas(shortest, factor):
    optuna = pytest.importorskip("optuna", reason="optuna is not installed")
    rows = accuracies(40, seed=factor)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=shortest, reduction_factor=factor)
    found = ends(rows, lambda number: Halving(shortest, factor))
    assert found == optunas(rows, pruner)
    assert len(set(found)) > 3


def test_hyperband_is_optunas():
    optuna = pytest.importorskip("optuna", reason="optuna is not installed")
    rows = accuracies(60, seed=5)
    brackets = Brackets("sweep 0", EPOCHS, 1, 3)
    pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=EPOCHS, reduction_factor=3)
    assert ends(rows, brackets.halving) == optunas(rows, pruner, "sweep 0")
    assert {brackets.bracket(number) for number in range(60)} == {0, 1, 2, 3}


def test_few_epochs_have_one_bracket():
    assert Brackets("s", 2, 1, 3).count == 1
    assert Brackets("s", 3, 1, 3).count == 2
    assert Brackets("s", 0, 1, 3).halving(4) == Halving(1, 3)


def test_what_is_no_number_ends():
    assert Halving(1, 3).ends({1: math.nan}, [], 1)
    assert not Halving(1, 3).ends({1: 0.5}, [{1: 0.5}], 1)  # as good as the best
    assert not Halving(1, 3).ends({2: 0.1}, [{2: 0.5}], 2)  # nobody looks after two epochs
