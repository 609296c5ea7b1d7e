"""One trial: an ordinary run, begun or gone on with, whose accuracies the study hears of."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from residua.config import TrainConfig
from residua.errors import ConfigError, ModelFileError, NonFiniteError, ResiduaError, ShapeError
from residua.files.one_writer import LOCK, InUseError, one_writer
from residua.sweeps.owners import BEAT_SECONDS, Heart, orphaned
from residua.sweeps.study import OpenTrial, newest_checkpoint
from residua.training.run_folder import read_log, read_run

PATIENT_BEATS = 3  # within which one that was taken for dead has seen so, and stopped
WAIT_SECONDS = 0.1
# What is wrong with a trial's own values, so that the others go on.
OF_ITS_OWN = (ConfigError, ShapeError, ModelFileError, MemoryError)


class Ended(Exception):
    """The pruner ends the trial that is trained."""


class Lost(Exception):
    """Another worker has taken the trial that is trained: this one was taken for dead."""


class TrialReporter:
    """Hears of a trial's training and tells the study; asks it after each epoch whether to go on.

    on_change: called after each epoch.
    """

    def __init__(self, trial: OpenTrial, on_change: Callable[[], object]) -> None:
        self.trial, self.on_change = trial, on_change
        self.lost = threading.Event()
        self.epochs = 0

    def say(self, line: str) -> None:
        """Nothing: what concerns a single run is in its folder."""

    def start_epoch(self, epoch: int, epochs: int, batches: int, done: int) -> None:
        """Remember how many epochs there will be."""
        self.epochs = epochs
        self._check()

    def step(self, pictures: int, loss: float, accuracy: float) -> None:
        """Go on only with what is still ours."""
        self._check()

    def end_epoch(self, row: dict[str, Any], timing: dict[str, Any], best: bool) -> None:
        """Keep the accuracy; raises Ended where the pruner ends the trial."""
        self.trial.report(row["epoch"], accuracy_of(row))
        self.on_change()
        if self.trial.ends_early(row["epoch"], self.epochs):
            raise Ended

    def close(self) -> None:
        """Nothing is held open."""

    def _check(self) -> None:
        if self.lost.is_set():
            raise Lost


def accuracy_of(row: dict[str, Any]) -> float:
    """The validation accuracy of a line of a run's log."""
    return float(1 - row["validation_error"] / 100)


def train_trial(trial: OpenTrial, threads: int, on_change: Callable[[], object], parent: int | None) -> None:
    """Train a trial to its end, from wherever it stands, and tell the study how it ended.

    threads: for a run that begins. parent: the process without which this one shall not go on. Raises
    ResiduaError for what would keep any other trial from being trained too (no data, a full disk), and
    Interrupted after Ctrl-C or SIGTERM; the trial is then left to whoever comes next.
    """
    reporter = TrialReporter(trial, on_change)

    def lose() -> None:
        if orphaned(parent):
            os.kill(os.getpid(), signal.SIGTERM)  # with a checkpoint, as for anybody who asks
        else:
            reporter.lost.set()

    try:
        values = trial.study.draw(trial.trial)
        with Heart(trial.turn, lose, parent):
            _train(trial, values, threads, reporter)
    except Ended:
        _draw(trial.run)
        trial.prune("pruned")
    except Lost:
        return
    except NonFiniteError as error:
        trial.prune(f"diverged: {error}")
    except OF_ITS_OWN as error:
        trial.fail(str(error) or type(error).__name__)
    else:
        best = min(read_log(trial.run), key=lambda row: (row["validation_error"], row["validation_loss"]))
        _draw(trial.run)
        trial.finish(accuracy_of(best), best["validation_loss"])
    finally:
        trial.turn.end()
    on_change()


def _train(trial: OpenTrial, values: dict[str, Any], threads: int, reporter: TrialReporter) -> None:
    from residua.training.train import resume_training, start_training

    run = trial.run
    with contextlib.ExitStack() as held:
        _hold(trial, reporter, held)
        if newest_checkpoint(run):
            config = read_run(run)
            _catch_up(trial, reporter, config)
            resume_training(run, reporter, _nothing)
            return
        for path in run.iterdir():  # its worker was killed before there was anything to go on from
            if path.name != LOCK:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        start_training(trial.folder.plan.config(values, run, threads), reporter, _nothing)


def _hold(trial: OpenTrial, reporter: TrialReporter, held: contextlib.ExitStack) -> None:
    """Keep others out of a trial's run; a worker that was taken for dead has time to notice and to leave.

    Raises InUseError where somebody else stays there.
    """
    patience = time.monotonic() + (0 if trial.turn.number == 1 else PATIENT_BEATS * BEAT_SECONDS)
    while True:
        try:
            held.enter_context(one_writer(trial.run, "stop it first"))
            return
        except InUseError:
            if time.monotonic() >= patience:
                raise
        reporter._check()
        time.sleep(WAIT_SECONDS)


def _catch_up(trial: OpenTrial, reporter: TrialReporter, config: TrainConfig) -> None:
    """Tell the study what the log has and the study has not; raises Ended as the worker before would have."""
    reporter.epochs = config.schedule.epochs or 0
    rows = read_log(trial.run)
    for row in rows:
        trial.report(row["epoch"], accuracy_of(row))
    if rows and trial.ends_early(rows[-1]["epoch"], reporter.epochs):
        raise Ended


def _nothing(run: Path) -> None:
    """Curves are drawn once, at the end: after each epoch they would take longer than a small one."""


def _draw(run: Path) -> None:
    from residua.insight.learning_curves.figure import draw_curves

    with contextlib.suppress(ResiduaError):
        draw_curves(run)
