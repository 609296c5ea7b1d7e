"""Training as `residua train` does it: pictures from a split, varied, prepared one batch ahead."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np

from residua.bench.networks import Network, TrainStepper
from residua.bench.timing import Workload
from residua.config import DataOptions, ScheduleOptions
from residua.data import DATASETS, Pictures, open_dataset
from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batch, Batches
from residua.data.preprocessing import Preprocessing
from residua.engines import Engine
from residua.training.option_defaults import optimizer_of
from residua.training.progress import PlainReporter
from residua.training.schedules import make_schedule

CARD = DATASETS["cifar10"]
SPLIT = 45_000  # pictures of CIFAR-10's training split without its validation split


def training_pictures(batch: int) -> tuple[Pictures, str]:
    """CIFAR-10's training split where RESIDUA_DATA holds it, else random pixels; and which it is.

    Whole batches only: a smaller one at an epoch's end would look like a faster step.
    """
    whole = SPLIT // batch * batch
    root = os.environ.get("RESIDUA_DATA")
    if root and any((Path(root) / folder).is_dir() for folder in CARD.folders):
        split = open_dataset(DataOptions(data=CARD.name), 0).read("train")
        return split.take(np.arange(min(whole, len(split) // batch * batch))), "CIFAR-10's pictures"
    return random_pictures(whole, CARD.height), "random pictures"


def random_pictures(number: int, size: int) -> Pictures:
    """(number, size, size, 3) pixels of no meaning, with labels from 0 to 9."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (number, size, size, 3), np.uint8)
    names = tuple(f"random[{place}]" for place in range(number))
    return Pictures(pixels, rng.integers(0, 10, number), names)


def train_step(engine: Engine, network: Network, pictures: Pictures, batch: int) -> Workload:
    """One step of `residua train cifar10`: wait for the batch, ask the schedule, step, report.

    Meanwhile the next batch is prepared. Left out is what happens by the clock or once an epoch:
    checkpoints and validation.
    """
    recipe = CARD.recipe_of("resnet20")
    options = optimizer_of(recipe)
    schedule = make_schedule(ScheduleOptions(epochs=recipe.epochs), recipe.rate, recipe.epochs)
    memory = schedule.start()
    preprocessing = Preprocessing.measure(pictures.images)
    augment = Augment(recipe.crop, recipe.flip)
    stream = endless_batches(Batches(pictures, preprocessing, augment, batch, seed=0, engine=engine))
    take = TrainStepper(engine, network.build(), options)
    reporter = PlainReporter(io.StringIO())
    reporter.start_epoch(0, recipe.epochs, len(pictures) // batch, 0)

    def step() -> None:
        progress, prepared = next(stream)
        loss = take(prepared.images, prepared.labels, schedule.rate(progress, memory))
        reporter.step(len(prepared.labels), loss, take.correct / take.pictures)

    return step


def endless_batches(batches: Batches) -> Iterator[tuple[float, Batch]]:
    """Epoch after epoch: how far training has come, in epochs, and the batch."""
    for epoch in count():
        with batches.epoch(epoch) as under_way:
            for number, batch in enumerate(under_way):
                yield epoch + number / batches.count, batch
