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
from residua.models.model_file import Model, load_model
from residua.training.checkpoint import Position
from residua.training.loop import Training
from residua.training.optimizers import make_optimizer
from residua.training.progress import Quiet
from residua.training.run_folder import read_log
from residua.training.step import start_state
from residua.training.task_setup import TrainingData, build_task


def train_on_arrays(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    *,
    validation: float,
    options: Mapping[str, Any],
) -> tuple[Model, list[dict[str, Any]]]:
    """The best model on what `validation` holds out (the last where it is 0), and the log's entries.

    images: (N, H, W, C) uint8; labels: (N,), indices into `classes`. Raises ResiduaError.
    """
    config = configure(TrainConfig, options)
    rate = config.optimizer.rate or RATES[config.optimizer.optimizer]
    config = replace(config, optimizer=replace(config.optimizer, rate=rate))
    train = Pictures(images, labels, tuple(map(str, range(len(images)))))
    held_out: Pictures | None = None
    if validation:
        count = held_out_count(validation, len(train), "validation")
        indices, held_out_indices = hold_out(labels, count, config.run.seed, classes, option="validation")
        train, held_out = train.select(indices), train.select(held_out_indices)
    data = TrainingData(classes, train, held_out, {"data": None, "kind": "arrays"})
    task = build_task(config, data, Quiet())
    state = start_state(task.model.variables, make_optimizer(config.optimizer), config.optimizer.average)
    with tempfile.TemporaryDirectory(prefix="residua-") as folder:
        run = Path(folder)
        Training(replace(task, run=run), state, Position()).run()
        history = read_log(run)
        best = load_model(run / "best.safetensors")
    return replace(best, training=best.training | {"history": history}), history
