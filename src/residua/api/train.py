"""Training a network, in Python."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_path
from residua.api.output import OnResult, data_option, ignore, written_after
from residua.config import EvaluateConfig, RunOptions, TrainConfig
from residua.config.options import check, configure, flag
from residua.errors import ConfigError, RunError
from residua.files.output import output_folder, require_writable

if TYPE_CHECKING:
    from residua.insight.evaluation.numbers import Evaluation
    from residua.training.progress import Reporter
    from residua.training.ranks.world import World
    from residua.training.train import Trained


# Where a run's data are now, and what of the machine they are computed on: nothing that changes a result.
WHILE_RESUMING = ("data", "data_dir", "labels", "threads", "hosts", "host_id", "coordinator", "host_wait")


@dataclass(frozen=True)
class TrainResult:
    """A finished run.

    run: its folder. model: the file of the best model. best_epoch: from 1. validation_accuracy: the best,
    between 0 and 1, None without a validation split. test: the best model on the test split.
    told: False in a process of mpiexec for which another one speaks.
    """

    run: Path
    model: Path
    best_epoch: int
    validation_accuracy: float | None
    test: Evaluation | None
    told: bool = True


def train(
    data: str | Path | None = None,
    *,
    config: TrainConfig | None = None,
    resume: str | Path | None = None,
    reporter: Reporter | None = None,
    on_result: OnResult = ignore,
    **options: Any,
) -> TrainResult:
    """Train a network: `train("digits", model="resnet8", epochs=10, rate=0.05)`.

    data: a data set's name or a folder of pictures. options: every field of `TrainConfig`'s sections,
    by name; or a whole `config`. resume: a run folder to go on with instead; beside it only where its data
    are now (`data`, `data_dir`, `labels`) and `threads` may be given. reporter: hears of the progress
    (`residua.training.progress.Quiet()` for silence). on_result: hears the result before the last files of
    the run are written. Raises ResiduaError.
    """
    from residua.training.dividing import taking_part
    from residua.training.ranks.opening import ASKED, open_world

    if resume is not None:
        changed, run = _changes(config, data_option(data) | options), named_path(resume, "a run")
        asked = {name: changed.pop(name) for name in ASKED if name in changed}
        if asked.get("hosts") is not None:
            asked["engine"] = "jax"
        world = open_world(RunOptions(**asked))
        with taking_part(world):
            return _train(None, (changed, run), world, reporter, on_result)
    if config is not None and (data is not None or options):
        raise ConfigError("give either a whole config or single options, not both")
    chosen = configure(TrainConfig, data_option(data) | options) if config is None else check(config)
    world = open_world(chosen.run)
    # Who takes part is no part of a run: it may go on with others.
    chosen = replace(chosen, run=replace(chosen.run, hosts=None, host_id=None, coordinator=None))
    with taking_part(world):
        return _train(chosen, None, world, reporter, on_result)


def _train(
    new: TrainConfig | None,
    again: tuple[dict[str, Any], Path] | None,
    world: World | None,
    reporter: Reporter | None,
    on_result: OnResult,
) -> TrainResult:
    """A new run, or one again with what has changed; where there is a world, this process's part in it."""
    from residua.insight.learning_curves.figure import draw_curves
    from residua.training.progress import OnceSaid, PlainReporter, Quiet, make_reporter
    from residua.training.ranks.agreement import by_first, check_options, check_versions, shared_config
    from residua.training.train import Resumption, resume_training, start_training

    if world is not None:  # what mpiexec gives a process as a terminal is none
        reporter = (reporter or PlainReporter()) if world.first else Quiet()
        check_versions(world)
    reporter = OnceSaid(reporter or make_reporter())
    if again is not None:
        changed, run = again
        chosen = shared_config(world, partial(_own_run, run))
        trained = resume_training(Resumption(run, config=chosen, **changed), reporter, draw_curves)
    else:
        assert new is not None
        if world is not None:
            check_options(world, new)
        chosen = by_first(world, partial(_with_run_folder, new), new)
        trained = start_training(chosen, reporter, draw_curves)
    if world is not None:
        world.leave()
    if world is not None and not world.first:
        accuracy = trained.validation_accuracy
        return TrainResult(trained.run, trained.best, trained.best_epoch, accuracy, None, told=False)
    test = _test(trained, reporter.say, draw_curves) if chosen.run.final_test else None
    result = TrainResult(trained.run, trained.best, trained.best_epoch, trained.validation_accuracy, test)
    with written_after(result, on_result):
        _write_last(result, draw_curves)
    return result


def _own_run(run: Path) -> TrainConfig:
    """The options of a run that goes on here."""
    from residua.training.run_folder import read_run

    chosen = read_run(run)
    require_writable(run, hint="a run that goes on writes into its folder")
    return chosen


def _changes(config: TrainConfig | None, options: dict[str, Any]) -> dict[str, Any]:
    """What may be said of a run that goes on. Raises ConfigError for all that it began with."""
    if config is not None or (others := [name for name in options if name not in WHILE_RESUMING]):
        named = "a whole config" if config is not None else flag(others[0])
        raise ConfigError(
            f"--resume goes on with a run as it was begun: it takes no other options than "
            f"{', '.join(map(flag, WHILE_RESUMING))}; it was given {named}"
        )
    checked = configure(TrainConfig, options)
    every = vars(checked.data) | vars(checked.run)
    return {name: every[name] for name in options if every[name] is not None}


def _with_run_folder(config: TrainConfig) -> TrainConfig:
    """The options, once the folder of the run can be made and written; before minutes of reading pictures."""
    run = config.run.run
    try:
        if run is None:
            require_writable(Path("runs"), hint="choose another with --run")
            return config
        folder = output_folder(run, option="--run")
    except ConfigError as error:
        raise RunError(f"cannot make the run folder {run or 'runs'}: {error}") from None
    return replace(config, run=replace(config.run, run=str(folder))) if run.startswith("~") else config


def _test(trained: Trained, say: Any, draw_curves: Any) -> Evaluation:
    """The test of a run; where it fails, at least its curves are drawn."""
    try:
        return measure_best(trained.best, trained.config, say)
    except BaseException:
        with contextlib.suppress(Exception):  # what failed first is what must be heard of
            draw_curves(trained.run)
        raise


def measure_best(best: Path, config: TrainConfig, say: Any) -> Evaluation:
    """The best model on the test split, by the engine that trained it: nothing is chosen, or said of it."""
    from residua.insight.evaluation.predictions import answer, find_pictures_of
    from residua.models.model_file import load_model

    options = EvaluateConfig(engine=config.run.engine, threads=config.run.threads)
    model = load_model(best)
    part = find_pictures_of(model, options, say)
    part.tell(say)
    return answer(model, options, part).evaluation


def _write_last(result: TrainResult, draw_curves: Any) -> None:
    """The test of the run as test.json and confusion.png, and the curves of the whole run.

    What fails keeps nothing else from being written.
    """
    from residua.files.durable import write_durably
    from residua.insight.evaluation.figure import draw_confusion

    with contextlib.ExitStack() as rest:  # the last is done first
        rest.callback(draw_curves, result.run)
        if result.test is not None:
            rest.callback(draw_confusion, result.test, result.run / "confusion.png")
            text = json.dumps(result.test.to_dict(), indent=1) + "\n"
            write_durably(result.run / "test.json", text.encode())
