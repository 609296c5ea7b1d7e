"""What learning curves are drawn of: runs with epochs, and what tells several runs apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from residua.errors import RunError
from residua.insight.shared.run_options import differing_options
from residua.insight.shared.text import short_label
from residua.training.run_folder import read_log, read_run

MOST_OPTIONS = 3  # that are named of each run


def check_epochs(runs: Sequence[Path]) -> None:
    """Raise RunError for a folder that is no run, or whose run has no epoch yet."""
    for run in runs:
        read_run(run)
        if not read_log(run):
            raise RunError(f"{run} has no epoch in its log: train it, or leave it out")


def run_labels(runs: Sequence[Path]) -> list[str]:
    """A name for each run: its folder's, and the options in which the runs differ, at most three."""
    names = [run.resolve().name for run in runs]
    if len(set(names)) < len(names):
        names = [str(run) for run in runs]
    try:
        options = differing_options([read_run(run) for run in runs], most=MOST_OPTIONS)
    except RunError:
        return [short_label(name, 60) for name in names]
    return [
        short_label(name, 60) + "".join(f", {option} {value}" for option, value in own.items())
        for name, own in zip(names, options, strict=True)
    ]
