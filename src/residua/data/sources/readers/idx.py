"""The idx format of MNIST and its kin, compressed or not."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.arrays import Pictures
from residua.data.sources.readers.labelled import FETCH_AGAIN, MOST_BYTES, labelled_pictures
from residua.errors import DataError

MOST_ITEMS = 1_000_000  # pictures or labels of one file; MNIST has 60,000
LARGEST_SIDE = 256


def read_idx(path: Path, dimensions: int, sides: tuple[int, ...] = ()) -> NDArray[np.uint8]:
    """Read an idx file of unsigned bytes, compressed (.gz) or not.

    dimensions: 3 for pictures (N, H, W), 1 for labels (N,). sides: the height and width that pictures must
    have: an archive of some kilobytes may claim gigabytes, and hold them. The format is four bytes 0, 0, 8
    and the number of dimensions, then each size as 32 bits, big end first, then the values.
    Raises DataError for another kind of file, missing or left-over bytes, or a damaged archive.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            header = stream.read(4 + 4 * dimensions)
            if header[:2] == b"\x1f\x8b":
                raise DataError(f"{path} is compressed; give its name the ending .gz.")
            if len(header) < 4 + 4 * dimensions or header[:4] != bytes((0, 0, 8, dimensions)):
                raise DataError(
                    f"{path} is not an idx file of {dimensions}-dimensional bytes "
                    f"(it starts with {header[:4].hex(' ') or 'nothing'}). {FETCH_AGAIN}"
                )
            shape = tuple(int.from_bytes(header[i : i + 4], "big") for i in range(4, len(header), 4))
            expected = math.prod(shape)
            if sides and shape[1:] != sides:
                raise DataError(
                    f"{path} holds pictures of {'x'.join(map(str, shape[1:]))}, not "
                    f"{'x'.join(map(str, sides))}. {FETCH_AGAIN}"
                )
            if (
                not 0 < expected <= MOST_BYTES
                or shape[0] > MOST_ITEMS
                or max(shape[1:], default=1) > LARGEST_SIDE
            ):
                raise DataError(f"{path} claims the impossible size {shape}. {FETCH_AGAIN}")
            values = stream.read(expected)
            if len(values) < expected:
                raise DataError(f"{path} ends after {len(values)} of {expected} values. {FETCH_AGAIN}")
            if stream.read(1):
                raise DataError(f"{path} goes on after its {expected} values. {FETCH_AGAIN}")
    except (OSError, EOFError, zlib.error) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise DataError(f"Cannot read {path}: {reason}. {FETCH_AGAIN}") from problem
    return np.frombuffer(values, np.uint8).reshape(shape)


def read_idx_pair(images_path: Path, labels_path: Path, classes: int, height: int, width: int) -> Pictures:
    """Read pictures and their labels from two idx files as one split of grey pictures."""
    images, labels = read_idx(images_path, 3, (height, width)), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise DataError(
            f"{images_path} holds {len(images)} pictures, {labels_path.name} {len(labels)} labels."
        )
    stem = images_path.name.split("-images", 1)[0]
    return labelled_pictures(images[..., None], labels, classes, labels_path, stem)
