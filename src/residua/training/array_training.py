"""Training on arrays that are already in memory, without a run folder that stays."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import TrainConfig
from residua.config.defaults import RATES
from residua.config.options import configure
from residua.data.pictures.arrays import Pictures
from residua.data.splits import held_out_count, hold_out
from residua.errors import ConfigError, DataError
from residua.models.model_file import Model, load_model
from residua.training.checkpoint import Position
from residua.training.interruption import Interrupted
from residua.training.loop import Training
from residua.training.optimizers import make_optimizer
from residua.training.progress import Quiet
from residua.training.run_folder import read_log
from residua.training.step import start_state
from residua.training.task import Task
from residua.training.task_setup import TrainingData, build_task, remember_pictures

# What a run on a folder is told and arrays have no use for; ignored, they would be believed.
NOT_FOR_ARRAYS = (
    *("data", "data_dir", "labels", "size", "wide", "validation", "test", "groups", "copies"),
    *("limit", "region", "from_", "weights"),
    *(
        "freeze",
        "unfreeze_at",
        "depth_rate",
        "run",
        "hosts",
        "host_id",
        "coordinator",
        "host_wait",
        "checkpoint_seconds",
        "checkpoint_steps",
        "final_test",
    ),
)


def train_on_arrays(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    *,
    validation: float,
    options: Mapping[str, Any],
    weights: NDArray[np.float64] | None = None,
) -> tuple[Model, list[dict[str, Any]]]:
    """The best model on what `validation` holds out (the last where it is 0), and the log's entries.

    images: (N, H, W, C) uint8; labels: (N,), indices into `classes`. weights: (N,), how much each picture
    counts in the loss, in proportion, and among those held out. Raises ResiduaError, and KeyboardInterrupt
    after Ctrl-C.
    """
    config = _configure(options)
    if weights is not None and (config.data.mixup or config.data.cutmix):
        raise ConfigError(
            "mixed pictures have no weights of their own: leave mixup and cutmix out, or weights"
        )
    train = Pictures(images, labels, tuple(map(str, range(len(images)))))
    kept, held_out_indices = np.arange(len(images)), np.arange(0)
    held_out: Pictures | None = None
    if validation:
        count = held_out_count(validation, len(train), "validation")
        kept, held_out_indices = hold_out(labels, count, config.run.seed, classes, option="validation")
        train, held_out = train.select(kept), train.select(held_out_indices)
    data = TrainingData(classes, train, held_out, {"data": None, "kind": "arrays"})
    task = build_task(config, data, Quiet())
    if weights is not None:
        task = _weighted(task, weights[kept], weights[held_out_indices])
    state = start_state(
        task.model.variables,
        make_optimizer(config.optimizer),
        config.optimizer.average,
        bool(config.optimizer.lookahead),
    )
    with tempfile.TemporaryDirectory(prefix="residua-") as folder:
        run = Path(folder)
        try:
            Training(replace(remember_pictures(task), run=run), state, Position()).run()
        except Interrupted:
            raise KeyboardInterrupt("training was stopped; nothing of it is kept") from None
        history = read_log(run)
        best = load_model(run / "best.safetensors")
    return replace(best, training=best.training | {"history": history}), history


def _configure(options: Mapping[str, Any]) -> TrainConfig:
    """The options, those left open as the classifier has them."""
    for name in map(str, options):
        word = name.replace("-", "_")
        if word in NOT_FOR_ARRAYS or f"{word}_" in NOT_FOR_ARRAYS:
            raise ConfigError(f"the option {name!r} is for training on folders of pictures, not on arrays")
    config = configure(TrainConfig, options)
    rate = config.optimizer.rate or RATES[config.optimizer.optimizer]
    return replace(config, optimizer=replace(config.optimizer, rate=rate))


def _weighted(task: Task, train: NDArray[np.float64], held_out: NDArray[np.float64]) -> Task:
    """The task with weights whose mean is 1, so that a rate means the same with them."""
    if not train.sum() > 0:
        raise DataError("no picture to train on counts: all weights are 0")
    judged = held_out.astype(np.float32) if len(held_out) and held_out.sum() > 0 else None
    weights = (train / train.mean()).astype(np.float32)
    return replace(task, picture_weights=weights, validation_weights=judged)
