"""The official file formats, read directly: idx (MNIST and its kin) and CIFAR's two kinds of batches."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.decoding import Pictures
from residua.errors import DataError
from residua.files.unpickle import load_plain

_MOST_BYTES = 2_000_000_000
_AGAIN = "Remove it and fetch it again."

# CIFAR's folders and the batches in them; python batches carry file names, so they are preferred.
CIFAR_PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cifar-10-batches-py": (tuple(f"data_batch_{n}" for n in range(1, 6)), ("test_batch",)),
    "cifar-10-batches-bin": (tuple(f"data_batch_{n}.bin" for n in range(1, 6)), ("test_batch.bin",)),
    "cifar-100-python": (("train",), ("test",)),
    "cifar-100-binary": (("train.bin",), ("test.bin",)),
}


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Read an idx file of unsigned bytes, compressed (.gz) or not.

    dimensions: 3 for pictures (N, H, W), 1 for labels (N,). The format is four bytes 0, 0, 8 and the
    number of dimensions, then each size as 32 bits, big end first, then the values.
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
                    f"(it starts with {header[:4].hex(' ') or 'nothing'}). {_AGAIN}"
                )
            shape = tuple(int.from_bytes(header[i : i + 4], "big") for i in range(4, len(header), 4))
            expected = math.prod(shape)
            if not 0 < expected <= _MOST_BYTES:
                raise DataError(f"{path} claims the impossible size {shape}. {_AGAIN}")
            values = stream.read(expected)
            if len(values) < expected:
                raise DataError(f"{path} ends after {len(values)} of {expected} values. {_AGAIN}")
            if stream.read(1):
                raise DataError(f"{path} goes on after its {expected} values. {_AGAIN}")
    except (OSError, EOFError, zlib.error) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise DataError(f"Cannot read {path}: {reason}. {_AGAIN}") from problem
    return np.frombuffer(values, np.uint8).reshape(shape)


def read_idx_pair(images_path: Path, labels_path: Path, classes: int, height: int, width: int) -> Pictures:
    """Read pictures and their labels from two idx files as one split of grey pictures."""
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if images.shape[1:] != (height, width):
        raise DataError(
            f"{images_path} holds pictures of {images.shape[1]}x{images.shape[2]}, "
            f"not {height}x{width}. {_AGAIN}"
        )
    if len(images) != len(labels):
        raise DataError(
            f"{images_path} holds {len(images)} pictures, {labels_path.name} {len(labels)} labels."
        )
    stem = images_path.name.split("-images", 1)[0]
    return _checked(images[..., None], labels, classes, labels_path, stem)


def read_cifar(folder: Path, part: str, classes: int) -> Pictures:
    """Read CIFAR's "training" or "test" batches from one of the folders that the publisher packs."""
    training, test = CIFAR_PARTS[folder.name]
    read = read_cifar_binary if folder.name.endswith(("-bin", "-binary")) else read_cifar_python
    pieces = [read(folder / name, classes) for name in (training if part == "training" else test)]
    if len(pieces) == 1:
        return pieces[0]
    return Pictures(
        np.concatenate([piece.images for piece in pieces]),
        np.concatenate([piece.labels for piece in pieces]),
        tuple(name for piece in pieces for name in piece.names),
    )


def read_cifar_python(path: Path, classes: int) -> Pictures:
    """Read one of CIFAR's pickled batches, without running it."""
    content = load_plain(_bytes_of(path), name=str(path))
    if not isinstance(content, dict):
        raise DataError(f"{path} is not one of CIFAR's batches. {_AGAIN}")
    # Rewritten copies may have bytes as keys, where Python 3 once read and saved the original.
    content = {key.decode() if isinstance(key, bytes) else key: value for key, value in content.items()}
    pixels: Any = content.get("data")
    labels: Any = content.get("fine_labels", content.get("labels"))
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise DataError(f"{path} holds no table of pixels under 'data'. {_AGAIN}")
    if not isinstance(labels, (list, np.ndarray)) or len(labels) != len(pixels):
        raise DataError(f"{path} holds no label for each of its {len(pixels)} pictures. {_AGAIN}")
    try:
        numbers = np.asarray(labels, dtype=np.int64)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{path} holds labels that are no numbers. {_AGAIN}") from None
    return _checked(_from_planes(pixels, path), numbers, classes, path, path.name)


def read_cifar_binary(path: Path, classes: int) -> Pictures:
    """Read one of CIFAR's binary batches: a label (for CIFAR-100 a coarse one before it), 3072 pixels."""
    label_bytes = 1 if classes == 10 else 2
    data = np.frombuffer(_bytes_of(path), np.uint8)
    record = label_bytes + 3072
    if data.size == 0 or data.size % record:
        raise DataError(f"{path} has {data.size} bytes, not a multiple of {record}. {_AGAIN}")
    table = data.reshape(-1, record)
    stem = path.name.removesuffix(".bin")
    return _checked(
        _from_planes(table[:, label_bytes:], path), table[:, label_bytes - 1], classes, path, stem
    )


def _from_planes(pixels: NDArray[np.uint8], path: Path) -> NDArray[np.uint8]:
    """Rows of 1024 red, 1024 green and 1024 blue values become (N, 32, 32, 3)."""
    if pixels.shape[1] != 3072:
        raise DataError(f"{path} holds pictures of {pixels.shape[1]} values, not 3072. {_AGAIN}")
    return np.ascontiguousarray(pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def _checked(
    images: NDArray[np.uint8], labels: NDArray[Any], classes: int, path: Path, stem: str
) -> Pictures:
    """Make a split, refusing labels that are none of the classes."""
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        first = int(wrong[0])
        raise DataError(
            f"{path} gives picture {first} the label {int(labels[first])}; "
            f"the labels are 0 to {classes - 1}. {_AGAIN}"
        )
    names = tuple(f"{stem}[{index}]" for index in range(len(images)))
    return Pictures(images, labels.astype(np.int64), names)


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path} is larger than {_MOST_BYTES // 10**9} GB. {_AGAIN}")
        return path.read_bytes()
    except OSError as problem:
        raise DataError(f"Cannot read {path}: {problem.strerror or problem}. {_AGAIN}") from problem
