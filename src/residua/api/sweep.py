"""Sweeps, in Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_path
from residua.api.output import OnResult, ignore, written_after
from residua.api.train import measure_best
from residua.config import SweepConfig
from residua.config.options import configure
from residua.errors import ConfigError, RunError
from residua.files.output import output_folder, require_writable

if TYPE_CHECKING:
    from residua.insight.sweeps.numbers import SweepResult, TrialRow
    from residua.sweeps.folder import Folder
    from residua.sweeps.study import Study

RESULTS = "results.json"
OnRows = Callable[[Sequence["TrialRow"]], object]


def sweep(
    file: str | Path,
    *,
    say: Any = print,
    on_rows: OnRows = ignore,
    on_result: OnResult = ignore,
    **options: Any,
) -> SweepResult:
    """Train with every set of options that the file of a sweep asks for; what came of it.

    file: the sweep's TOML file, or the folder of one that was begun. options: the fields of `SweepConfig`.
    Whoever calls this for the same folder, on this machine or another one, takes part; trials whose workers
    were killed go on from their last checkpoint. on_rows: hears of the trials as they go. on_result: hears of
    the result before the pictures are drawn. Raises ResiduaError.
    """
    config = configure(SweepConfig, options)
    if find_spec("optuna") is None:
        raise ConfigError("sweep takes optuna, which is not installed: pip install 'residua[sweep]'")
    from residua.sweeps.folder import find_plan, open_folder

    path = named_path(file, "the file of a sweep")
    plan, begun = find_plan(path)
    if begun is not None and config.output is not None:
        raise ConfigError(f"{path} is the folder of a sweep: leave out --output {config.output}")
    if begun is None:
        begun = Path("sweeps") / plan.name if config.output is None else output_folder(config.output)
    require_writable(begun)
    folder = open_folder(plan, begun, path)
    say(f"Folder of the sweep: {folder.path}  ({plan.trials} trials, {plan.search.sampler})")
    study = _train_all(folder, config, say, on_rows)
    result = _result(study, say)
    with written_after(result, on_result):
        _write(result)
    return result


def _train_all(folder: Folder, config: SweepConfig, say: Any, on_rows: OnRows) -> Study:
    from residua.cores import available_cores
    from residua.sweeps.folder import continue_command
    from residua.sweeps.results import trial_rows
    from residua.sweeps.work import stop_where_all_fail, work
    from residua.sweeps.workers import work_side_by_side

    def changed(study: Study) -> None:
        on_rows(trial_rows(study))

    try:
        if config.workers == 1:
            study = work(folder, available_cores(), changed)
        else:
            study = work_side_by_side(folder, config.workers, changed, say)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"Stopped; go on with: {continue_command(folder.path)}") from None
    changed(study)
    stop_where_all_fail(study)
    return study


def _result(study: Study, say: Any) -> SweepResult:
    from residua.insight.report.command import repeat_command
    from residua.insight.sweeps.numbers import SweepResult, best_row
    from residua.sweeps.results import importance, plan_axes, trial_rows
    from residua.training.run_folder import read_run

    folder, rows = study.folder, tuple(trial_rows(study))
    best = best_row(rows)
    if best is None:
        raise RunError(f"no trial of {folder.path} was trained to its end: {rows[-1].note or rows[-1].state}")
    config = read_run(Path(best.run))
    test = measure_best(Path(best.run) / "best.safetensors", config, say)
    return SweepResult(
        name=folder.plan.name,
        folder=folder.path,
        sampler=folder.plan.search.sampler,
        axes=plan_axes(folder),
        rows=rows,
        best=best,
        importance=importance(study),
        test=test,
        command=repeat_command(replace(config, run=replace(config.run, final_test=True))),
    )


def _write(result: SweepResult) -> None:
    """results.json, and the pictures."""
    from residua.files.durable import write_durably
    from residua.insight.shared.plotting import save_figure
    from residua.insight.sweeps.figure import best_figure, importance_figure, parallel_figure

    write_durably(result.folder / RESULTS, (json.dumps(result.to_dict(), indent=1) + "\n").encode())
    save_figure(parallel_figure(result), result.folder / "parallel.png")
    save_figure(best_figure(result), result.folder / "best.png")
    if result.importance:
        save_figure(importance_figure(result), result.folder / "importance.png")
