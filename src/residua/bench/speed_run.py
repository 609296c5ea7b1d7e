"""A step of the recipe that takes CIFAR-10 to 94 %: airbench94 with all that it is trained with.

Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", arXiv 2404.00498, section 3 and the published
program. There the loss is summed over the batch and decay coupled to the rate; the numbers here are the same
for a mean (docs/training.md).
"""

from __future__ import annotations

import numpy as np

from residua.bench import data_loading
from residua.bench.networks import Labels, Network, Pictures, advance
from residua.bench.timing import Workload
from residua.config import ScheduleOptions
from residua.data import Pictures as Split
from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.pictures.selection import Images
from residua.data.preprocessing import Preprocessing
from residua.engines import Engine
from residua.layers import Layer
from residua.models.architectures.airbench import airbench94
from residua.training.lookahead import EVERY, make_fall_back, slow_share
from residua.training.optimizers import make_optimizer
from residua.training.option_defaults import optimizer_of
from residua.training.schedules import Schedule, make_schedule
from residua.training.step import make_step, start_state
from residua.training.whitening import whiten
from residua.variables import Tree, transform

NETWORK = Network("airbench94", airbench94, 32)
RECIPE = data_loading.CARD.recipe  # what `residua train cifar10` does
EPOCHS, BATCH, CROP = RECIPE.epochs, RECIPE.batch, RECIPE.crop
OPTIONS = optimizer_of(RECIPE)


def make_rates() -> Schedule:
    """The triangle."""
    return make_schedule(ScheduleOptions(schedule=RECIPE.schedule, epochs=EPOCHS), RECIPE.rate, EPOCHS)


class Stepper:
    """Steps of the recipe one after the other, of `total` in all; the whitening layer's bias still learns."""

    def __init__(self, engine: Engine, network: Layer, variables: Tree, total: int) -> None:
        self._step, self._fall_back = make_step(network, engine, OPTIONS), make_fall_back(engine)
        start = transform(np.array, variables)  # a step may write to what it is given
        self._state = start_state(start, make_optimizer(OPTIONS), OPTIONS.average)
        self._slow = transform(np.array, variables)
        self._total, self._done = total, 0

    def __call__(self, pictures: Pictures, labels: Labels, rate: float) -> float:
        """One step; its loss. Raises NonFiniteError."""
        self._state, results = advance(self._step, self._state, pictures, labels, rate)
        self._done += 1
        if self._done % EVERY == 0:
            share = slow_share(self._done / self._total)
            fallen = self._fall_back(self._state["variables"], self._slow, share)
            self._state["variables"], self._slow = fallen, transform(np.array, fallen)
        return float(results["loss"])


def first_variables(network: Layer, images: Images) -> Tree:
    """What both sides begin with; the first layer's weights are measured on the pictures."""
    return whiten(network, network.init(np.random.default_rng(0)), images, Preprocessing.measure(images))


def train_step(engine: Engine, network: Layer, variables: Tree, split: Split, batch: int) -> Workload:
    """One step of training: wait for the batch, which is varied meanwhile, ask the schedule, step."""
    augment = Augment(CROP, alternate_flip=RECIPE.alternate_flip, border=RECIPE.border)
    preprocessing = Preprocessing.measure(split.images)
    batches = Batches(split, preprocessing, augment, batch, seed=0, engine=engine)
    stream = data_loading.endless_batches(batches)
    rates = make_rates()
    memory = rates.start()
    take = Stepper(engine, network, variables, EPOCHS * batches.count)

    def step() -> float:
        progress, prepared = next(stream)
        # However long it is measured, the rates are those of the first epochs, in which all is trained.
        return take(prepared.images, prepared.labels, rates.rate(progress % 1, memory))

    return step
