"""Pictures of which every process of a job has read a part: what another one has is fetched from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.readers import Readers
from residua.data.pictures.selection import Images, Rows, Selection


class Spread:
    """Pictures that several processes hold, each some of them: fetched from whoever has them.

    own: (K, H, W, C) uint8, what this process holds. owners: (M,) which process has decoded a picture.
    holders, places: (M,) from which process it is had, and where among what that one holds.
    """

    def __init__(
        self, readers: Readers, own: NDArray[np.uint8], owners: Rows, holders: Rows, places: Rows
    ) -> None:
        self.readers, self.own = readers, own
        self.owners, self.holders, self.places = owners, holders, places
        self.number = readers.serve(own)
        self.shape: tuple[int, ...] = (len(holders), *own.shape[1:])
        self._cut: tuple[slice, slice] = (slice(None), slice(None))

    def __len__(self) -> int:
        return len(self.holders)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):  # a region of every picture
            every, down, across = key
            assert every == slice(None)
            part = object.__new__(Spread)
            part.__dict__.update(self.__dict__, _cut=(down, across))
            part.shape = (len(self), *self.own[:0, down, across].shape[1:])
            return part
        whole = isinstance(key, slice) or np.asarray(key).dtype == bool
        rows = np.atleast_1d(np.arange(len(self))[key] if whole else np.asarray(key, np.int64))
        result = np.empty((len(rows), *self.shape[1:]), np.uint8)
        holders = self.holders[rows]
        for rank in np.unique(holders).tolist():
            chosen = np.flatnonzero(holders == rank)
            places = self.places[rows[chosen]]
            own = rank == self.readers.rank
            found = self.own[places] if own else self.readers.fetch(rank, self.number, places)
            result[chosen] = found[:, *self._cut]
        return result[0] if np.ndim(key) == 0 and not isinstance(key, slice) else result


def each_own(images: Images, work: Callable[[Images], NDArray[Any]]) -> list[NDArray[Any]]:
    """What `work` makes of the pictures that each process has read: of all in one part, where one has all.

    All processes call it together.
    """
    if not (isinstance(images, Selection) and isinstance(images.base, Spread)):
        return [work(images)]
    spread = images.base
    readers = spread.readers
    mine = work(Selection(spread, images.rows[spread.owners[images.rows] == readers.rank]))
    told = readers.tell(np.ascontiguousarray(mine).tobytes())
    return [np.frombuffer(part, mine.dtype).reshape(-1, *mine.shape[1:]) for part in told]


def is_spread(images: Images) -> bool:
    """Whether several processes hold them."""
    return isinstance(images, Selection) and isinstance(images.base, Spread)
