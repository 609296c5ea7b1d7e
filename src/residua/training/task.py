"""A training task: everything that a run reads and never changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from residua.config import TrainConfig
from residua.data.batches import Batches
from residua.engines import Engine
from residua.models.model_file import Model
from residua.training.freezing import NOTHING_FROZEN, FreezePlan
from residua.training.progress import Reporter
from residua.training.ranks.crew import Crew

if TYPE_CHECKING:
    from residua.training.ranks.host_crew import HostCrew  # loads JAX


@dataclass(frozen=True)
class Task:
    """Everything that a run reads and never changes.

    `model` says what is trained; its variables are only where training starts, `freezing` what of it is
    frozen until when. `class_weights` (classes,) weigh the loss, or `picture_weights` (N,) that of each
    picture of `train`; `validation_weights` are those of its pictures. `after_epoch` is called with the run
    folder once an epoch is logged, but not after the last: then the run is over, and its caller goes on.
    crew: computes the steps, where a batch is computed in parts. stop_requested: set by Ctrl-C and SIGTERM.
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
    crew: Crew | HostCrew | None = None
    stop_requested: threading.Event = field(default_factory=threading.Event)

    @property
    def writes(self) -> bool:
        """Whether this process writes files: of several the first alone."""
        return self.crew is None or self.crew.world is None or self.crew.world.first
