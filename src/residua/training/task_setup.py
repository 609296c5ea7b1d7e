"""From pictures and a config to a task: network, preprocessing, batches, weights of classes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from residua.config import EngineName, TrainConfig
from residua.config.defaults import BATCH
from residua.data.augmentation.mixup_cutmix import Mix
from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.data.seen_pictures import SeenPictures
from residua.engines import open_engine
from residua.engines.choice import choose_for_training
from residua.errors import ConfigError, DataError
from residua.layers import Layer, Sequential
from residua.models.model_file import Model
from residua.models.stages import frozen_layers
from residua.training.environment import versions_with
from residua.training.freezing import NOTHING_FROZEN, FreezePlan
from residua.training.initialization import initialize
from residua.training.pretrained import Pretrained
from residua.training.progress import Reporter
from residua.training.task import Task

VALIDATION_BATCH = 256  # at least: no gradients are kept


@dataclass(frozen=True)
class TrainingData:
    """The pictures of a task. `about`: what the model file says of them, plain JSON types.

    fingerprint: of the training pictures, which a resumed run must find again.
    """

    classes: tuple[str, ...]
    train: Pictures
    validation: Pictures | None
    about: dict[str, Any]
    fingerprint: str = ""


def build_task(
    config: TrainConfig, data: TrainingData, reporter: Reporter, pretrained: Pretrained | None = None
) -> Task:
    """The task of a run that has no folder yet: what is wrong shows before anything is written.

    pretrained: what training begins with, else new weights. Raises ResiduaError where pictures, network and
    options do not fit together.
    """
    train, validation, about = data.train, data.validation, data.about
    if not len(train):
        raise DataError("the training split is empty: lower --validation or add pictures")
    if pretrained is not None:
        preprocessing = pretrained.model.preprocessing
        train = _cut(train, preprocessing)
        validation = None if validation is None else _cut(validation, preprocessing)
        about = about | {"base": Path(pretrained.source).name}
    initial = initialize(config, train.images, data.classes, pretrained)
    network, preprocessing = initial.network, initial.preprocessing
    _check_outputs(config, network)
    _, *read = train.images.shape
    shape = (preprocessing.height, preprocessing.width, preprocessing.channels)
    config = _with_epochs(config, len(train))
    config = _with_engine(config, network, shape if pretrained is None else tuple(read), len(train))
    seed, options, batch = config.run.seed, config.data, config.schedule.batch or BATCH
    about = about | {
        "seed": seed,
        "fingerprint": data.fingerprint,
        "versions": versions_with(config.run.engine),
    }
    augment = Augment.of(options, train.images)
    run = config.run
    engine = open_engine(run.engine, threads=run.threads, precision=run.precision)
    for remark in engine.remarks:
        reporter.say(remark)
    mix = Mix(options.mixup, options.cutmix)
    if validation is not None and not len(validation):
        validation = None
    return Task(
        config=config,
        engine=engine,
        model=Model(
            str(config.model.model),
            network,
            initial.variables,
            data.classes,
            preprocessing,
            about,
            seen=None if pretrained is None else pretrained.model.seen,
        ),
        train=Batches(train, preprocessing, augment, batch, seed, mix, engine=engine),
        validation=None
        if validation is None
        else Batches(validation, preprocessing, None, max(batch, VALIDATION_BATCH)),
        class_weights=class_weights(train.labels, len(data.classes)) if options.balance else None,
        fingerprint=data.fingerprint,
        run=Path(),
        reporter=reporter,
        after_epoch=lambda run: None,
        freezing=NOTHING_FROZEN
        if pretrained is None or pretrained.keeps_head
        else _freeze_plan(config, network, pretrained),
    )


def remember_pictures(task: Task) -> Task:
    """The task with the pictures that its model will have seen, and those that what it begins with has."""
    validation = None if task.validation is None else task.validation.pictures.images
    seen, before = SeenPictures.of(task.train.pictures.images, validation), task.model.seen
    if seen is not None and before is not None:
        seen = before | seen
    return replace(task, model=replace(task.model, seen=seen))


def _check_outputs(config: TrainConfig, network: Layer) -> None:
    """Raise ConfigError for options that only networks of logits know."""
    options = config.data
    if config.optimizer.smoothing and network.outputs != "logits":
        raise ConfigError(f"{config.model.model} trains without label smoothing: leave --smoothing out")
    if (options.mixup or options.cutmix) and network.outputs != "logits":
        raise ConfigError(f"{config.model.model} takes one label a picture: leave --mixup and --cutmix out")


def _with_epochs(config: TrainConfig, pictures: int) -> TrainConfig:
    """The config with the epochs that its steps take, the last of them perhaps in part."""
    schedule = config.schedule
    if schedule.total_steps is None:
        return config
    count = -(-pictures // (schedule.batch or BATCH))
    epochs = -(-schedule.total_steps // count)
    if schedule.epochs not in (None, epochs):
        raise ConfigError(
            f"--total-steps {schedule.total_steps} are {epochs} epochs of {count} steps, --epochs asks for "
            f"{schedule.epochs}: leave one of them out"
        )
    return replace(config, schedule=replace(schedule, epochs=epochs))


def _with_engine(config: TrainConfig, network: Layer, shape: tuple[int, ...], pictures: int) -> TrainConfig:
    """The config with the engine that "auto" comes to, which is part of the run."""
    # A step costs about three times its forward pass.
    work = 3.0 * network.multiply_adds(shape) * pictures * (config.schedule.epochs or 1)
    engine = cast(EngineName, choose_for_training(config.run.engine, work))
    return replace(config, run=replace(config.run, engine=engine))


def _cut(pictures: Pictures, preprocessing: Preprocessing) -> Pictures:
    return Pictures(preprocessing.cut(pictures.images), pictures.labels, pictures.names)


def _freeze_plan(config: TrainConfig, network: Layer, pretrained: Pretrained) -> FreezePlan:
    options = config.transfer
    assert isinstance(network, Sequential)
    freeze = "all" if options.freeze is None else options.freeze
    frozen = frozen_layers(network, freeze, pretrained.model.name)
    unfreeze = None if options.unfreeze_at is None else options.unfreeze_at - 1
    return FreezePlan(frozen, unfreeze, options.depth_rate)


def class_weights(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Inverse to the size of the class, so that the mean over the pictures is one."""
    counts = np.bincount(labels, minlength=classes)
    weights: NDArray[np.float32] = (len(labels) / (classes * np.maximum(counts, 1))).astype(np.float32)
    return weights
