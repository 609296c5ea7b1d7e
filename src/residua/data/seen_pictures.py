"""Which pictures a model has seen: a few bytes of each, by which they are known again wherever they lie."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.cores import available_cores
from residua.data.pictures.selection import Images
from residua.data.pictures.spread import each_own

Digests = NDArray[np.uint64]

# Of a digest. Of 4 bytes, one of 10,000 other pictures would be taken for one of 50,000 in every ninth case.
BYTES = 6
MOST = 500_000  # pictures, above which a model file keeps none of them: they would take 4 MB of it
CHUNK = 2**24  # bytes of pixels that are hashed by a thread at a time
NONE: Digests = np.zeros(0, np.uint64)


@dataclass(frozen=True, eq=False)
class SeenPictures:
    """The pictures that a model was trained on, and those that chose its best epoch.

    train, validation: digests of their pixels, sorted, each once.
    """

    train: Digests
    validation: Digests

    @classmethod
    def of(cls, train: Images, validation: Images | None) -> SeenPictures | None:
        """The record of two splits (N, H, W, C); None where they are too many to be kept."""
        if len(train) + (0 if validation is None else len(validation)) > MOST:
            return None
        first, second = (NONE if part is None else _unique(part) for part in (train, validation))
        return cls(first, second)

    def __or__(self, other: SeenPictures) -> SeenPictures:
        """What either has seen."""
        return SeenPictures(
            np.union1d(self.train, other.train), np.union1d(self.validation, other.validation)
        )

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SeenPictures)
            and np.array_equal(self.train, other.train)
            and np.array_equal(self.validation, other.validation)
        )

    def __len__(self) -> int:
        return len(self.train) + len(self.validation)

    def find(self, images: Images) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which of (N, H, W, C) pictures it was trained on, and which of the others chose it: (N,) each."""
        return self.known(picture_digests(images))

    def known(self, digests: Digests) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """As `find`, of `picture_digests`."""
        trained = np.isin(digests, self.train)
        return trained, np.isin(digests, self.validation) & ~trained

    def to_dict(self) -> dict[str, str]:
        """Plain JSON types: the bytes of all digests in a row, as base64."""
        return {"train": _pack(self.train), "validation": _pack(self.validation)}

    @classmethod
    def from_dict(cls, document: Any) -> SeenPictures:
        """What `to_dict` gave. Raises ValueError, TypeError or LookupError for anything else."""
        return cls(_unpack(document["train"]), _unpack(document["validation"]))


def _unique(images: Images) -> Digests:
    """Digests of pictures, sorted; of those of several processes, each of which hashes its own."""
    return np.unique(np.concatenate(each_own(images, picture_digests)))


def picture_digests(images: Images) -> Digests:
    """(N,) the first bytes of BLAKE2b over each picture's shape and pixels, of (N, H, W, C) uint8.

    Pictures that are mapped into memory are read bit by bit.
    """
    shape = str(images.shape[1:]).encode()

    def hash_some(start: int) -> bytes:
        # Mapped or strided: only so many are copied at a time.
        some = np.ascontiguousarray(images[start : start + each])
        return b"".join(_digest(shape, picture.data) for picture in some)

    each = max(1, CHUNK // max(1, int(np.prod(images.shape[1:]))))
    starts = range(0, len(images), each)
    if len(starts) < 2:
        return _numbers(b"".join(map(hash_some, starts)))
    with ThreadPoolExecutor(available_cores()) as pool:
        return _numbers(b"".join(pool.map(hash_some, starts)))


def _digest(shape: bytes, pixels: memoryview) -> bytes:
    digest = hashlib.blake2b(shape, digest_size=BYTES)
    digest.update(pixels)
    return digest.digest()


def _numbers(raw: bytes) -> Digests:
    rows = np.zeros((len(raw) // BYTES, 8), np.uint8)
    rows[:, 2:] = np.frombuffer(raw, np.uint8).reshape(-1, BYTES)
    return rows.reshape(-1).view(">u8").astype(np.uint64)


def _pack(digests: Digests) -> str:
    rows = digests.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 2:]
    return base64.b64encode(rows.tobytes()).decode("ascii")


def _unpack(text: str) -> Digests:
    raw = base64.b64decode(text, validate=True)
    if len(raw) % BYTES:
        raise ValueError("its record of pictures ends within one")
    return np.unique(_numbers(raw))
