"""Features cached: what a frozen base makes of pictures, which pass it once, however many epochs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batch, Batches
from residua.data.random_numbers import FLIP, RandomNumbers
from residua.engines import Engine
from residua.layers import Layer
from residua.variables import Tree

CHUNK = 32  # pictures at a time
MOST_MEMORY = 2**30  # bytes of features; beyond that they lie in a file

Infer = Callable[[Tree, NDArray[np.float32]], Any]


class FeatureBatches(Batches):
    """The batches of a split as its frozen base sees them.

    images: features (N, ...) float32 instead of pictures. With `mirrored`, the features of the mirror images,
    half of the pictures are taken from there: the same ones that would have been mirrored before the base.
    """

    def __init__(
        self, pictures: Batches, features: NDArray[np.float32], mirrored: NDArray[np.float32] | None
    ) -> None:
        super().__init__(
            pictures.pictures, pictures.preprocessing, pictures.augment, pictures.batch, pictures.seed
        )
        self.features, self.mirrored = features, mirrored

    def make(self, order: NDArray[np.int64], epoch: int, number: int) -> Batch:
        """Prepare batch `number` of an epoch visited in `order`."""
        indices = order[self.place(number)]
        features = np.array(self.features[indices])
        if self.mirrored is not None and self.seed is not None:
            flipped = RandomNumbers(self.seed, epoch, indices).coins(FLIP)
            features[flipped] = self.mirrored[indices[flipped]]
        return Batch(features, self.pictures.labels[indices], indices)

    def unvaried(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """The features of the pictures at these places, not mirrored."""
        return np.array(self.features[indices])


def can_be_cached(augment: Augment | None) -> bool:
    """Whether the pictures are varied by mirroring at most: two features each then say it all."""
    return not augment or augment == Augment(flip=True)


def cache_features(
    engine: Engine, base: Layer, variables: Tree, pictures: Batches, folder: Path, name: str
) -> FeatureBatches:
    """The split's batches of features, computed by the base's inference network.

    folder: the run folder, for features beyond a gigabyte; `name` tells their files apart.
    """
    infer: Infer = engine.compile(lambda v, x: base.infer(engine, v, x))
    flip = bool(pictures.augment)
    count = len(pictures.pictures)

    def compute(mirror: bool) -> NDArray[np.float32]:
        images = pictures.pictures.images
        features: NDArray[np.float32] | None = None
        for start in range(0, count, CHUNK):
            normalized = pictures.preprocessing.normalize(images[start : start + CHUNK])
            if mirror:
                normalized = np.ascontiguousarray(normalized[:, :, ::-1])
            chunk = np.asarray(engine.plain(infer(variables, normalized)), np.float32)
            if features is None:
                shape = (count, *chunk.shape[1:])
                features = _allocate(shape, folder / f"features-{name}{'-mirrored' if mirror else ''}.npy")
            features[start : start + len(chunk)] = chunk
        assert features is not None
        return features

    return FeatureBatches(pictures, compute(False), compute(True) if flip else None)


def _allocate(shape: tuple[int, ...], file: Path) -> NDArray[np.float32]:
    if 4 * int(np.prod(shape)) <= MOST_MEMORY:
        return np.empty(shape, np.float32)
    return open_memmap(file, mode="w+", dtype=np.float32, shape=shape)


def remove_feature_files(run: Path) -> None:
    """Remove the files of features that a run has no more use for."""
    for file in run.glob("features-*.npy"):
        file.unlink(missing_ok=True)
