"""Kaggle's MNIST: tables with one picture a line, label,pixel0,...,pixel783, or without the label."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.arrays import Pictures
from residua.errors import DataError
from residua.files.regular import what_it_is


def is_pixel_table(path: Path) -> bool:
    """Whether a file's first line names pixels, with a label before them or not."""
    try:
        if what_it_is(path):
            return False
        with path.open("rb") as stream:
            start = stream.read(20).removeprefix(b"\xef\xbb\xbf").replace(b'"', b"")
    except OSError:
        return False
    return start.startswith((b"label,pixel0,", b"pixel0,"))


def read_pixel_table(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64] | None]:
    """(N, H, W, 1) uint8 pictures, square, and (N,) labels, None where the table has none.

    Raises DataError for another first line, and for a line that is too short, too long or no numbers
    from 0 to 255.
    """
    try:
        with path.open(encoding="utf-8-sig") as stream:
            header = [cell.strip().strip('"') for cell in stream.readline().split(",")]
            labelled = header[:1] == ["label"]
            count = len(header) - labelled
            side = math.isqrt(count)
            pixels = [f"pixel{number}" for number in range(count)]
            if not count or side * side != count or header[labelled:] != pixels:
                raise DataError(
                    f"{path} needs a first line label,pixel0,...,pixel783, or the same without label; it "
                    f"starts with {','.join(header)[:60]!r}."
                )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of an empty table; told below
                table = np.loadtxt(stream, np.uint8, delimiter=",", ndmin=2, comments=None)
    except OSError as problem:
        raise DataError(f"Cannot read {path}: {problem.strerror or problem}.") from problem
    except UnicodeDecodeError:
        raise DataError(f"{path} is no table in UTF-8; fetch it again.") from None
    except ValueError as problem:
        if isinstance(problem, DataError):
            raise
        reason = str(problem).split(";")[0].rstrip(".")
        raise DataError(f"{path} holds what is no line of pixels from 0 to 255 ({reason}).") from None
    if not len(table):
        raise DataError(f"{path} holds no pictures after its first line.")
    if table.shape[1] != len(header):
        raise DataError(
            f"{path} has lines of {table.shape[1]} cells, its first line {len(header)}; fetch it again."
        )
    images = np.ascontiguousarray(table[:, labelled:]).reshape(-1, side, side, 1)
    return images, table[:, 0].astype(np.int64) if labelled else None


def read_labelled_table(path: Path, classes: int, side: int) -> Pictures:
    """A table with labels as one split. Raises DataError where labels are missing or too large."""
    images, labels = read_pixel_table(path)
    if labels is None:
        raise DataError(
            f"{path} has no column label: it is the table for `residua predict`, not for training."
        )
    if images.shape[1] != side:
        raise DataError(f"{path} holds pictures of {images.shape[1]}x{images.shape[1]}, not {side}x{side}.")
    wrong = np.flatnonzero(labels >= classes)
    if wrong.size:
        raise DataError(
            f"{path} line {int(wrong[0]) + 2} has the label {int(labels[wrong[0]])}; "
            f"they are 0 to {classes - 1}."
        )
    return Pictures(images, labels, tuple(f"{path.stem}[{index}]" for index in range(len(labels))))
