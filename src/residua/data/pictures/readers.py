"""Several processes that read one data set together: each its own part of the files, and all know all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from residua.errors import DataError

T = TypeVar("T")


class Readers(Protocol):
    """This process, `rank` of `size`, among those that read with it.

    All do the same in the same order. disks: for each process the first of those on whose disk its cache is.
    """

    rank: int
    size: int
    disks: Sequence[int]

    def tell(self, own: bytes) -> list[bytes]:
        """What each process tells all. Raises DataError, in all of them, where one has failed."""
        ...

    def serve(self, images: NDArray[np.uint8]) -> int:
        """Let the others fetch these pictures; the number by which all know what each of them serves."""
        ...

    def fetch(self, rank: int, number: int, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Pictures out of what another process serves under that number."""
        ...


class Alone:
    """A process that reads all by itself."""

    rank, size = 0, 1
    disks: Sequence[int] = (0,)

    def tell(self, own: bytes) -> list[bytes]:
        """Nobody else says anything."""
        return [own]

    def serve(self, images: NDArray[np.uint8]) -> int:
        """Nobody asks for pictures."""
        raise NotImplementedError

    def fetch(self, rank: int, number: int, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Nobody else has any."""
        raise NotImplementedError


ALONE = Alone()


def tell_document(readers: Readers, own: Any) -> list[Any]:
    """As `tell`, of what JSON can say."""
    return [json.loads(text) for text in readers.tell(json.dumps(own).encode())]


def each(readers: Readers, items: Sequence[T], work: Callable[[T], Any]) -> Iterator[Any]:
    """What `work` makes of every item, in order, of each in one process alone; one by one where it can be.

    Its results are plain JSON types.
    """
    if readers.size == 1:
        yield from map(work, items)
        return
    parts = tell_document(readers, [work(item) for item in items[readers.rank :: readers.size]])
    for place in range(len(items)):
        own, number = parts[place % readers.size], place // readers.size
        yield own[number]
        own[number] = None


def check_alike(readers: Readers, what: str, own: dict[str, Any]) -> None:
    """Raise DataError where a process finds something else than the first."""
    if readers.size == 1:
        return
    every = tell_document(readers, own)
    for rank, other in enumerate(every):
        if other != every[0]:
            key = next(key for key in every[0] | other if every[0].get(key) != other.get(key))
            here, there = (str(found.get(key, "not there")) for found in (every[0], other))
            raise DataError(
                f"rank {rank} finds {what} other than rank 0: {key} is {there} for it and {here} for rank 0; "
                "bring the same files to every machine, whole"
            )


def check_names(readers: Readers, names: Sequence[str]) -> None:
    """Raise DataError where a process finds other pictures than the first, naming one of them."""
    if readers.size == 1:
        return
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode(errors="surrogateescape") + b"\0")
    told = readers.tell(digest.digest())
    if len(set(told)) == 1:
        return
    every = tell_document(readers, list(names))
    rank = next(rank for rank, other in enumerate(told) if other != told[0])
    first, other = set(every[0]), set(every[rank])
    lacking, more = sorted(first - other), sorted(other - first)
    what = f"{lacking[0]} is not among them" if lacking else f"{(more or every[rank])[0]} is among them"
    raise DataError(
        f"rank {rank} finds pictures other than rank 0: {what}; bring the same files to every machine"
    )
