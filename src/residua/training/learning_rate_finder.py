"""Which learning rate? Train a moment with rates that rise from far too low to far too high.

Smith: Cyclical Learning Rates for Training Neural Networks (2015, arXiv 1506.01186), section 3.3, the
learning-rate range test. There the rate rises by equal steps; here by equal factors, so that several
powers of ten are seen in one sweep.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import FindRateConfig, RunOptions, ScheduleOptions, TrainConfig
from residua.config.defaults import BATCH
from residua.data.batches import Batch, Batches
from residua.errors import ConfigError
from residua.progress import advance, bar
from residua.training.optimizers import make_optimizer
from residua.training.phases import make_phase
from residua.training.progress import Quiet
from residua.training.step import mixed_labels, start_state
from residua.training.task import Task
from residua.training.train import open_task

Floats = NDArray[np.float64]

DIVERGED = 4.0  # times the least loss: beyond, training has come apart
KEPT = 0.9  # share of the running mean that tells when to stop
SPREAD = 0.04  # of the sweep: deviation of the bell that smooths the losses
STEADY = 3.0  # times below the peak of a schedule lies a rate that is kept all the time


@dataclass(frozen=True, eq=False)
class Sweep:
    """The losses of a sweep of rates.

    rates, losses: one entry a step that was made. smoothed: the losses' mean over neighbouring steps.
    steepest, least: the rates where the smoothed loss falls fastest and is least. suggested: the rate to
    train with, None where the loss never fell. ended: why the sweep was over.
    """

    data: str
    model: str
    optimizer: str
    batch: int
    rates: Floats
    losses: Floats
    smoothed: Floats
    steepest: float
    least: float
    suggested: float | None
    ended: str

    @property
    def reason(self) -> str:
        """Why this rate, in words."""
        if self.suggested is None:
            return (
                f"The loss never fell: from {self.smoothed[0]:.3f} to {self.smoothed.min():.3f} at best. "
                "Look at lower rates with --lowest, or more --steps."
            )
        if self.least >= self.rates[-1]:
            return (
                f"The loss still fell at the last rate, {self.least:.2g}, and fastest at "
                f"{self.steepest:.2g}: look at higher rates with --highest."
            )
        return (
            f"The loss falls up to this rate, fastest at {self.steepest:.2g}, and rises beyond: the largest "
            "for the peak of a one-cycle schedule, which is there for a moment. "
            f"A rate that is kept all the time lies lower, about {_round(self.suggested / STEADY):g}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        entries = dict(vars(self))
        for name in ("rates", "losses", "smoothed"):
            entries[name] = entries[name].tolist()
        return entries | {"reason": self.reason}


class _Announcements(Quiet):
    """Passes on what is said to people, and nothing else."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def say(self, line: str) -> None:
        """Say it."""
        self._say(line)


def sweep_rates(config: FindRateConfig, say: Callable[[str], None]) -> Sweep:
    """Train for some steps with rising rates, and say which rate to train with. Nothing is kept of it.

    Raises ConfigError for rates that do not rise, and ResiduaError as training does.
    """
    options = config.sweep
    if options.lowest >= options.highest:
        raise ConfigError(
            f"--lowest takes a rate below --highest; they are {options.lowest:g} and {options.highest:g}"
        )
    if config.optimizer.rate is not None:
        raise ConfigError(
            "find-rate looks for the rate: leave --rate out, and bound it by --lowest and --highest"
        )
    train_config = TrainConfig(
        config.data,
        config.model,
        config.transfer,
        config.optimizer,
        ScheduleOptions(epochs=1, batch=options.batch),
        RunOptions(seed=options.seed, engine=options.engine, threads=options.threads),
    )
    task, data, _ = open_task(train_config, _Announcements(say))
    rates = np.geomspace(options.lowest, options.highest, options.steps)
    losses, ended = _train_with_rising_rates(task, rates)
    if len(losses) < 5:
        raise ConfigError(
            f"{ended}, after {len(losses)} steps: begin lower, with --lowest {options.lowest / 100:g}"
        )
    return evaluate_sweep(
        data.name, task.model.name, task.config, rates[: len(losses)], np.array(losses, np.float64), ended
    )


def _train_with_rising_rates(task: Task, rates: Floats) -> tuple[list[float], str]:
    """The loss of a step at each rate, as far as training holds together, and why the sweep was over."""
    optimizer = task.config.optimizer
    state = start_state(task.model.variables, make_optimizer(optimizer), optimizer.average)
    divergence = _Divergence()
    losses: list[float] = []
    with tempfile.TemporaryDirectory(prefix="residua-") as folder, np.errstate(all="ignore"):
        task = replace(task, validation=None, run=Path(folder))
        phase = make_phase(task, 0, state["variables"])
        with contextlib.closing(_endless_batches(phase.train)) as batches, bar("Steps", len(rates)):
            for rate, batch in zip(map(float, rates), batches, strict=False):
                weights = None if task.class_weights is None else task.class_weights[batch.labels]
                state, results = phase.step(
                    state, batch.images, batch.labels, weights, rate, mixed_labels(batch)
                )
                advance()
                if not results["finite"]:
                    return losses, f"at {rate:.2g} the loss was no finite number any more"
                losses.append(float(results["loss"]))
                if divergence.after(losses[-1]) and len(losses) > 10:
                    return losses, f"at {rate:.2g} the loss was {DIVERGED:g} times its least"
    return losses, "the highest rate was reached"


def _endless_batches(batches: Batches) -> Generator[Batch, None, None]:
    """Epoch after epoch."""
    for epoch in itertools.count():
        with batches.epoch(epoch) as prepared:
            yield from prepared


class _Divergence:
    """The running mean of the losses, held against its least value."""

    def __init__(self) -> None:
        self.mean, self.least, self.steps = 0.0, np.inf, 0

    def after(self, loss: float) -> bool:
        """Take in a loss; whether the mean is then `DIVERGED` times its least."""
        self.steps += 1
        self.mean = KEPT * self.mean + (1 - KEPT) * loss
        unbiased = self.mean / (1 - KEPT**self.steps)
        self.least = min(self.least, unbiased)
        return bool(unbiased > DIVERGED * self.least)


def evaluate_sweep(
    data: str, model: str, config: TrainConfig, rates: Floats, losses: Floats, ended: str
) -> Sweep:
    """Which of the rates to train with. rates, losses: an entry a step; ended: why the sweep was over."""
    smoothed = smooth(losses, SPREAD * len(rates))
    least = int(smoothed.argmin())
    slopes = np.gradient(smoothed, np.log(rates))
    steepest = int(slopes[: least + 1].argmin())
    fallen = smoothed[0] - smoothed[least]
    # Less than a hundredth may be chance.
    suggested = None if fallen < 0.01 * smoothed[0] else _round(float(rates[least]))
    return Sweep(
        data,
        model,
        config.optimizer.optimizer,
        config.schedule.batch or BATCH,
        rates,
        losses,
        smoothed,
        float(rates[steepest]),
        float(rates[least]),
        suggested,
        ended,
    )


def smooth(values: Floats, deviation: float) -> Floats:
    """Each value's mean with its neighbours, weighted by a bell of that deviation in steps.

    Symmetric: a running mean would lag behind, and make rates look harmless for longer than they are.
    """
    steps = np.arange(len(values))
    weights = np.exp(-((steps[:, None] - steps) ** 2) / (2 * max(deviation, 1e-6) ** 2))
    smoothed: Floats = (weights @ values) / weights.sum(axis=1)
    return smoothed


def _round(rate: float) -> float:
    """Two digits: a third would promise too much."""
    return float(f"{rate:.1e}")
