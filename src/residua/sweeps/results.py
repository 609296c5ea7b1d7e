"""The trials of a sweep as rows for people, and what mattered among them."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from residua.errors import ResiduaError
from residua.insight.sweeps.numbers import Axis, State, TrialRow
from residua.sweeps.folder import Folder
from residua.sweeps.owners import last_owner
from residua.sweeps.space import Choice, Value
from residua.sweeps.study import ENDED, LOSS, PROBLEM, Study
from residua.training.run_folder import read_seconds

FEWEST = 4  # whole trials, of which importance can be told


def trial_rows(study: Study) -> list[TrialRow]:
    """Every trial as it stands, in the order of their numbers."""
    return [_row(study, trial) for trial in study.trials()]


def _row(study: Study, trial: FrozenTrial) -> TrialRow:
    folder, known = study.folder, trial.intermediate_values
    accuracy = trial.value if trial.state == TrialState.COMPLETE else max(known.values(), default=None)
    note = str(trial.user_attrs.get(PROBLEM) or trial.user_attrs.get(ENDED) or "")
    if not trial.state.is_finished():
        note = str(last_owner(folder.stem(trial.number)) or "")
    return TrialRow(
        trial.number,
        {
            dimension.name: trial.params[dimension.name]
            for dimension in folder.plan.space
            if dimension.name in trial.params
        },
        _state(trial, note),
        accuracy,
        trial.user_attrs.get(LOSS),
        max(known, default=0),
        _seconds(study, trial.number) if trial.state.is_finished() else None,
        str(folder.run(trial.number)),
        note,
    )


def _state(trial: FrozenTrial, note: str) -> State:
    if trial.state == TrialState.PRUNED:
        return "diverged" if note.startswith("diverged") else "pruned"
    states: dict[Any, State] = {TrialState.COMPLETE: "done", TrialState.FAIL: "failed"}
    return states.get(trial.state, "running")


def _seconds(study: Study, number: int) -> float | None:
    """What the epochs of a trial that is over took: read once, for the rows are made anew at each change."""
    if number not in study.seconds:
        study.seconds[number] = None
        with contextlib.suppress(ResiduaError):
            study.seconds[number] = read_seconds(study.folder.run(number))
    return study.seconds[number]


def plan_axes(folder: Folder) -> tuple[Axis, ...]:
    """What varies, for pictures."""
    return tuple(
        Axis(dimension.name, _in_order(dimension.labels))
        if isinstance(dimension, Choice)
        else Axis(dimension.name, log=dimension.log, whole=dimension.whole)
        for dimension in folder.plan.space
    )


def _in_order(labels: tuple[Value, ...]) -> tuple[Value, ...]:
    """Numbers from the least on; anything else as the file has it."""
    if all(isinstance(label, int | float) for label in labels):
        return tuple(sorted(labels, key=float))
    return labels


def importance(study: Study) -> dict[str, float]:
    """The share of each thing that varies in how the whole trials differ; {} where that cannot be told.

    Hutter, Hoos, Leyton-Brown: An Efficient Approach for Assessing Hyperparameter Importance (2014), by
    Optuna: the variance that a forest of trees gives to each alone (functional ANOVA).
    """
    done = [trial for trial in study.trials() if trial.state == TrialState.COMPLETE]
    if len(done) < FEWEST or len({trial.value for trial in done}) == 1:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            shares = optuna.importance.get_param_importances(study.optuna, evaluator=evaluator)
        except (RuntimeError, ValueError):
            return {}
    return {name: float(share) for name, share in shares.items()}
