"""Softmax, its cross-entropy loss, and how many rows are right."""

from __future__ import annotations

import numpy as np

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
    most = get(logits, row)
    for k in range(1, classes):
        value = get(logits, row + k)
        # A NaN is kept.
        if value > most or value != value:
            most = value
    total = np.float32(0)
    for k in range(classes):
        value = np.exp(get(logits, row + k) - most)
        put(target, k, value)
        total += value
    return most, total


def softmax(l0, l1, l2, l3, args, part, scratch):
    """Probabilities. Block: parts, rows, classes, logits, probabilities."""
    parts, count, classes = get_int(args, 0), get_int(args, 1), get_int(args, 2)
    logits, out = get_int(args, 3), get_int(args, 4)
    start, stop = part_of(count, part, parts)
    for n in range(start, stop):
        row = n * classes
        _, total = softmax_of(logits, row, classes, out + 4 * row)
        for k in range(classes):
            put(out, row + k, get(out, row + k) / total)


def cross_entropy(l0, l1, l2, l3, args, part, scratch):
    """dlogits, and every picture's loss as a double.

    Block: parts, rows, classes, logits, labels (int64), weights or 0, dlogits, losses; double: smoothing.
    """
    parts, count, classes = get_int(args, 0), get_int(args, 1), get_int(args, 2)
    logits, labels, weights = get_int(args, 3), get_int(args, 4), get_int(args, 5)
    dlogits, losses, smoothing = get_int(args, 6), get_int(args, 7), np.float32(get_double(args, 8))
    share = smoothing / np.float32(classes)
    start, stop = part_of(count, part, parts)
    for n in range(start, stop):
        row, label = n * classes, get_int(labels, n)
        most, total = softmax_of(logits, row, classes, dlogits + 4 * row)
        log_total = np.log(total)
        weight = np.float32(1)
        if weights != 0:
            weight = get(weights, n)
        loss = 0.0
        for k in range(classes):
            target = share + (np.float32(1) - smoothing if k == label else np.float32(0))
            # 0 times an infinite logarithm would be no number.
            if target != 0:
                loss -= np.float64(target) * np.float64(get(logits, row + k) - most - log_total)
            slope = get(dlogits, row + k) / total - target
            put(dlogits, row + k, slope / np.float32(count) * weight)
        put_double(losses, n, loss * np.float64(weight))


def mean(l0, l1, l2, l3, args, part, scratch):
    """The mean of doubles. Block: 1, how many, doubles, result."""
    doubles, total = get_int(args, 2), 0.0
    count = get_int(args, 1)
    for i in range(count):
        total += get_double(doubles, i)
    put(get_int(args, 3), 0, np.float32(total / count))


def count_correct(l0, l1, l2, l3, args, part, scratch):
    """How many rows have their first largest number at their label.

    Block: 1, rows, classes, logits, labels (int64), count (int64).
    """
    count, classes = get_int(args, 1), get_int(args, 2)
    logits, labels, right = get_int(args, 3), get_int(args, 4), 0
    for n in range(count):
        best, place = get(logits, n * classes), 0
        for k in range(1, classes):
            value = get(logits, n * classes + k)
            # What is no number counts as the largest, as NumPy has it.
            if best == best and (value > best or value != value):
                best, place = value, k
        right += place == get_int(labels, n)
    put_int(get_int(args, 5), 0, right)
