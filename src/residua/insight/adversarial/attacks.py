"""Small changes of pictures that change a model's answer: one step, many steps, and the least that is enough.

Changes are measured in steps of 8-bit pixels (1 of 255), before the model's own preprocessing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from residua.insight.shared.objectives import cross_entropy
from residua.insight.shared.scorer import Scorer

Method = Literal["fgsm", "iterated", "pgd"]
Norm = Literal["inf", "l2"]
Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
PRECISION = 1.02  # the least size under l2 is found up to 2 %


@dataclass(frozen=True)
class Attack:
    """How pictures are changed.

    fgsm: one step along the gradient of the loss, by its signs under "inf" (Goodfellow, Shlens, Szegedy
    2015, 1412.6572, section 4). iterated: many small ones, each brought back into the ball (Kurakin,
    Goodfellow, Bengio 2017, 1607.02533, section 2.2). pgd: the same from a random place in the ball
    (Madry et al. 2018, 1706.06083, section 2.1). Under "l2" a step goes along the gradient itself.

    whole: pixels are whole numbers, as files hold them, at every step; the gradient is taken at these. A
    picture is left as it is once it fools: its answer then leads by `margin`, in logits, and has at least
    the probability `confidence`. reach: all steps together, in sizes; 2.5 is enough to cross the ball.
    """

    method: Method = "pgd"
    norm: Norm = "inf"
    steps: int = 40
    seed: int = 0
    whole: bool = True
    confidence: float = 0.0
    margin: float = 1e-3
    reach: float = 2.5


@dataclass(frozen=True, eq=False)
class Attacked:
    """Changed pictures (N, H, W, C) float32, inside their balls and from 0 to 255, and which of them fool.

    sizes: (N,) what was allowed. below: (N,) the largest size tried that was not enough, 0 where none was.
    gradients: how many were computed, of one picture each.
    """

    pictures: Floats
    fooled: NDArray[np.bool_]
    sizes: NDArray[np.float64]
    below: NDArray[np.float64]
    gradients: int


def distance(change: NDArray[np.floating], norm: Norm) -> NDArray[np.float64]:
    """(N,) the size of changes (N, ...)."""
    rows = change.reshape(len(change), -1).astype(np.float64)
    sizes: NDArray[np.float64] = np.abs(rows).max(axis=1)
    return sizes if norm == "inf" else np.sqrt((rows * rows).sum(axis=1))


def reached(logits: Floats, labels: Labels, targeted: bool, settings: Attack) -> NDArray[np.bool_]:
    """(N,) whether the answer is the label (targeted), or is not, clearly and with enough probability."""
    rows = np.arange(len(logits))
    own = logits[rows, labels].astype(np.float64)
    others = logits.astype(np.float64)
    others[rows, labels] = -np.inf
    best = others.max(axis=1)
    lead = own - best if targeted else best - own
    powers = np.exp(logits.astype(np.float64) - np.maximum(own, best)[:, None])
    sure = np.exp((own if targeted else best) - np.maximum(own, best)) / powers.sum(axis=1)
    clear: NDArray[np.bool_] = (lead >= settings.margin) & (sure >= settings.confidence)
    return clear


def attack(
    scorer: Scorer,
    images: NDArray[np.uint8],
    labels: Labels,
    sizes: NDArray[np.float64],
    settings: Attack,
    targeted: bool = False,
    start: Floats | None = None,
) -> Attacked:
    """Change each picture by at most its size, away from its label, or towards it if `targeted`.

    images: (N, H, W, C) uint8 as stored. labels: (N,). sizes: (N,). start: other pictures inside the balls
    to begin at. A picture that fools already is returned as it is.
    """
    origin = images.astype(np.float32)
    pictures, fooled = origin.copy(), np.zeros(len(images), np.bool_)
    change = np.zeros_like(origin) if start is None else start.astype(np.float32) - origin
    if start is None and settings.method == "pgd":
        change = _anywhere(origin.shape, sizes, settings)
    steps = 1 if settings.method == "fgsm" else settings.steps
    stride = sizes if settings.method == "fgsm" else sizes * settings.reach / steps
    sign, count = (-1 if targeted else 1), 0
    active = np.arange(len(images))
    for step in range(steps + 1):
        projected = project(change[active], sizes[active], settings.norm)
        # Inside 0 to 255 too: what gathers outside would have to be undone before anything moves again.
        change[active] = _inside(origin[active] + projected) - origin[active]
        now = settle(origin[active], change[active], sizes[active], settings)
        if step == steps:
            logits = scorer.pixel_logits(now)
        else:
            logits, gradient = scorer.pixel_gradient(now, labels[active], cross_entropy)
            count += len(active)
        pictures[active] = now
        done = reached(logits, labels[active], targeted, settings)
        fooled[active[done]] = True
        active = active[~done]
        if step == steps or not len(active):
            break
        along = _direction(sign * gradient[~done], settings.norm)
        change[active] += along * _column(stride[active])
    return Attacked(pictures, fooled, sizes.copy(), np.zeros(len(images)), count)


def smallest(
    scorer: Scorer,
    images: NDArray[np.uint8],
    labels: Labels,
    most: float,
    settings: Attack,
    targeted: bool = False,
) -> Attacked:
    """Each picture changed by the least size, up to `most`, at which the method fools the model.

    The size is doubled from the smallest until it is enough, then bisected: to a whole number where pixels
    are whole under "inf", elsewhere up to 2 %. The same method fails at `below`. Pictures that fool as they
    are have size 0; those that `most` does not suffice for come back changed by as much, not fooled.
    """
    integral = settings.norm == "inf" and settings.whole
    count = len(images)
    first = 1.0 if integral else most / 512
    top = float(int(most)) if integral else most
    low, high = np.zeros(count), np.full(count, min(first, top))
    already = reached(scorer.pixel_logits(images), labels, targeted, settings)
    result = Attacked(images.astype(np.float32), already, np.where(already, 0, top), low, 0)
    gradients, remaining = 0, np.flatnonzero(~already)
    while len(remaining):
        attempt = attack(scorer, images[remaining], labels[remaining], high[remaining], settings, targeted)
        gradients += attempt.gradients
        better = attempt.fooled | ((high[remaining] >= top) & ~result.fooled[remaining])
        result.pictures[remaining[better]] = attempt.pictures[better]
        result.sizes[remaining[better]] = high[remaining[better]]
        result.fooled[remaining] |= attempt.fooled
        low[remaining[~attempt.fooled]] = high[remaining[~attempt.fooled]]
        least = np.where(result.fooled, result.sizes, np.inf)
        middle = (low + least) / 2
        high = np.where(result.fooled, np.floor(middle) if integral else middle, np.minimum(2 * low, top))
        ended = least <= low + 1 if integral else least <= PRECISION * low
        ended |= (low >= top) | (least <= most / 2**16)
        remaining = remaining[~ended[remaining]]
    return Attacked(result.pictures, result.fooled, result.sizes, low, gradients)


def project(change: Floats, sizes: NDArray[np.float64], norm: Norm) -> Floats:
    """The nearest changes inside the balls."""
    if norm == "inf":
        bound = _column(sizes)
        nearest: Floats = np.clip(change, -bound, bound)
        return nearest
    return change * _column(np.minimum(1, sizes / np.maximum(distance(change, norm), 1e-30)))


def settle(origin: Floats, change: Floats, sizes: NDArray[np.float64], settings: Attack) -> Floats:
    """The pictures that these changes make: inside 0 to 255 and the ball, after rounding too."""
    if not settings.whole:
        return _inside(origin + change)
    if settings.norm == "inf":
        bound = _column(np.floor(sizes))
        return _inside(origin + np.clip(np.rint(change), -bound, bound))
    # Most of a change that is spread over many pixels is less than half a step at each, and would be
    # rounded away. So it is enlarged, until it is as large after rounding as it was: the largest remain.
    target_size = np.minimum(sizes, distance(np.clip(origin + change, 0, 255) - origin, "l2") * (1 + 1e-6))
    low, high = np.full(len(change), -4.0), np.full(len(change), 14.0)  # powers of two
    for _ in range(24):
        middle = (low + high) / 2
        fits = distance(_rounded(origin, change, middle) - origin, "l2") <= target_size
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    best = _rounded(origin, change, low)
    inside = distance(best - origin, "l2") <= target_size
    result: Floats = np.where(inside[:, None, None, None], best, origin)
    return result


def _rounded(origin: Floats, change: Floats, powers: NDArray[np.float64]) -> Floats:
    return _inside(origin + np.rint(change * _column(2.0**powers)))


def _inside(pictures: Floats) -> Floats:
    clipped: Floats = np.clip(pictures, 0, 255)
    return clipped


def _direction(gradient: Floats, norm: Norm) -> Floats:
    if norm == "inf":
        return np.sign(gradient)
    # By the largest number first: squares of tiny gradients would be zero.
    most = _column(np.abs(gradient).reshape(len(gradient), -1).max(axis=1))
    scaled = (gradient / np.maximum(most, np.finfo(np.float32).tiny)).astype(np.float32)
    return (scaled / np.maximum(_column(distance(scaled, norm)), 1e-30)).astype(np.float32)


def _anywhere(shape: tuple[int, ...], sizes: NDArray[np.float64], settings: Attack) -> Floats:
    """Random changes inside the balls; each picture's the same, whichever others there are."""
    drawn = np.random.default_rng(settings.seed).uniform(-1, 1, (1, *shape[1:])).astype(np.float32)
    one = drawn if settings.norm == "inf" else _direction(drawn, "l2") * np.float32(0.5)
    every: Floats = np.repeat(one, shape[0], axis=0) * _column(sizes)
    return every


def _column(numbers: NDArray[Any]) -> Floats:
    column: Floats = numbers.astype(np.float32)[:, None, None, None]
    return column
