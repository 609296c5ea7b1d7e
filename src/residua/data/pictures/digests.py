"""SHA-256 of pictures by the million: 32 bytes each, as text only when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from residua.data.packed.texts import Paths

Rows = NDArray[np.int64]
BYTES = 32


class Digests(Sequence[str]):
    """The digests of so many pictures, as they become known. known: (N,) which are."""

    def __init__(self, count: int) -> None:
        self.raw = np.zeros((count, BYTES), np.uint8)
        self.known = np.zeros(count, bool)

    def put(self, rows: Rows, raw: bytes) -> None:
        """The digests of these, one after the other."""
        self.raw[rows] = np.frombuffer(raw, np.uint8).reshape(-1, BYTES)
        self.known[rows] = True

    def take(self, rows: Rows) -> Digests:
        """Those in these rows."""
        part = Digests(0)
        part.raw, part.known = self.raw[rows], self.known[rows]
        return part

    def equal(self, rows: Rows) -> list[list[int]]:
        """Those of the rows whose digests are equal, two or more at a time, by the first of each."""
        keys = np.ascontiguousarray(self.raw[rows]).view(">u8")
        order = np.lexsort(keys.T[::-1])  # stable: rows of one digest stay in order
        same = (keys[order[1:]] == keys[order[:-1]]).all(axis=1)
        starts = np.flatnonzero(same & ~np.concatenate([[False], same[:-1]]))
        groups = []
        for start in starts.tolist():
            end = start + 1
            while end < len(order) and same[end - 1]:
                end += 1
            groups.append(rows[order[start:end]].tolist())
        return sorted(groups)

    def __len__(self) -> int:
        return len(self.raw)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [row.tobytes().hex() for row in self.raw[index]]
        text: str = self.raw[index].tobytes().hex()
        return text


def take_paths(paths: Sequence[Path], rows: Rows) -> Sequence[Path]:
    """Those of the paths in these rows."""
    return paths.take(rows) if isinstance(paths, Paths) else [paths[row] for row in rows.tolist()]
