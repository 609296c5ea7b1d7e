"""The pictures of a split as arrays, with their labels and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from residua.errors import ShapeError


@dataclass(frozen=True, eq=False)
class Pictures:
    """One split, in memory or memory-mapped.

    images: (N, H, W, C) uint8. labels: (N,) int64. names: what each picture is called, such as
    "cat/cat.0.jpg" or "data_batch_1[17]".
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: Sequence[str]

    def __post_init__(self) -> None:
        if not len(self.images) == len(self.labels) == len(self.names):
            raise ShapeError(
                f"{len(self.images)} pictures with {len(self.labels)} labels and {len(self.names)} names."
            )

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: NDArray[np.int64] | Sequence[int]) -> Pictures:
        """The pictures at these indices, in this order, copied."""
        chosen = np.asarray(indices, dtype=np.int64)
        names = tuple(self.names[index] for index in chosen.tolist())
        return Pictures(self.images[chosen], self.labels[chosen], names)
