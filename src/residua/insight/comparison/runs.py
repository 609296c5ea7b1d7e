"""What is known of the models that are compared: their names and, where they have one, their run folders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from residua.insight.shared.run_options import differing_options
from residua.training.run_folder import read_environment, read_log, read_run, read_seconds, torn_logs

OF_RUNS = ("best", "last")  # model files that lie in run folders


def run_of(path: Path) -> Path | None:
    """The run folder of a model: itself, or where its file lies; None for a model file alone."""
    own = path.is_dir() or path.stem in OF_RUNS
    folder = path if path.is_dir() else path.resolve().parent
    return folder if own and (folder / "run.toml").exists() else None


@dataclass(frozen=True)
class RunFacts:
    """Epochs done, seconds spent on them, and the processor and threads that it took."""

    epochs: int
    seconds: float | None
    machine: str


def run_facts(run: Path, name: str, say: Callable[[str], None]) -> RunFacts:
    """What a run folder says of its training; an unfinished one is mentioned."""
    config, epochs = read_run(run), len(read_log(run))
    for line in torn_logs(run):
        say(line)
    if epochs < (config.schedule.epochs or 0) and not config.schedule.stop_patience:
        say(f"{name} has done {epochs} of its {config.schedule.epochs} epochs")
    machine = read_environment(run)["machine"]
    processor = f"{machine.get('processor', '?')}, {config.run.threads or machine.get('cores', '?')} threads"
    return RunFacts(epochs, read_seconds(run), processor)


def differing_settings(runs: Sequence[Path | None]) -> list[dict[str, Any] | None]:
    """For each run the options in which the runs differ; None for what is no run."""
    options = iter(differing_options([read_run(run) for run in runs if run is not None]))
    return [None if run is None else next(options) for run in runs]


def model_names(paths: Sequence[Path]) -> list[str]:
    """A short name for each, and all different: of the folder or file, or the whole path."""
    names = [path.resolve().name if path.is_dir() else path.stem for path in paths]
    names = [
        f"{path.resolve().parent.name}/{name}" if path.is_file() and name in OF_RUNS else name
        for path, name in zip(paths, names, strict=True)
    ]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]
