"""Small changes of pictures that change a model's answer: one step, many steps, and the least that is enough.

Changes are measured in steps of 8-bit pixels (1 of 255), before the model's own preprocessing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from residua.insight.shared.pixel_model import Floats, Labels, PixelModel, cross_entropy

Method = Literal["fgsm", "iterated", "pgd"]
Norm = Literal["inf", "l2"]
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


def reached(logits: Floats, labels: Labels, targeted: bool, how: Attack) -> NDArray[np.bool_]:
    """(N,) whether the answer is the label (targeted), or is not, clearly and with enough probability."""
    rows = np.arange(len(logits))
    own = logits[rows, labels].astype(np.float64)
    others = logits.astype(np.float64)
    others[rows, labels] = -np.inf
    best = others.max(axis=1)
    lead = own - best if targeted else best - own
    powers = np.exp(logits.astype(np.float64) - np.maximum(own, best)[:, None])
    sure = np.exp((own if targeted else best) - np.maximum(own, best)) / powers.sum(axis=1)
    enough: NDArray[np.bool_] = (lead >= how.margin) & (sure >= how.confidence)
    return enough


def attack(
    seen: PixelModel,
    images: NDArray[np.uint8],
    labels: Labels,
    sizes: NDArray[np.float64],
    how: Attack,
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
    if start is None and how.method == "pgd":
        change = _anywhere(origin.shape, sizes, how)
    steps = 1 if how.method == "fgsm" else how.steps
    stride = sizes if how.method == "fgsm" else sizes * how.reach / steps
    sign, count = (-1 if targeted else 1), 0
    active = np.arange(len(images))
    for step in range(steps + 1):
        kept = project(change[active], sizes[active], how.norm)
        # Inside 0 to 255 too: what gathers outside would have to be undone before anything moves again.
        change[active] = _inside(origin[active] + kept) - origin[active]
        now = settle(origin[active], change[active], sizes[active], how)
        if step == steps:
            logits = seen.logits(now)
        else:
            logits, gradient = seen.gradient(now, labels[active], cross_entropy)
            count += len(active)
        pictures[active] = now
        done = reached(logits, labels[active], targeted, how)
        fooled[active[done]] = True
        active = active[~done]
        if step == steps or not len(active):
            break
        along = _direction(sign * gradient[~done], how.norm)
        change[active] += along * _column(stride[active])
    return Attacked(pictures, fooled, sizes.copy(), np.zeros(len(images)), count)


def smallest(
    seen: PixelModel,
    images: NDArray[np.uint8],
    labels: Labels,
    most: float,
    how: Attack,
    targeted: bool = False,
) -> Attacked:
    """Each picture changed by the least size, up to `most`, at which the method fools the model.

    The size is doubled from the smallest until it is enough, then bisected: to a whole number where pixels
    are whole under "inf", elsewhere up to 2 %. The same method fails at `below`. Pictures that fool as they
    are have size 0; those that `most` does not suffice for come back changed by as much, not fooled.
    """
    integral = how.norm == "inf" and how.whole
    count = len(images)
    first = 1.0 if integral else most / 512
    top = float(int(most)) if integral else most
    low, high = np.zeros(count), np.full(count, min(first, top))
    already = reached(seen.logits(images), labels, targeted, how)
    found = Attacked(images.astype(np.float32), already, np.where(already, 0, top), low, 0)
    gradients, open_ = 0, np.flatnonzero(~already)
    while len(open_):
        tried = attack(seen, images[open_], labels[open_], high[open_], how, targeted)
        gradients += tried.gradients
        better = tried.fooled | ((high[open_] >= top) & ~found.fooled[open_])
        found.pictures[open_[better]] = tried.pictures[better]
        found.sizes[open_[better]] = high[open_[better]]
        found.fooled[open_] |= tried.fooled
        low[open_[~tried.fooled]] = high[open_[~tried.fooled]]
        least = np.where(found.fooled, found.sizes, np.inf)
        middle = (low + least) / 2
        high = np.where(found.fooled, np.floor(middle) if integral else middle, np.minimum(2 * low, top))
        ended = least <= low + 1 if integral else least <= PRECISION * low
        ended |= (low >= top) | (least <= most / 2**16)
        open_ = open_[~ended[open_]]
    return Attacked(found.pictures, found.fooled, found.sizes, low, gradients)


def project(change: Floats, sizes: NDArray[np.float64], norm: Norm) -> Floats:
    """The nearest changes inside the balls."""
    if norm == "inf":
        bound = _column(sizes)
        nearest: Floats = np.clip(change, -bound, bound)
        return nearest
    return change * _column(np.minimum(1, sizes / np.maximum(distance(change, norm), 1e-30)))


def settle(origin: Floats, change: Floats, sizes: NDArray[np.float64], how: Attack) -> Floats:
    """The pictures that these changes make: inside 0 to 255 and the ball, after rounding too."""
    if not how.whole:
        return _inside(origin + change)
    if how.norm == "inf":
        bound = _column(np.floor(sizes))
        return _inside(origin + np.clip(np.rint(change), -bound, bound))
    # Most of a change that is spread over many pixels is less than half a step at each, and would be
    # rounded away. So it is enlarged, until it is as large after rounding as it was: the largest remain.
    wanted = np.minimum(sizes, distance(np.clip(origin + change, 0, 255) - origin, "l2") * (1 + 1e-6))
    low, high = np.full(len(change), -4.0), np.full(len(change), 14.0)  # powers of two
    for _ in range(24):
        middle = (low + high) / 2
        fits = distance(_rounded(origin, change, middle) - origin, "l2") <= wanted
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    best = _rounded(origin, change, low)
    inside = distance(best - origin, "l2") <= wanted
    found: Floats = np.where(inside[:, None, None, None], best, origin)
    return found


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


def _anywhere(shape: tuple[int, ...], sizes: NDArray[np.float64], how: Attack) -> Floats:
    """Random changes inside the balls; each picture's the same, whichever others there are."""
    drawn = np.random.default_rng(how.seed).uniform(-1, 1, (1, *shape[1:])).astype(np.float32)
    one = drawn if how.norm == "inf" else _direction(drawn, "l2") * np.float32(0.5)
    every: Floats = np.repeat(one, shape[0], axis=0) * _column(sizes)
    return every


def _column(numbers: NDArray[Any]) -> Floats:
    column: Floats = numbers.astype(np.float32)[:, None, None, None]
    return column
