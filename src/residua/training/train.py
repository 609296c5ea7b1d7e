"""Training on a data set or a folder of pictures: open the data, start or resume, train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from residua.config import TrainConfig
from residua.data import DataSet, open_dataset
from residua.errors import RunError
from residua.models.model_file import save_model
from residua.training.checkpoint import Position, read_checkpoint
from residua.training.feature_cache import forget
from residua.training.initialization import KEPT, Base, check_pictures, for_base, load_base
from residua.training.layer_statistics import FILE
from residua.training.loop import Task, Training
from residua.training.optimizers import make_optimizer
from residua.training.option_defaults import resolve
from residua.training.progress import Reporter
from residua.training.run_folder import create_run, read_run, refuse_used, truncate
from residua.training.step import start_state
from residua.training.task_setup import prepare

IMBALANCE = 3.0  # pictures of the largest class to those of the smallest, above which we say so

AfterEpoch = Callable[[Path], object]


@dataclass(frozen=True)
class Trained:
    """A finished run: its folder, its config, and the file of its best model."""

    run: Path
    config: TrainConfig
    best: Path
    best_epoch: int
    validation_accuracy: float | None


def start_training(config: TrainConfig, reporter: Reporter, after_epoch: AfterEpoch) -> Trained:
    """Train a new network in a new run folder."""
    refuse_used(config)  # before minutes of reading pictures
    task, data, base = open_task(config, reporter)
    name = f"{Path(data.name).name or 'pictures'}-{task.model.name}"
    run = create_run(task.config, name)
    if base is not None:
        save_model(run / KEPT, base.model)
    reporter.say(f"Run folder: {run}")
    return _train(replace(task, run=run, after_epoch=after_epoch), resume=False)


def open_task(config: TrainConfig, reporter: Reporter) -> tuple[Task, DataSet, Base | None]:
    """All that a new run reads, before it has a folder. Raises ResiduaError where it does not fit."""
    base = load_base(config)
    data = _open(config, base, reporter)
    return _task(resolve(config, data, base), data, reporter, base), data, base


def resume_training(run: Path, reporter: Reporter, after_epoch: AfterEpoch) -> Trained:
    """Go on with a run from its newest whole checkpoint, to the same bytes as if it had never stopped."""
    config = read_run(run)
    base = load_base(config, run)
    task = _task(config, _open(config, base, reporter), reporter, base)
    return _train(replace(task, run=run, after_epoch=after_epoch), resume=True)


def _open(config: TrainConfig, base: Base | None, reporter: Reporter) -> DataSet:
    options, channels = for_base(config.data, base)
    data = open_dataset(options, config.run.seed, say=reporter.say, channels=channels)
    if base is not None:
        check_pictures(data, base)
    return data


def _task(config: TrainConfig, data: DataSet, reporter: Reporter, base: Base | None) -> Task:
    options = config.data
    train, validation = data.read("train"), data.read("validation")
    reporter.say(
        f"{data.name}: {len(train):,} training and {len(validation):,} validation pictures, "
        f"{len(data.classes)} classes, {data.height}x{data.width}x{data.channels}"
    )
    counts = data.counts("train")
    most, least = max(counts, key=lambda name: counts[name]), min(counts, key=lambda name: counts[name])
    if counts[most] > IMBALANCE * counts[least] and not options.balance:
        reporter.say(
            f"The classes differ in size: {most} has {counts[most]:,} pictures, {least} {counts[least]:,}; "
            "--balance lets them count the same"
        )
    about = {
        "data": options.data,
        "kind": data.card.kind,
        "size": options.size,
        "validation": options.validation,
        "test": options.test,
        "labels": options.labels,
        "groups": options.groups,
        "region": options.region,
    }
    return prepare(config, data.classes, train, validation, about, data.fingerprint("train"), reporter, base)


def _train(task: Task, *, resume: bool) -> Trained:
    config, run = task.config, task.run
    state = start_state(task.model.variables, make_optimizer(config.optimizer), config.optimizer.average)
    position = Position()
    if resume:
        notes: list[str] = []
        state, position, fingerprint = read_checkpoint(run, state, notes)
        for note in notes:
            task.reporter.say(f"Passed over a checkpoint: {note}")
        if fingerprint != task.fingerprint:
            raise RunError(
                f"the training pictures of {config.data.data} are not those that {run} began with: "
                "bring them back, or start a new run"
            )
        truncate(run / "log.jsonl", position.log_bytes)
        truncate(run / FILE, position.statistics_bytes)
        task.reporter.say(f"Resuming {run} after step {position.step}")
    try:
        Training(task, state, position).run()
        forget(run)
    finally:
        task.reporter.close()
    accuracy = position.best_accuracy if task.validation is not None else None
    return Trained(run, config, run / "best.safetensors", position.best_epoch, accuracy)
