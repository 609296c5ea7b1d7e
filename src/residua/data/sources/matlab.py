"""MATLAB's .mat files (version 5), as SVHN and ImageNet's devkit come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from residua.data.pictures.decoding import Pictures
from residua.errors import DataError

_AGAIN = "Remove it and fetch it again."


def read_matlab(path: Path) -> dict[str, Any]:
    """The variables of a .mat file, without needless dimensions. Raises DataError."""
    from scipy.io import loadmat  # comes with scikit-learn

    try:
        found: dict[str, Any] = loadmat(path, squeeze_me=True, chars_as_strings=True)
    except OSError as problem:
        raise DataError(f"Cannot read {path}: {problem.strerror or problem}. {_AGAIN}") from None
    except NotImplementedError:
        raise DataError(f"{path} is of MATLAB 7.3; the published file is of version 5. {_AGAIN}") from None
    except (
        Exception
    ) as problem:  # damaged bytes end in a dozen kinds of errors, struct's and zlib's among them
        reason = " ".join(str(problem).split())[:120] or type(problem).__name__
        raise DataError(f"{path} is damaged or no .mat file ({reason}). {_AGAIN}") from None
    return found


def read_svhn(path: Path) -> Pictures:
    """Read SVHN's cropped digits: X (32, 32, 3, N) uint8, y (N,) from 1 to 10, where 10 is the digit 0.

    Netzer et al. 2011, Reading Digits in Natural Images with Unsupervised Feature Learning.
    """
    content = read_matlab(path)
    pixels, labels = content.get("X"), content.get("y")
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[:3] != (32, 32, 3):
        raise DataError(f"{path} holds no pictures X of 32 x 32 x 3 x N bytes. {_AGAIN}")
    if pixels.ndim == 3:  # a single one
        pixels = pixels[..., None]
    numbers = np.atleast_1d(np.asarray(labels))
    if numbers.dtype.kind not in "iuf" or numbers.shape != (pixels.shape[3],):
        raise DataError(f"{path} holds no label y for each of its {pixels.shape[3]} pictures. {_AGAIN}")
    wrong = np.flatnonzero((numbers < 1) | (numbers > 10))
    if wrong.size:
        first = int(wrong[0])
        raise DataError(
            f"{path} gives picture {first} the label {numbers[first]}; the labels are 1 to 10. {_AGAIN}"
        )
    stem = path.name.partition("_")[0]
    names = tuple(f"{stem}[{index}]" for index in range(len(numbers)))
    return Pictures(
        np.ascontiguousarray(pixels.transpose(3, 0, 1, 2)), (numbers % 10).astype(np.int64), names
    )
