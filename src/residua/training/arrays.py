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
from residua.data.augment import Augment
from residua.data.batches import Batches
from residua.data.pictures import Pictures
from residua.data.preprocessing import Preprocessing
from residua.data.splits import held_out_count, hold_out
from residua.engines import open_engine
from residua.files.model_file import Model, load_model
from residua.models import build_model
from residua.options import configure
from residua.training.checkpoint import Position
from residua.training.loop import Task, Training
from residua.training.optimizers import DEFAULT_RATES, make_optimizer
from residua.training.progress import Quiet
from residua.training.run_folder import read_log, versions
from residua.training.step import start_state


def train_on_arrays(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    *,
    validation: float,
    options: Mapping[str, Any],
) -> tuple[Model, list[dict[str, Any]]]:
    """The best model on what `validation` holds out (the last where it is 0), and the log's entries.

    images: (N, H, W, C) uint8; labels: (N,), places in `classes`. Raises ResiduaError.
    """
    config = configure(TrainConfig, options)
    rate = config.optimizer.rate or DEFAULT_RATES[config.optimizer.optimizer]
    config = replace(config, optimizer=replace(config.optimizer, rate=rate))
    pictures = Pictures(images, labels, tuple(map(str, range(len(images)))))
    seed = config.run.seed
    held: Pictures | None = None
    if validation:
        count = held_out_count(validation, len(pictures), "validation")
        kept_places, held_places = hold_out(labels, count, seed, classes, option="validation")
        pictures, held = pictures.take(kept_places), pictures.take(held_places)
    preprocessing = Preprocessing.measure(pictures.images)
    _, height, width, channels = images.shape
    network = build_model(config.model, channels=channels, classes=len(classes))
    network.output_shape((height, width, channels))
    variables = network.init(np.random.default_rng([seed, 1]))
    training = {"data": None, "kind": "arrays", "seed": seed, "versions": versions()}
    model = Model(str(config.model.model), network, variables, classes, preprocessing, training)
    augment = Augment(config.data.crop or 0, bool(config.data.flip), config.data.cutout)
    with tempfile.TemporaryDirectory(prefix="residua-") as folder:
        run = Path(folder)
        task = Task(
            config,
            open_engine(config.run.engine),
            model,
            Batches(pictures, preprocessing, augment, config.schedule.batch, seed),
            None if held is None else Batches(held, preprocessing, None, 256),
            None,
            "",
            run,
            Quiet(),
            lambda run: None,
        )
        state = start_state(variables, make_optimizer(config.optimizer), config.optimizer.average)
        Training(task, state, Position()).run()
        history = read_log(run)
        best = load_model(run / "best.safetensors")
    return replace(best, training=best.training | {"history": history}), history
