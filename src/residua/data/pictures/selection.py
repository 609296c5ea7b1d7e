"""Pictures chosen out of an array that may lie on disk: taken out when asked for, never all at once."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

Rows = NDArray[np.int64]


class Scattered(Protocol):
    """Pictures that do not lie in one array: (M, H, W, C), taken out by number, slice or array of numbers."""

    shape: tuple[int, ...]

    def __len__(self) -> int: ...

    def __getitem__(self, key: Any) -> Any: ...


Pixels = NDArray[np.uint8] | Scattered


class Selection(NDArrayOperatorsMixin):
    """Some pictures of an array, as an array of them would give them, without holding a copy of them.

    base: (M, H, W, C) uint8, perhaps memory-mapped or `Scattered`. rows: (N,) which of them, in order.
    Indexing by numbers, slices, arrays and masks copies what is asked for. So does everything else that
    arrays can do, such as `mean`, arithmetic and `np.asarray`, of all pictures.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, base: Pixels, rows: Rows) -> None:
        self.base, self.rows = base, np.asarray(rows, np.int64)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, H, W, C)."""
        return len(self.rows), *self.base.shape[1:]

    @property
    def size(self) -> int:
        """Numbers in all pictures."""
        count = 1
        for side in self.shape:
            count *= side
        return count

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        first, *rest = key if isinstance(key, tuple) else (key,)
        if first is Ellipsis or first is None:
            whole: NDArray[np.uint8] = np.asarray(self)[key]
            return whole
        chosen: NDArray[np.uint8] = np.asarray(self.base[self.rows[first]])
        if not rest:
            return chosen
        # What follows the first index counts from the pictures on, which one number takes away.
        inner = tuple(rest) if np.ndim(self.rows[first]) == 0 else (slice(None), *rest)
        part: NDArray[np.uint8] = chosen[inner]
        return part

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for row in self.rows.tolist():
            yield self.base[row]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("The pictures lie apart from each other: an array of them is a copy.")
        return np.asarray(self.base[self.rows], dtype)

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        arrays = (np.asarray(entry) if isinstance(entry, Selection) else entry for entry in inputs)
        return getattr(function, method)(*arrays, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("base", "rows"):  # the latter while it is unpickled
            raise AttributeError(name)
        return getattr(np.asarray(self), name)

    def window(self, top: int, left: int, height: int, width: int) -> Selection:
        """The same region of every picture, still not copied."""
        return Selection(self.base[:, top : top + height, left : left + width], self.rows)


Images = NDArray[np.uint8] | Selection


def release_pages(images: Images) -> None:
    """Give the pages of a mapped file back to the system, which reads them again when they are asked for."""
    base = images.base if isinstance(images, Selection) else images
    mapped: Any = getattr(base, "_mmap", None)
    # Of a file that is only read nothing can be lost.
    if isinstance(base, np.memmap) and base.mode == "r" and hasattr(mapped, "madvise"):
        mapped.madvise(mmap.MADV_DONTNEED)
