"""The pictures of a split as arrays, with their labels and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from residua.data.packed.texts import take_texts
from residua.data.pictures.selection import Images, Selection
from residua.errors import ShapeError


@dataclass(frozen=True, eq=False)
class Pictures:
    """One split, in memory or memory-mapped.

    images: (N, H, W, C) uint8; where they are a part of an array that is decoded as one, a `Selection` of it.
    labels: (N,) int64. names: what each picture is called, such as
    "cat/cat.0.jpg" or "data_batch_1[17]".
    """

    images: Images
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
        names = take_texts(self.names, chosen)
        return Pictures(self.images[chosen], self.labels[chosen], names)

    def select(self, indices: NDArray[np.int64]) -> Pictures:
        """As `take`, but copied only when they are asked for."""
        chosen = np.asarray(indices, dtype=np.int64)
        selected = select_images(self.images, chosen)
        names = take_texts(self.names, chosen)
        return Pictures(selected, self.labels[chosen], names)


def select_images(images: Images, indices: NDArray[np.int64]) -> Selection:
    """The pictures at these indices, copied only when they are asked for."""
    if isinstance(images, Selection):
        return Selection(images.base, images.rows[indices])
    return Selection(images, indices)


def join_images(parts: Sequence[Images]) -> Images:
    """The pictures of several splits as one array; where all are of one array, none is copied."""
    bases = [part.base for part in parts if isinstance(part, Selection)]
    if len(bases) == len(parts) and all(base is bases[0] for base in bases):
        return Selection(
            bases[0], np.concatenate([part.rows for part in parts if isinstance(part, Selection)])
        )
    return np.concatenate([np.asarray(part) for part in parts])
