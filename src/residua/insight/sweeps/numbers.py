"""The trials of a sweep as rows, the best of them, and how the best rose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from residua.config.plain import plain_tree
from residua.insight.evaluation.numbers import Evaluation

State = Literal["running", "done", "pruned", "diverged", "failed"]


@dataclass(frozen=True)
class TrialRow:
    """One trial.

    number: from 0, as Optuna counts. values: of what varies. accuracy: the best on validation, between 0 and
    1, None before the first epoch. loss: on validation in that epoch. epochs: done. seconds: of training.
    run: its folder. note: why it ended early, or who trains it.
    """

    number: int
    values: Mapping[str, Any]
    state: State
    accuracy: float | None = None
    loss: float | None = None
    epochs: int = 0
    seconds: float | None = None
    run: str = ""
    note: str = ""


@dataclass(frozen=True)
class Axis:
    """What varies in a sweep: its name, and its labels where it is no number.

    log: drawn by its logarithm. whole: of whole numbers.
    """

    name: str
    labels: tuple[Any, ...] | None = None
    log: bool = False
    whole: bool = False


@dataclass(frozen=True)
class SweepResult:
    """A sweep that is done.

    best: the trial with the highest validation accuracy, of equals the one with the least loss. importance:
    the share of each axis in how the accuracies differ, {} where that cannot be told. test: the best model on
    the test split, measured once, None without one. command: trains the best again.
    """

    name: str
    folder: Path
    sampler: str
    axes: tuple[Axis, ...]
    rows: tuple[TrialRow, ...]
    best: TrialRow
    importance: Mapping[str, float]
    test: Evaluation | None
    command: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        content: dict[str, Any] = plain_tree(
            {
                "sweep": self.name,
                "sampler": self.sampler,
                "trials": len(self.rows),
                "best": self.best.number,
                "validation_accuracy": self.best.accuracy,
                "test": None,
                "importance": self.importance,
                "command": self.command,
                "rows": [asdict(row) for row in self.rows],
            }
        )
        if self.test is not None:
            content["test"] = self.test.to_dict() | {"chosen_among_trials": len(self.rows)}
        return content


def best_row(rows: Sequence[TrialRow]) -> TrialRow | None:
    """The trial to keep: only whole ones count."""
    done = [row for row in rows if row.state == "done" and row.accuracy is not None]
    return min(done, key=_rank, default=None)


def ranked(rows: Sequence[TrialRow]) -> list[TrialRow]:
    """The best first; those that ended early behind, and last what has no accuracy."""
    return sorted(rows, key=lambda row: (row.state != "done", _rank(row)))


def _rank(row: TrialRow) -> tuple[float, float, int]:
    accuracy = -math.inf if row.accuracy is None else row.accuracy
    return -accuracy, math.inf if row.loss is None else row.loss, row.number


def best_so_far(rows: Sequence[TrialRow]) -> list[tuple[int, float]]:
    """(number, highest accuracy of a whole trial up to it), in the order of the numbers."""
    highest, steps = -math.inf, []
    for row in sorted(rows, key=lambda row: row.number):
        if row.state == "done" and row.accuracy is not None:
            highest = max(highest, row.accuracy)
        if highest > -math.inf:
            steps.append((row.number, highest))
    return steps
