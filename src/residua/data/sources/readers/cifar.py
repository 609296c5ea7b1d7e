"""CIFAR's batches, as the publisher packs them: pickled for Python, or binary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.arrays import Pictures
from residua.data.sources.readers.labelled import FETCH_AGAIN, labelled_pictures, read_whole
from residua.errors import DataError
from residua.files.unpickle import load_plain

# CIFAR's folders and the batches in them; python batches carry file names, so they are preferred.
CIFAR_PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cifar-10-batches-py": (tuple(f"data_batch_{n}" for n in range(1, 6)), ("test_batch",)),
    "cifar-10-batches-bin": (tuple(f"data_batch_{n}.bin" for n in range(1, 6)), ("test_batch.bin",)),
    "cifar-100-python": (("train",), ("test",)),
    "cifar-100-binary": (("train.bin",), ("test.bin",)),
}


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
    content = load_plain(read_whole(path), name=str(path))
    if not isinstance(content, dict):
        raise DataError(f"{path} is not one of CIFAR's batches. {FETCH_AGAIN}")
    # Rewritten copies may have bytes as keys, where Python 3 once read and saved the original.
    content = {
        key.decode("latin-1") if isinstance(key, bytes) else key: value for key, value in content.items()
    }
    pixels: Any = content.get("data")
    labels: Any = content.get("fine_labels", content.get("labels"))
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise DataError(f"{path} holds no table of pixels under 'data'. {FETCH_AGAIN}")
    if not isinstance(labels, (list, np.ndarray)) or len(labels) != len(pixels):
        raise DataError(f"{path} holds no label for each of its {len(pixels)} pictures. {FETCH_AGAIN}")
    try:
        numbers = np.asarray(labels, dtype=np.int64)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{path} holds labels that are no numbers. {FETCH_AGAIN}") from None
    return labelled_pictures(_from_planes(pixels, path), numbers, classes, path, path.name)


def read_cifar_binary(path: Path, classes: int) -> Pictures:
    """Read one of CIFAR's binary batches: a label (for CIFAR-100 a coarse one before it), 3072 pixels."""
    label_bytes = 1 if classes == 10 else 2
    data = np.frombuffer(read_whole(path), np.uint8)
    record = label_bytes + 3072
    if data.size == 0 or data.size % record:
        raise DataError(f"{path} has {data.size} bytes, not a multiple of {record}. {FETCH_AGAIN}")
    table = data.reshape(-1, record)
    stem = path.name.removesuffix(".bin")
    return labelled_pictures(
        _from_planes(table[:, label_bytes:], path), table[:, label_bytes - 1], classes, path, stem
    )


def _from_planes(pixels: NDArray[np.uint8], path: Path) -> NDArray[np.uint8]:
    """Rows of 1024 red, 1024 green and 1024 blue values become (N, 32, 32, 3)."""
    if pixels.shape[1] != 3072:
        raise DataError(f"{path} holds pictures of {pixels.shape[1]} values, not 3072. {FETCH_AGAIN}")
    return np.ascontiguousarray(pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
