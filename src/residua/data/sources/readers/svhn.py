"""SVHN's cropped digits, as the publisher packs them for MATLAB."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from residua.data.pictures.arrays import Pictures
from residua.data.sources.readers.labelled import FETCH_AGAIN
from residua.data.sources.readers.matlab import read_matlab
from residua.errors import DataError


def read_svhn(path: Path) -> Pictures:
    """Read SVHN's cropped digits: X (32, 32, 3, N) uint8, y (N,) from 1 to 10, where 10 is the digit 0.

    Netzer et al. 2011, Reading Digits in Natural Images with Unsupervised Feature Learning.
    """
    content = read_matlab(path)
    pixels, labels = content.get("X"), content.get("y")
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[:3] != (32, 32, 3):
        raise DataError(f"{path} holds no pictures X of 32 x 32 x 3 x N bytes. {FETCH_AGAIN}")
    if pixels.ndim == 3:  # a single one
        pixels = pixels[..., None]
    numbers = np.atleast_1d(np.asarray(labels))
    if numbers.dtype.kind not in "iuf" or numbers.shape != (pixels.shape[3],):
        raise DataError(f"{path} holds no label y for each of its {pixels.shape[3]} pictures. {FETCH_AGAIN}")
    wrong = np.flatnonzero(~((numbers >= 1) & (numbers <= 10) & (numbers % 1 == 0)))  # NaN is none either
    if wrong.size:
        first = int(wrong[0])
        raise DataError(
            f"{path} gives picture {first} the label {numbers[first]}; the labels are 1 to 10. {FETCH_AGAIN}"
        )
    stem = path.name.partition("_")[0]
    names = tuple(f"{stem}[{index}]" for index in range(len(numbers)))
    return Pictures(
        np.ascontiguousarray(pixels.transpose(3, 0, 1, 2)), (numbers % 10).astype(np.int64), names
    )
