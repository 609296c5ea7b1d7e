"""The verb experiment."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

from residua.cli.shared import Options
from residua.cli.terminal import to_stderr, to_stdout
from residua.config import ExperimentConfig
from residua.config.options import check
from residua.errors import ConfigError, ResiduaError
from residua.files.names import printable, printable_lines


def experiment(*names: str, options: Annotated[ExperimentConfig, Options] = ExperimentConfig()) -> int:
    """Repeat published results: train, evaluate, and put what was published beside what came out.

    What is trained already is kept, and what was stopped goes on.

    Parameters
    ----------
    names
        Names of experiments, all, or TOML files of your own; list shows the names. verify, before names or
        files of results, has models that are at hand answer again, and says whether their figures stand.
    """
    from residua.experiments.catalogue import chosen_experiments, experiment_names, find_experiment

    if names == ("list",):
        for name in experiment_names():
            to_stdout(f"{name:<20} {find_experiment(name).title}")
        return 0
    if names[:1] == ("verify",):
        return _verify(names[1:], check(options))
    chosen = chosen_experiments(names)
    check(options)
    if options.variants and len(chosen) > 1:
        raise ConfigError("--variants are those of one experiment; name it alone")
    from residua.experiments.run import ExperimentRun
    from residua.experiments.table import experiment_markdown

    failed = False
    for entry in chosen:
        started = ExperimentRun(entry, options, lambda line: to_stdout(printable(line)))
        try:
            results = started.run()
        except ResiduaError as error:
            if len(chosen) == 1:
                raise
            to_stderr(f"residua: {entry.name}: {error}")  # the others go on
            failed = True
            continue
        to_stdout(printable_lines("\n" + experiment_markdown(results, commands=False)))
        to_stdout(f"Results: {printable(started.folder)}  with results.json, results.md and the pictures")
        failed |= bool(started.absent) and "all" not in names
    return 2 if failed else 0


def _verify(names: tuple[str, ...], options: ExperimentConfig) -> int:
    """A line for every run, a line for all; 1 where a figure does not stand."""
    from residua.experiments.run import FOLDER
    from residua.experiments.verification import find_results, verify

    counts = Counter[str]()
    for path in find_results(names, Path(options.output or FOLDER)):
        for verdict in verify(path, options, lambda line: to_stderr(printable(line))):
            counts[verdict.standing] += 1
            to_stdout(printable(f"{verdict.what}: {verdict.standing}: {verdict.words}"))
    to_stdout(", ".join(f"{count:,} {standing}" for standing, count in sorted(counts.items())) or "no runs")
    return 1 if counts["does not stand"] else 0
