"""What a check would find in a data set of twelve small pictures."""

from __future__ import annotations

from collections import Counter

import numpy as np

from residua.data.pictures.arrays import Pictures
from residua.data.quality.findings import Alike, Copies, Findings


def findings(pairs=(), **changes):
    """Two classes in three splits of four pictures; pairs: indices of pictures that are the same."""
    labels = np.array([0, 1, 0, 1])
    images = np.zeros((4, 6, 5, 3), np.uint8)
    splits = {
        split: Pictures(images, labels, tuple(f"{split}-{n}" for n in range(4)))
        for split in ("train", "validation", "test")
    }
    first, second = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    doubts = np.flatnonzero(first % 2 != second % 2)
    across = {("train", "test"): len(pairs)}
    exact = Copies(Alike(first, second, np.ones(len(pairs))), across, 2 * len(pairs), doubts)
    values = {
        "data": "some/pics", "title": "Pictures", "classes": ("blue", "red"),
        "counts": dict.fromkeys(splits, (2, 2)), "shape": (6, 5, 3), "sizes": Counter({(5, 6): 12}),
        "modes": Counter({"RGB": 12}), "bad": (), "exact": exact, "near": None, "compared": 12,
        "torn": (), "groups": 0, "group": "", "splits": splits,
    }  # fmt: skip
    return Findings(**(values | changes))
