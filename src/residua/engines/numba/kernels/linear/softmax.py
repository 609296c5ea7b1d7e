"""Softmax, its cross-entropy loss, and how many rows are right."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.primitives.arguments import Double, reader
from residua.engines.numba.kernels.primitives.scalars import (
    get,
    get_double,
    get_int,
    part_of,
    put,
    put_double,
    put_int,
)
from residua.engines.numba.kernels.primitives.vector import inline


@inline
def softmax_of(logits, row, classes, target):
    """e^(logit - largest) of one row into `target`: the largest logit and the sum."""
    maximum = get(logits, row)
    for k in range(1, classes):
        value = get(logits, row + k)
        # A NaN is kept.
        if value > maximum or value != value:
            maximum = value
    total = np.float32(0)
    for k in range(classes):
        value = np.exp(get(logits, row + k) - maximum)
        put(target, k, value)
        total += value
    return maximum, total


class Softmax(NamedTuple):
    """What `softmax` is given."""

    parts: int
    rows: int
    classes: int
    logits: int
    probabilities: int


class CrossEntropy(NamedTuple):
    """What `cross_entropy` is given: labels as int64; weights, one a row, or 0; losses as doubles."""

    parts: int
    rows: int
    classes: int
    logits: int
    labels: int
    weights: int
    dlogits: int
    losses: int
    smoothing: Double


class Mean(NamedTuple):
    """What `mean` is given: how many doubles, and where they and the result lie."""

    parts: int
    numbers: int
    doubles: int
    result: int


class CountCorrect(NamedTuple):
    """What `count_correct` is given: labels, and where to put the number, as int64."""

    parts: int
    rows: int
    classes: int
    logits: int
    labels: int
    correct: int


_softmax, _cross_entropy, _mean, _count_correct = map(reader, (Softmax, CrossEntropy, Mean, CountCorrect))


def softmax(l0, l1, l2, l3, args, part, scratch):
    """Probabilities."""
    p = _softmax(args)
    classes, logits, out = p.classes, p.logits, p.probabilities
    start, stop = part_of(p.rows, part, p.parts)
    for n in range(start, stop):
        row = n * classes
        _, total = softmax_of(logits, row, classes, out + 4 * row)
        for k in range(classes):
            put(out, row + k, get(out, row + k) / total)


def cross_entropy(l0, l1, l2, l3, args, part, scratch):
    """dlogits, and every picture's loss as a double."""
    p = _cross_entropy(args)
    count, classes, logits, dlogits = p.rows, p.classes, p.logits, p.dlogits
    smoothing = np.float32(p.smoothing)
    share = smoothing / np.float32(classes)
    start, stop = part_of(p.rows, part, p.parts)
    for n in range(start, stop):
        row, label = n * classes, get_int(p.labels, n)
        maximum, total = softmax_of(logits, row, classes, dlogits + 4 * row)
        log_total = np.log(total)
        weight = np.float32(1)
        if p.weights != 0:
            weight = get(p.weights, n)
        loss = 0.0
        for k in range(classes):
            target = share + (np.float32(1) - smoothing if k == label else np.float32(0))
            # 0 times an infinite logarithm would be no number.
            if target != 0:
                loss -= np.float64(target) * np.float64(get(logits, row + k) - maximum - log_total)
            slope = get(dlogits, row + k) / total - target
            put(dlogits, row + k, slope / np.float32(count) * weight)
        put_double(p.losses, n, loss * np.float64(weight))


def mean(l0, l1, l2, l3, args, part, scratch):
    """The mean of doubles."""
    p, total = _mean(args), 0.0
    for i in range(p.numbers):
        total += get_double(p.doubles, i)
    put(p.result, 0, np.float32(total / p.numbers))


def count_correct(l0, l1, l2, l3, args, part, scratch):
    """How many rows have their first largest number at their label."""
    p, right = _count_correct(args), 0
    classes, logits = p.classes, p.logits
    for n in range(p.rows):
        maximum, index = get(logits, n * classes), 0
        for k in range(1, classes):
            value = get(logits, n * classes + k)
            # What is no number counts as the largest, as NumPy has it.
            if maximum == maximum and (value > maximum or value != value):
                maximum, index = value, k
        right += index == get_int(p.labels, n)
    put_int(p.correct, 0, right)
