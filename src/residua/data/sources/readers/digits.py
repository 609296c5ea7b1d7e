"""scikit-learn's handwritten digits."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.arrays import Pictures


def read_digits() -> Pictures:
    """scikit-learn's digits, whose pixels count 0 to 16, as uint8."""
    pixels, labels = _read_table()
    images = np.rint(pixels.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)[..., None]
    names = tuple(f"digits[{index}]" for index in range(len(images)))
    return Pictures(images, labels.astype(np.int64), names)


def _read_table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N, 64) pixels and (N) labels, from a file in scikit-learn's package, which takes a second to load."""
    package = find_spec("sklearn")
    if package is not None and package.origin is not None:
        table = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
        if table.is_file():
            numbers = np.loadtxt(table, delimiter=",")
            return numbers[:, :-1], numbers[:, -1]
    from sklearn.datasets import load_digits  # wherever another version keeps them

    digits = load_digits()
    return digits.data, digits.target
