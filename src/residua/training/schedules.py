"""Schedules: the learning rate as a function of how far training has come.

A schedule is configuration; plateau alone remembers something, and its memory is plain data that the
caller holds, so that a checkpoint can keep it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import Any

from residua.config import ScheduleOptions


@dataclass(frozen=True)
class Schedule:
    """Rates between `peak` and zero over `epochs`.

    kind: constant; steps (divided by ten at 1/2 and 3/4, as He et al. 2015, section 4.2: 32k and 48k of
    64k iterations); cosine (Loshchilov and Hutter 2017, equation 5, without restarts); one-cycle
    (linear up over 30 %, then a cosine down to nothing; after Smith 2018); triangle (linear from a fifth
    of the peak up to it over 23 %, then down to 7 % of it: Jordan 2024, arXiv 2404.00498, listing 4);
    plateau (divided by ten after `patience` epochs without a better validation accuracy). `warmup` epochs
    rise linearly to the peak.
    """

    kind: str
    peak: float
    epochs: float
    warmup: float = 0.0
    patience: int = 5

    def start(self) -> dict[str, Any]:
        """What the schedule remembers before the first epoch."""
        return {"best": None, "waited": 0, "divisions": 0}

    def rate(self, epoch: float, memory: dict[str, Any]) -> float:
        """The rate at `epoch`, a fraction of an epoch included."""
        if self.kind == "one-cycle":
            rise = 0.3 * self.epochs
            if epoch < rise:
                return self.peak * (0.04 + 0.96 * epoch / rise)
            return self.peak * (1 + cos(pi * (epoch - rise) / (self.epochs - rise))) / 2
        if self.kind == "triangle":
            rise = 0.23 * self.epochs
            if epoch < rise:
                return self.peak * (0.2 + 0.8 * epoch / rise)
            return self.peak * (1 - 0.93 * (epoch - rise) / (self.epochs - rise))
        if epoch < self.warmup:
            return self.peak * (epoch + 1e-3) / (self.warmup + 1e-3)
        if self.kind == "steps":
            share = epoch / self.epochs + 1e-9  # of which fractions of epochs may fall short
            return self.peak * (1.0 if share < 0.5 else 0.1 if share < 0.75 else 0.01)
        if self.kind == "cosine":
            rest = max(self.epochs - self.warmup, 1e-9)
            return self.peak * (1 + cos(pi * min((epoch - self.warmup) / rest, 1.0))) / 2
        if self.kind == "plateau":
            return float(self.peak * 0.1 ** memory["divisions"])
        return self.peak

    def observe(self, memory: dict[str, Any], accuracy: float) -> dict[str, Any]:
        """The memory after an epoch with this validation accuracy."""
        if memory["best"] is None or accuracy > memory["best"]:
            return memory | {"best": accuracy, "waited": 0}
        waited = memory["waited"] + 1
        if waited < self.patience:
            return memory | {"waited": waited}
        return memory | {"waited": 0, "divisions": memory["divisions"] + 1}


def make_schedule(options: ScheduleOptions, peak: float, epochs: float) -> Schedule:
    """The schedule that the options describe."""
    return Schedule(options.schedule or "one-cycle", peak, epochs, options.warmup, options.plateau_patience)
