"""From pictures and a config to everything that a run reads: network, preprocessing, batches, weights."""

from __future__ import annotations

from dataclasses import replace
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
from residua.engines import choose_engine, open_engine
from residua.errors import ConfigError, DataError
from residua.layers import Layer, Sequential
from residua.models import build_model, find_card
from residua.models.model_file import Model
from residua.models.stages import frozen_layers
from residua.training.initialization import Base
from residua.training.loop import Task
from residua.training.phases import ORDINARY, Plan
from residua.training.progress import Reporter
from residua.training.run_folder import versions


def prepare(
    config: TrainConfig,
    classes: tuple[str, ...],
    train: Pictures,
    validation: Pictures | None,
    about: dict[str, Any],
    fingerprint: str,
    reporter: Reporter,
    base: Base | None = None,
) -> Task:
    """The task of a run that has no folder yet: what is wrong shows before anything is written.

    about: what the model file says of its training. base: what training begins with. Raises
    ResiduaError where pictures, network and options do not fit together.
    """
    if not len(train):
        raise DataError("the training split is empty: lower --validation or add pictures")
    seed, options, batch = config.run.seed, config.data, config.schedule.batch or BATCH
    network: Layer
    if base is None:
        count, height, width, channels = train.images.shape
        preprocessing = Preprocessing.measure(train.images)
        side = config.data.input
        if side is not None and (side, side) != (height, width):
            preprocessing = replace(preprocessing, height=side, width=side, source=(height, width))
            height, width = side, side
        if find_card(config.model.model or "resnet20").unit_pixels:
            preprocessing = replace(preprocessing, mean=(0.0,) * channels, std=(1.0,) * channels)
        network = build_model(config.model, channels=channels, classes=len(classes), size=(height, width))
        network.output_shape((height, width, channels))
        variables = network.init(np.random.default_rng([seed, 1]))
    else:
        preprocessing = base.model.preprocessing
        train = _cut(train, preprocessing)
        validation = None if validation is None else _cut(validation, preprocessing)
        count, height, width, channels = train.images.shape
        network, variables = base.begin(classes, seed)
        about = about | {"base": Path(base.source).name}
    if config.optimizer.smoothing and network.outputs != "logits":
        raise ConfigError(f"{config.model.model} trains without label smoothing: leave --smoothing out")
    if (options.mixup or options.cutmix) and network.outputs != "logits":
        raise ConfigError(f"{config.model.model} takes one label a picture: leave --mixup and --cutmix out")
    # A step costs about three times its forward pass. What "auto" comes to is part of the run.
    work = 3.0 * network.multiply_adds((height, width, channels)) * count * (config.schedule.epochs or 1)
    engine = cast(EngineName, choose_engine(config.run.engine, work))
    config = replace(config, run=replace(config.run, engine=engine))
    about = about | {"seed": seed, "fingerprint": fingerprint, "versions": versions()}
    augment = Augment.of(options, train.images)
    held = validation if validation is not None and len(validation) else None
    opened = open_engine(config.run.engine, threads=config.run.threads)
    mix = Mix(options.mixup, options.cutmix)
    return Task(
        config=config,
        engine=opened,
        model=Model(str(config.model.model), network, variables, classes, preprocessing, about),
        train=Batches(train, preprocessing, augment, batch, seed, mix, engine=opened),
        validation=None if held is None else Batches(held, preprocessing, None, max(batch, 256)),
        class_weights=_class_weights(train.labels, len(classes)) if options.balance else None,
        fingerprint=fingerprint,
        run=Path(),
        reporter=reporter,
        after_epoch=lambda run: None,
        plan=ORDINARY if base is None or base.head else _plan(config, network, base),
    )


def _cut(pictures: Pictures, preprocessing: Preprocessing) -> Pictures:
    return Pictures(preprocessing.cut(pictures.images), pictures.labels, pictures.names)


def _plan(config: TrainConfig, network: Layer, base: Base) -> Plan:
    options = config.transfer
    assert isinstance(network, Sequential)
    freeze = "all" if options.freeze is None else options.freeze
    frozen = frozen_layers(network, freeze, base.model.name)
    unfreeze = None if options.unfreeze_at is None else options.unfreeze_at - 1
    return Plan(frozen, unfreeze, options.depth_rate)


def _class_weights(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Inverse to the size of the class, so that the mean over the pictures is one."""
    counts = np.bincount(labels, minlength=classes)
    weights: NDArray[np.float32] = (len(labels) / (classes * np.maximum(counts, 1))).astype(np.float32)
    return weights
