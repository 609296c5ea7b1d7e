"""A worker's day: one trial after the other, those first that others left, until all are done."""

from __future__ import annotations

import time
from collections.abc import Callable

from residua.errors import RunError
from residua.sweeps.folder import Folder
from residua.sweeps.owners import orphaned
from residua.sweeps.study import PROBLEM, Study
from residua.sweeps.trial import train_trial

WAIT_SECONDS = 0.5
FAILURES = 3  # first trials that cannot be trained, after which no other is tried


def work(
    folder: Folder,
    threads: int,
    on_change: Callable[[Study], object] = lambda study: None,
    parent: int | None = None,
) -> Study:
    """Train until every trial is done, by this worker or by others.

    While others train the last ones it waits, to take over should they die. on_change: hears of each epoch
    and trial. parent: see `train_trial`. Raises ResiduaError, and Interrupted.
    """
    study = Study(folder)
    while not study.done():
        trial = study.next_trial()
        if trial is None:
            if orphaned(parent):
                raise KeyboardInterrupt
            time.sleep(WAIT_SECONDS)
            on_change(study)
            continue
        on_change(study)
        train_trial(trial, threads, lambda: on_change(study), parent)
        stop_where_all_fail(study)
    return study


def stop_where_all_fail(study: Study) -> None:
    """Raise RunError where nothing but failures came of the first trials."""
    ended = [trial for trial in study.trials() if trial.state.is_finished()]
    problems = [trial.user_attrs.get(PROBLEM) for trial in ended]
    if ended and all(problems) and len(problems) >= min(FAILURES, study.folder.plan.trials):
        raise RunError(
            f"none of the first {len(problems)} trials of {study.folder.path} could be trained; "
            f"the last: {problems[-1]}"
        )
