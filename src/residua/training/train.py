"""From a config to a trained model: open the data, build the network, start or resume, train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from residua.config import TrainConfig
from residua.data import DataSet, open_dataset
from residua.data.augment import Augment
from residua.data.batches import Batches
from residua.data.preprocessing import Preprocessing
from residua.engines import open_engine
from residua.errors import ResiduaError, RunError
from residua.files.model_file import Model
from residua.models import build_model
from residua.training.checkpoint import Position, read_checkpoint
from residua.training.loop import Task, Training
from residua.training.optimizers import make_optimizer
from residua.training.progress import Reporter
from residua.training.recipe import resolve
from residua.training.run_folder import create_run, read_run, truncate, versions
from residua.training.step import start_state

IMBALANCE = 3.0  # pictures of the largest class to those of the smallest, above which we say so


@dataclass(frozen=True)
class Trained:
    """A finished run: its folder, its config, and the file of its best model."""

    run: Path
    config: TrainConfig
    best: Path
    best_epoch: int
    validation_accuracy: float | None


def start_training(
    config: TrainConfig, reporter: Reporter, after_epoch: Callable[[Path], object] = lambda run: None
) -> Trained:
    """Train a new network in a new run folder."""
    data = open_dataset(config.data, config.run.seed, say=reporter.say)
    config = resolve(config, data)
    prepared = _prepare(config, data, reporter)
    name = f"{Path(config.data.data).name or 'pictures'}-{config.model.model}"
    run = create_run(config, name)
    reporter.say(f"Run folder: {run}")
    return _train(prepared, run, reporter, after_epoch, resume=False)


def resume_training(
    run: Path, reporter: Reporter, after_epoch: Callable[[Path], object] = lambda run: None
) -> Trained:
    """Go on with a run from its newest whole checkpoint, to the same bytes as if it had never stopped."""
    config = read_run(run)
    data = open_dataset(config.data, config.run.seed, say=reporter.say)
    return _train(_prepare(config, data, reporter), run, reporter, after_epoch, resume=True)


@dataclass(frozen=True)
class _Prepared:
    config: TrainConfig
    data: DataSet
    model: Model
    train: Batches
    validation: Batches | None
    class_weights: NDArray[np.float32] | None


def _prepare(config: TrainConfig, data: DataSet, reporter: Reporter) -> _Prepared:
    """Everything that a run needs but its folder: what is wrong shows before anything is written."""
    options = config.data
    train, validation = data.read("train"), data.read("validation")
    if not len(train):
        raise ResiduaError(
            f"the training split of {options.data} is empty: lower --validation or add pictures"
        )
    counts = np.bincount(train.labels, minlength=len(data.classes))
    reporter.say(
        f"{options.data}: {len(train):,} training and {len(validation):,} validation pictures, "
        f"{len(data.classes)} classes, {data.height}x{data.width}x{data.channels}"
    )
    if counts.max() > IMBALANCE * counts.min() and not options.balance:
        most, least = int(counts.argmax()), int(counts.argmin())
        reporter.say(
            f"The classes differ in size: {data.classes[most]} {counts[most]:,}, "
            f"{data.classes[least]} {counts[least]:,} pictures; --balance weighs them alike"
        )
    preprocessing = Preprocessing.measure(train.images)
    network = build_model(config.model, channels=data.channels, classes=len(data.classes))
    network.output_shape((data.height, data.width, data.channels))
    seed = config.run.seed
    variables = network.init(np.random.default_rng([seed, 1]))
    training = {
        "data": options.data,
        "kind": data.card.kind,
        "seed": seed,
        "size": options.size,
        "validation": options.validation,
        "test": options.test,
        "labels": options.labels,
        "fingerprint": data.fingerprint("train"),
        "versions": versions(),
    }
    model = Model(str(config.model.model), network, variables, data.classes, preprocessing, training)
    augment = Augment(crop=options.crop or 0, flip=bool(options.flip), cutout=options.cutout)
    batch = config.schedule.batch
    return _Prepared(
        config,
        data,
        model,
        Batches(train, preprocessing, augment, batch, seed),
        Batches(validation, preprocessing, None, max(batch, 256)) if len(validation) else None,
        _class_weights(counts) if options.balance else None,
    )


def _class_weights(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Inverse to the size of the class, so that the mean over the pictures is one."""
    weights: NDArray[np.float32] = (counts.sum() / (len(counts) * np.maximum(counts, 1))).astype(np.float32)
    return weights


def _train(
    prepared: _Prepared,
    run: Path,
    reporter: Reporter,
    after_epoch: Callable[[Path], object],
    *,
    resume: bool,
) -> Trained:
    config = prepared.config
    engine = open_engine(config.run.engine)
    optimizer = make_optimizer(config.optimizer)
    state = start_state(prepared.model.variables, optimizer, config.optimizer.average)
    position = Position()
    fingerprint = str(prepared.model.training["fingerprint"])
    if resume:
        notes: list[str] = []
        state, position, trained_on = read_checkpoint(run, state, notes)
        for note in notes:
            reporter.say(f"Passed over a checkpoint: {note}")
        if trained_on != fingerprint:
            raise RunError(
                f"the training pictures of {config.data.data} are not those that {run} began with: "
                "bring them back, or start a new run"
            )
        truncate(run / "log.jsonl", position.log_bytes)
        reporter.say(f"Resuming {run} after step {position.step}")
    task = Task(
        config,
        engine,
        prepared.model,
        prepared.train,
        prepared.validation,
        prepared.class_weights,
        fingerprint,
        run,
        reporter,
        after_epoch,
    )
    training = Training(task, state, position)
    try:
        training.run()
    finally:
        reporter.close()
    accuracy = position.best_accuracy if prepared.validation is not None else None
    return Trained(run, config, run / "best.safetensors", position.best_epoch, accuracy)
