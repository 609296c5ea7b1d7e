"""What a job with a trained model computes: what engines are chosen by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import partial

import numpy as np

from residua.engines import Engine
from residua.engines.estimate import BACK, Rehearsal, Work
from residua.layers.serialization import describe
from residua.models.model_file import Model
from residua.training.inference import make_infer


@dataclass(frozen=True)
class Passes:
    """How many pictures go through a network: forward alone, and forward and back."""

    forward: float = 0.0
    gradients: float = 0.0

    def __add__(self, other: Passes) -> Passes:
        return Passes(self.forward + other.forward, self.gradients + other.gradients)

    def __mul__(self, times: float) -> Passes:
        return Passes(self.forward * times, self.gradients * times)

    @property
    def total(self) -> float:
        """In passes forward."""
        return self.forward + (1 + BACK) * self.gradients


NO_PASSES = Passes()


def model_work(model: Model, forward: float, gradients: float = 0.0) -> Work:
    """The job of a model that answers for so many pictures.

    forward: pictures that go forward alone, counted as often as they do; gradients: those of whose score the
    gradient by the picture is computed as well.
    """
    most = 2 if max(forward, gradients) > 1 else 1
    shape = model.preprocessing
    sides = (shape.height, shape.width, shape.channels)
    each = float(model.work(1))

    def name() -> str:
        parts = (describe(model.network), sides, most, gradients > 0, forward > 0)
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    passes = partial(_passes, model, (most, *sides), forward > 0, gradients > 0)
    return Work(forward * each, gradients * each, Rehearsal(name, passes))


def _passes(model: Model, shape: tuple[int, ...], forward: bool, gradients: bool, engine: Engine) -> None:
    """One pass of each kind over pictures of that shape (N, H, W, C)."""
    network, variables = model.frozen()
    images = np.zeros(shape, np.float32)
    if forward or not gradients:
        engine.plain(make_infer(engine, network)(variables, images))
    if gradients:
        y, saved, _ = network.forward(engine, variables, images)
        dy = np.zeros_like(np.asarray(engine.plain(y)))
        engine.input_gradient(lambda: engine.plain(network.backward(engine, variables, saved, dy)[0]))
