"""How much pictures and classes count: sample_weight and class_weight, checked and joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config.plain import plain
from residua.errors import ConfigError, DataError, ShapeError

Weights = NDArray[np.float64]


def sample_weights(weights: Any, count: int) -> Weights | None:
    """(N,) numbers of 0 and more, None where none were given; one number counts for all.

    Raises ShapeError for another length, DataError for NaN, infinity, negative numbers or nothing but zeros.
    """
    if weights is None:
        return None
    try:
        array = np.asarray(weights, np.float64)
    except (TypeError, ValueError):
        raise DataError("sample_weight takes a number for each picture") from None
    if array.ndim == 0:
        array = np.full(count, float(array))
    if array.shape != (count,):
        raise ShapeError(
            f"sample_weight.shape == {array.shape}, expected ({count},)! Sample weights must be 1D array or "
            "scalar"
        )
    if not np.isfinite(array).all() or (array < 0).any():
        row = int(np.flatnonzero(~(np.isfinite(array) & (array >= 0)))[0])
        raise DataError(
            f"sample_weight takes numbers of 0 and more; Negative values, NaN or infinity: row {row}"
        )
    if not array.any():
        raise DataError("sample_weight holds nothing but zeros: no picture would count")
    return array


def class_weights(
    weights: Any, classes: NDArray[Any], labels: NDArray[np.int64], samples: Weights | None
) -> Weights | None:
    """(classes,) how much each counts; None where all count the same.

    weights: None; "balanced", inverse to how many pictures a class has (their sample weights, summed); or a
    dictionary by label, where a class that it leaves out counts 1. Raises ConfigError.
    """
    weights = plain(weights)
    if weights is None:
        return None
    if weights == "balanced":
        counts = np.bincount(labels, samples, minlength=len(classes))
        return np.asarray(counts.sum() / (len(classes) * np.maximum(counts, np.finfo(np.float64).tiny)))
    if not isinstance(weights, Mapping):
        raise ConfigError(
            f"class_weight takes None, 'balanced' or a dictionary by label; it was given {weights!r}"
        )
    known = {plain(label): place for place, label in enumerate(classes)}
    result = np.ones(len(classes))
    for label, weight in weights.items():
        if plain(label) not in known:
            names = ", ".join(repr(name) for name in list(known)[:6])
            raise ConfigError(f"class_weight names {label!r}, which is no label in y; they are {names}")
        number = plain(weight)
        if not isinstance(number, int | float) or isinstance(number, bool) or not 0 <= number < float("inf"):
            raise ConfigError(f"class_weight takes numbers of 0 and more; {label!r} has {weight!r}")
        result[known[plain(label)]] = number
    return result


def joined_weights(
    classes: Weights | None, labels: NDArray[np.int64], samples: Weights | None
) -> Weights | None:
    """(N,) how much each picture counts; None where all count the same."""
    if classes is None:
        return samples
    of_classes = classes[labels]
    return of_classes if samples is None else of_classes * samples
