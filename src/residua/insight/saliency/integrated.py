"""Integrated gradients: what each pixel counts for a class score, adding up to the score itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from residua.insight.shared.scorer import Floats, Labels, Scorer
from residua.progress import extend

FIRST_STEPS = 16  # which are then halved where need be
HALVED = 8  # of them at a time
USUAL_STEPS = 64  # that they come to, as a rule
MOST_BYTES = 1 << 28  # of gradients that are held at once, where they come to as many steps
TOLERANCE = 0.005  # share of the difference of scores that may be missing


@dataclass(frozen=True, eq=False)
class Integrated:
    """Integrated gradients and how complete they are.

    maps: (N, H, W, C). difference: (N,) the score of the picture less that of the baseline, which the maps
    should sum to; gap: (N,) by how much they do not; steps: (N,) at how many points it took.
    """

    maps: Floats
    difference: NDArray[np.float64]
    gap: NDArray[np.float64]
    steps: NDArray[np.int64]

    @property
    def share(self) -> NDArray[np.float64]:
        """(N,) the gap as a share of the difference; 0 where both are 0."""
        size = np.abs(self.difference)
        return np.divide(self.gap, size, out=np.where(self.gap > 0, np.inf, 0.0), where=size > 0)


def integrated_gradients(
    scorer: Scorer,
    x: Floats,
    classes: Labels,
    baseline: Floats,
    tolerance: float = TOLERANCE,
    most: int = 1024,
) -> Integrated:
    """Integrated gradients from a baseline (H, W, C) to each picture along a straight line.

    Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks", section 3, arXiv 1703.01365.
    They add up to the difference of the scores (completeness, proposition 1) but for the sum that stands for
    the integral: by the trapezoidal rule, whose steps are halved where it is furthest from the difference of
    the scores at their ends, until the gap is at most `tolerance` of the whole difference, or `most` is
    reached.
    """
    held = 4 * USUAL_STEPS * x[0].size if len(x) else 1
    each = max(1, MOST_BYTES // held)  # pictures whose gradients are held at once
    parts = [slice(start, start + each) for start in range(0, len(x), each)]
    extend(-3 * len(x) * (min(USUAL_STEPS, most) - min(FIRST_STEPS, most)))
    every = [_integrated(scorer, x[part], classes[part], baseline, tolerance, most) for part in parts]
    if not every:
        none = np.zeros(0)
        return Integrated(x, none, none, np.zeros(0, np.int64))
    return Integrated(
        np.concatenate([part.maps for part in every]),
        np.concatenate([part.difference for part in every]),
        np.concatenate([part.gap for part in every]),
        np.concatenate([part.steps for part in every]),
    )


class _Path:
    """What is known along the way from the baseline to one picture, in the order of the shares of the way.

    shares: of the way. scores: of the class there. slopes: their derivatives by the share. gradients: by x.
    """

    def __init__(self, line: Floats) -> None:
        self.line = line
        self.shares: NDArray[np.float64] = np.zeros(0)
        self.scores: NDArray[np.float64] = np.zeros(0)
        self.slopes: NDArray[np.float64] = np.zeros(0)
        self.gradients: list[Floats] = []

    def add(self, shares: Floats, scores: Floats, gradients: Floats) -> None:
        """Put in what was found at these shares."""
        # One by one: a picture's numbers must not depend on how many there are.
        slopes = np.array([(gradient.astype(np.float64) * self.line).sum() for gradient in gradients])
        every = np.concatenate([self.shares, shares])
        order = np.argsort(every, kind="stable")
        self.shares = every[order]
        self.scores = np.concatenate([self.scores, scores])[order]
        self.slopes = np.concatenate([self.slopes, slopes])[order]
        held = [*self.gradients, *gradients]
        self.gradients = [held[place] for place in order.tolist()]

    @property
    def steps(self) -> int:
        return len(self.shares) - 1

    @property
    def difference(self) -> float:
        return float(self.scores[-1] - self.scores[0])

    def gaps(self) -> NDArray[np.float64]:
        """(steps,) by how much the rule is more than the difference of the scores, at each step."""
        widths = np.diff(self.shares)
        gaps: NDArray[np.float64] = (self.slopes[1:] + self.slopes[:-1]) / 2 * widths - np.diff(self.scores)
        return gaps

    def between(self, most: int) -> Floats:
        """The middles of those steps, at most so many, where the rule is furthest off."""
        worst = np.sort(np.argsort(-np.abs(self.gaps()), kind="stable")[:most])
        return (self.shares[worst] + self.shares[worst + 1]) / 2

    def map(self) -> Floats:
        """(H, W, C): the rule's integral of the gradients, times the way."""
        widths = np.diff(self.shares)
        weights = (np.append(widths, 0) + np.append(0, widths)) / 2
        total = np.zeros(self.line.shape, np.float64)
        for weight, gradient in zip(weights, self.gradients, strict=True):
            total += weight * gradient
        return (total * self.line).astype(self.line.dtype)


def _integrated(
    scorer: Scorer, x: Floats, classes: Labels, baseline: Floats, tolerance: float, most: int
) -> Integrated:
    """As `integrated_gradients`, of pictures that fit into memory together."""
    paths = [_Path(line) for line in (x - baseline).astype(x.dtype)]
    first = np.linspace(0, 1, min(FIRST_STEPS, most) + 1)
    wanted = dict.fromkeys(range(len(x)), first)
    while wanted:
        owners = np.concatenate([np.full(len(shares), index) for index, shares in wanted.items()])
        every = np.concatenate(list(wanted.values()))
        lines = np.stack([paths[index].line for index in wanted])
        rows = np.searchsorted(np.array(list(wanted)), owners)
        found = []
        for start in range(0, len(every), scorer.batch):
            part = slice(start, start + scorer.batch)
            points = baseline + every[part, None, None, None].astype(x.dtype) * lines[rows[part]]
            found.append(scorer.gradient(points, classes[owners[part]]))
        scores, dx = (np.concatenate(results) for results in zip(*found, strict=True))
        for index, shares in wanted.items():
            own = owners == index
            paths[index].add(shares, scores[own].astype(np.float64), dx[own])
        wanted = {
            index: path.between(min(HALVED, most - path.steps))
            for index, path in enumerate(paths)
            if path.steps < most and abs(path.gaps().sum()) > tolerance * abs(path.difference)
        }
        extend(3 * sum(map(len, wanted.values())))
    return Integrated(
        np.stack([path.map() for path in paths]),
        np.array([path.difference for path in paths]),
        np.array([abs(float(path.gaps().sum())) for path in paths]),
        np.array([path.steps for path in paths], np.int64),
    )
