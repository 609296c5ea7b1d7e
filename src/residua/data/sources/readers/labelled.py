"""What the readers share: a file's bytes, and pictures whose labels are checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.arrays import Pictures
from residua.errors import DataError

MOST_BYTES = 2_000_000_000
FETCH_AGAIN = "Remove it and fetch it again."


def labelled_pictures(
    images: NDArray[np.uint8], labels: NDArray[Any], classes: int, path: Path, stem: str
) -> Pictures:
    """Make a split, refusing labels that are none of the classes."""
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        first = int(wrong[0])
        raise DataError(
            f"{path} gives picture {first} the label {int(labels[first])}; "
            f"the labels are 0 to {classes - 1}. {FETCH_AGAIN}"
        )
    names = tuple(f"{stem}[{index}]" for index in range(len(images)))
    return Pictures(images, labels.astype(np.int64), names)


def read_whole(path: Path) -> bytes:
    """The bytes of a file of at most 2 GB. Raises DataError."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path} is larger than {MOST_BYTES // 10**9} GB. {FETCH_AGAIN}")
        return path.read_bytes()
    except OSError as problem:
        raise DataError(f"Cannot read {path}: {problem.strerror or problem}. {FETCH_AGAIN}") from problem
