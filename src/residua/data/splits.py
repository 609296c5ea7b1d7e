"""Dividing pictures: by seed, each class in proportion, each group on one side."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from residua.data.stratified import stratify
from residua.errors import ConfigError, DataError

Indices = NDArray[np.int64]


def held_out_count(amount: float, total: int, option: str) -> int:
    """How many of `total` pictures an option asks to hold out: a share below 1, or a number.

    Raises ConfigError for what is neither, or would leave nothing to train on.
    """
    if not math.isfinite(amount) or amount < 0 or (amount >= 1 and amount != int(amount)):
        raise ConfigError(
            f"--{option} must be a share below 1 or a whole number of pictures, not {amount:g}."
        )
    count = int(amount) if amount >= 1 else round(amount * total)
    if amount > 0:
        count = max(count, 1)
    if count >= total:
        raise ConfigError(f"--{option} {amount:g} would hold out all {total} pictures; ask for fewer.")
    return count


def hold_out(
    labels: NDArray[np.int64],
    count: int,
    seed: int,
    classes: Sequence[str],
    *,
    option: str,
    groups: Sequence[str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Indices, Indices]:
    """Divide indices 0 to N-1 into those kept and those held out, each in ascending order.

    Stratified: every class gives its share. With `groups` (one name per picture) no group is on both
    sides, and the count is met as nearly as the groups allow. A class with a single picture, or a count
    below the number of classes, is mended and said. Raises DataError where no such division exists.
    """
    if count == 0:
        return np.arange(len(labels)), np.arange(0)
    seed %= 2**32  # what scikit-learn and NumPy take
    if groups is not None:
        return _by_group(labels, count, seed, classes, groups, option)
    numbers, sizes = np.unique(labels, return_counts=True)
    lonely = numbers[sizes < 2]
    if lonely.size:
        names = ", ".join(repr(classes[number]) for number in lonely[:5])
        say(f"{names}: one picture alone cannot be divided; it stays in training, --{option} has none.")
    shared = np.flatnonzero(~np.isin(labels, lonely))
    kinds = len(numbers) - len(lonely)
    if kinds == 0:
        raise DataError(f"--{option} needs classes with at least two pictures each; add some.")
    if count < kinds:
        say(f"--{option} holds out {kinds} pictures instead of {count}: one of each class.")
        count = kinds
    if len(shared) - count < kinds:
        raise DataError(
            f"{len(shared)} pictures in {kinds} classes are too few to hold out {count} "
            f"with --{option}; add some."
        )
    kept, held_out = (shared[side] for side in stratify(labels[shared], count, seed))
    kept = np.concatenate([kept, np.flatnonzero(np.isin(labels, lonely))])
    return np.sort(kept).astype(np.int64), held_out.astype(np.int64)


def _by_group(
    labels: NDArray[np.int64],
    count: int,
    seed: int,
    classes: Sequence[str],
    groups: Sequence[str],
    option: str,
) -> tuple[Indices, Indices]:
    from sklearn.model_selection import StratifiedGroupKFold

    different = len(set(groups))
    if different < 2:
        raise DataError(f"All pictures are of one group; --{option} cannot hold out a part of it.")
    share = min(count / len(labels), 0.5)
    folds = min(max(round(1 / share), 2), different)
    # scikit-learn wants as many members of the largest class as there are folds.
    folds = min(folds, int(np.bincount(labels).max()))
    if folds < 2:
        raise DataError(f"--{option} needs classes with at least two pictures each; add some.")
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about classes smaller than the number of folds
        candidates = list(splitter.split(np.zeros(len(labels)), labels, list(groups)))
    # Some fold must leave every class something to train on; among those, the nearest in size.
    present = set(labels.tolist())
    usable = [
        (kept, held_out)
        for kept, held_out in candidates
        if set(labels[kept].tolist()) == present and len(held_out)
    ]
    if not usable:
        missing = present - set(labels[candidates[0][0]].tolist())
        name = classes[min(missing)] if missing else ""
        raise DataError(
            f"Class {name!r} lies in a single group, so --{option} would take all of it; add groups to it."
        )
    kept, held_out = min(usable, key=lambda pair: abs(len(pair[1]) - count))
    return np.sort(kept).astype(np.int64), np.sort(held_out).astype(np.int64)
