"""A training task: everything that a run reads and never changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from residua.config import TrainConfig
from residua.data.batches import Batches
from residua.engines import Engine
from residua.models.model_file import Model
from residua.training.freezing import NOTHING_FROZEN, FreezePlan
from residua.training.progress import Reporter


@dataclass(frozen=True)
class Task:
    """Everything that a run reads and never changes.

    `model` says what is trained; its variables are only where training starts, `freezing` what of it is
    frozen until when. `class_weights` (classes,) weigh the loss, or `picture_weights` (N,) that of each
    picture of `train`; `validation_weights` are those of its pictures. `after_epoch` is called with the run
    folder once an epoch is logged, but not after the last: then the run is over, and its caller goes on.
    """

    config: TrainConfig
    engine: Engine
    model: Model
    train: Batches
    validation: Batches | None
    class_weights: NDArray[np.float32] | None
    fingerprint: str
    run: Path
    reporter: Reporter
    after_epoch: Callable[[Path], object]
    freezing: FreezePlan = NOTHING_FROZEN
    picture_weights: NDArray[np.float32] | None = None
    validation_weights: NDArray[np.float32] | None = None
