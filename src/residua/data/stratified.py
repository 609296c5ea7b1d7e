"""A split in which every class gives its share: the one that scikit-learn's `train_test_split` draws.

Loading scikit-learn, with the SciPy that it stands on, takes longer than most other things before an epoch.
Runs are repeated by their seed, and were first made with its split: this one is the same, picture by picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def stratify(labels: NDArray[np.int64], count: int, seed: int) -> tuple[Indices, Indices]:
    """Indices kept and indices held out, `count` of them, each in ascending order.

    Every class must have two pictures, and each side room for one of every class. seed: below 2**32.
    """
    # The generator whose numbers made the first splits, and that NumPy promises never to change.
    random = np.random.RandomState(seed)
    _, numbers, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    kept = _shares(sizes, len(labels) - count, random)
    held_out = _shares(sizes - kept, count, random)
    ends = np.cumsum(sizes)
    members = np.argsort(numbers, kind="stable")
    chosen = []
    for start, end, first, amount in zip(ends - sizes, ends, kept, held_out, strict=True):
        shuffled = members[start:end][random.permutation(end - start)]
        chosen.append(shuffled[first : first + amount])
    out = np.zeros(len(labels), bool)
    out[np.concatenate(chosen)] = True
    return np.flatnonzero(~out), np.flatnonzero(out)


def _shares(sizes: Indices, count: int, random: np.random.RandomState) -> Indices:
    """How many of `count` each class gives: by its size, rounded by largest remainder, equal ones by lot."""
    exact = sizes / sizes.sum() * count
    shares = np.floor(exact)
    remainders = exact - shares
    missing = int(count - shares.sum())
    for remainder in np.unique(remainders)[::-1]:
        if missing == 0:  # drawing none of them would still use up random numbers
            break
        equal = np.flatnonzero(remainders == remainder)
        drawn = random.choice(equal, size=min(len(equal), missing), replace=False)
        shares[drawn] += 1
        missing -= len(drawn)
    whole: Indices = shares.astype(np.int64)
    return whole
