"""Features cached: what a frozen base makes of pictures, which pass it once, however many epochs."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batch, Batches
from residua.data.pictures.selection import release_pages
from residua.data.random_numbers import FLIP, RandomNumbers
from residua.engines import Engine
from residua.errors import RunError
from residua.layers import Layer
from residua.layers.cost import pictures_at_once
from residua.training.full_batches import divisible, fill_pictures
from residua.variables import Tree

MOST_AT_ONCE = 64  # pictures; fewer of large ones
MOST_MEMORY = 2**28  # bytes of features; beyond that they lie in a file

Infer = Callable[[Tree, NDArray[np.float32]], Any]
Indices = NDArray[np.int64]
Compute = Callable[[Indices], Iterator[NDArray[np.float32]]]


@dataclass(frozen=True)
class FrozenBase:
    """A frozen base, prepared once for all the pictures that pass it.

    infer: (variables, pictures) -> features, compiled: what one split has been run on serves the next.
    """

    engine: Engine
    layer: Layer
    variables: Tree
    infer: Infer

    @classmethod
    def prepare(cls, engine: Engine, layer: Layer, variables: Tree) -> FrozenBase:
        """The inference network of a base on an engine."""
        infer: Infer = engine.compile(lambda v, x: layer.infer(engine, v, x))
        return cls(engine, layer, variables, infer)

    def features(self, normalized: NDArray[np.float32], at_once: int) -> NDArray[np.float32]:
        """(N, ...) of (N, H, W, C) pictures, always `at_once` where others cost a compilation."""
        pictures: Any = normalized
        if self.engine.fixed_batches:
            pictures = fill_pictures(self.engine, normalized, divisible(self.engine.divides, at_once))
        return np.asarray(self.engine.plain(self.infer(self.variables, pictures)), np.float32)[
            : len(normalized)
        ]

    def at_once(self, shape: tuple[int, int, int]) -> int:
        """How many pictures of this shape to compute at once."""
        return min(MOST_AT_ONCE, pictures_at_once(self.layer, shape))


class Features:
    """What a frozen base makes of pictures, those that are `wanted` computed once and kept.

    compute: (indices) -> their features (N, ...) float32, some pictures after the other. count: how many
    pictures there are in all.
    """

    def __init__(self, compute: Compute, wanted: Indices, count: int, file: Path) -> None:
        self._compute, self._rows = compute, np.full(count, -1, np.int64)
        self._rows[wanted] = np.arange(len(wanted))
        self._array: Any = np.empty((0,), np.float32)
        start = 0
        for part in compute(wanted):
            if not start:
                self._array = _allocate((len(wanted), *part.shape[1:]), file)
            self._array[start : start + len(part)] = part
            start += len(part)

    def take(self, indices: Indices) -> NDArray[np.float32]:
        """(N, ...) the features of these pictures, computed now where they were not wanted."""
        rows = self._rows[indices]
        if np.any(rows < 0):
            return np.concatenate(list(self._compute(indices)))
        return np.array(self._array[rows])


class FeatureBatches(Batches):
    """The batches of a split as its frozen base sees them.

    images: features (N, ...) float32 instead of pictures. With `mirrored`, the features of the mirror images,
    half of the pictures are taken from there: the same ones that would have been mirrored before the base.
    """

    def __init__(self, pictures: Batches, features: Features, mirrored: Features | None) -> None:
        super().__init__(
            pictures.pictures, pictures.preprocessing, pictures.augment, pictures.batch, pictures.seed
        )
        self.features, self.mirrored = features, mirrored

    def make(self, order: Indices, epoch: int, number: int) -> Batch:
        """Prepare batch `number` of an epoch visited in `order`."""
        indices = order[self.place(number)]
        return Batch(self._varied(indices, epoch), self.pictures.labels[indices], indices)

    def _varied(self, indices: Indices, epoch: int) -> NDArray[np.float32]:
        if self.mirrored is None or self.seed is None:
            return self.features.take(indices)
        flipped = RandomNumbers(self.seed, epoch, indices).coins(FLIP)
        parts = [
            (mask, source.take(indices[mask]))
            for mask, source in ((~flipped, self.features), (flipped, self.mirrored))
            if mask.any()
        ]
        features = np.empty((len(indices), *parts[0][1].shape[1:]), np.float32)
        for mask, part in parts:
            features[mask] = part
        return features

    def unvaried(self, indices: Indices) -> NDArray[np.float32]:
        """The features of the pictures at these places, not mirrored."""
        return self.features.take(indices)


def can_be_cached(augment: Augment | None) -> bool:
    """Whether the pictures are varied by mirroring at most: two features each then say it all."""
    return not augment or augment == Augment(flip=True)


def cache_features(
    base: FrozenBase, pictures: Batches, folder: Path, name: str, epochs: range
) -> FeatureBatches:
    """The split's batches of features, computed by the base's inference network.

    folder: the run folder, for features beyond 256 MiB; `name` tells their files apart. epochs: those that
    will ask, of which a few may want a picture in one of its two ways alone.
    """
    shape, images = pictures.preprocessing, pictures.pictures.images
    at_once = base.at_once((shape.height, shape.width, shape.channels))

    def features(mirror: bool, wanted: Indices) -> Features:
        def prepare(indices: Indices) -> NDArray[np.float32]:
            normalized = shape.normalize(images[indices])
            return np.ascontiguousarray(normalized[:, :, ::-1]) if mirror else normalized

        def compute(indices: Indices) -> Iterator[NDArray[np.float32]]:
            parts = [indices[start : start + at_once] for start in range(0, len(indices), at_once)]
            passed = 0
            for normalized in _one_ahead(prepare, parts):
                yield base.features(normalized, at_once)
                passed += len(normalized)
                if passed >= MOST_AT_ONCE:
                    release_pages(images)  # each picture passes once
                    passed = 0
            release_pages(images)

        file = folder / f"features-{name}{'-mirrored' if mirror else ''}.bin"
        return Features(compute, wanted, len(images), file)

    every = np.arange(len(images))
    if not pictures.augment or pictures.seed is None:
        return FeatureBatches(pictures, features(False, every), None)
    mirrored, plain = np.zeros(len(images), np.bool_), np.zeros(len(images), np.bool_)
    for epoch in epochs:
        coins = RandomNumbers(pictures.seed, epoch, every).coins(FLIP)
        mirrored |= coins
        plain |= ~coins
        if mirrored.all() and plain.all():
            break
    return FeatureBatches(pictures, features(False, every[plain]), features(True, every[mirrored]))


def _one_ahead(
    prepare: Callable[[Indices], NDArray[np.float32]], parts: list[Indices]
) -> Iterator[NDArray[np.float32]]:
    """Every part prepared, in order, by a thread that is one part ahead of whoever takes them."""
    with ThreadPoolExecutor(1, thread_name_prefix="residua-features") as pool:
        ahead: deque[Future[NDArray[np.float32]]] = deque()
        for part in parts:
            ahead.append(pool.submit(prepare, part))
            if len(ahead) > 1:
                yield ahead.popleft().result()
        if ahead:
            yield ahead.popleft().result()


class _FileRows:
    """Rows of numbers in a file that is read, not mapped: its pages are nobody's memory."""

    def __init__(self, shape: tuple[int, ...], file: Path) -> None:
        self._shape, self._bytes = shape[1:], 4 * math.prod(shape[1:])
        self._stream, self._lock = file.open("wb+"), threading.Lock()

    def __setitem__(self, rows: slice, numbers: NDArray[np.float32]) -> None:
        try:
            self._stream.seek(rows.start * self._bytes)
            self._stream.write(np.ascontiguousarray(numbers, np.float32).data)
        except OSError as problem:
            raise RunError(f"cannot write {self._stream.name}: {problem.strerror}; make room there") from None

    def __getitem__(self, rows: Indices) -> NDArray[np.float32]:
        found = np.empty((len(rows), *self._shape), np.float32)
        with self._lock:
            for place, row in enumerate(rows.tolist()):
                self._stream.seek(row * self._bytes)
                self._stream.readinto(found[place].data)
        return found

    def __del__(self) -> None:
        if (stream := getattr(self, "_stream", None)) is not None:
            stream.close()


def _allocate(shape: tuple[int, ...], file: Path) -> Any:
    return np.empty(shape, np.float32) if 4 * math.prod(shape) <= MOST_MEMORY else _FileRows(shape, file)


def remove_feature_files(run: Path) -> None:
    """Remove the files of features that a run has no more use for."""
    for file in run.glob("features-*.bin"):
        file.unlink(missing_ok=True)
