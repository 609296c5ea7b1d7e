"""The source of a published data set of arrays, whose validation split is held out of its training split."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from residua.data.dataset import Split
from residua.data.pictures.arrays import Pictures
from residua.data.sources.card import Card
from residua.data.sources.locations import find_cifar_folder, find_files
from residua.data.sources.readers.cifar import read_cifar
from residua.data.sources.readers.digits import read_digits
from residua.data.sources.readers.idx import read_idx_pair
from residua.data.sources.readers.pixel_table import read_labelled_table
from residua.data.sources.readers.svhn import read_svhn
from residua.data.splits import held_out_count, hold_out
from residua.errors import ConfigError

_FIXED_TEST = 0.2  # of data sets whose publisher names no test split; drawn once, whatever the run's seed


class PublishedArrays:
    """A published data set, whose validation split is held out of its training split by seed.

    data_dir: the folder that holds data sets. folder: that of this one, where it is known.
    """

    listing = None
    bad: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        card: Card,
        data_dir: str | Path | None,
        validation: float,
        seed: int,
        say: Callable[[str], None],
        folder: Path | None = None,
    ) -> None:
        self.card, self.validation, self.seed, self.say = card, validation, seed, say
        # Looked for, and fetched, now: a test split that is missing should not be news after training.
        self.files: dict[str, Path] = {}
        if card.kind not in ("cifar", "digits"):
            self.files = find_files(card, data_dir, folder)
        self.folder = find_cifar_folder(card, data_dir) if card.kind == "cifar" else Path()
        # Only what somebody still holds: the same split is not read twice in a row, nor kept for long.
        self._splits: weakref.WeakValueDictionary[str, Pictures] = weakref.WeakValueDictionary()

    def read(self, split: Split) -> Pictures:
        """The pictures of a split, in memory."""
        pictures = self._splits.get(split)
        if pictures is None:
            if split == "test":
                pictures = self._read_part("test")
            else:
                whole = self._read_part("training")
                pictures = whole.take(self._split(whole.labels)[split])
            self._splits[split] = pictures
        return pictures

    def labels(self, split: Split) -> NDArray[np.int64]:
        """(N,) the labels of a split."""
        return self.read(split).labels

    def labelled_files(self, split: Split) -> tuple[Sequence[Path], NDArray[np.int64]]:
        """There are none. Raises ConfigError."""
        raise ConfigError(
            f"{self.card.name} comes as arrays, which are read as a whole, not as a file for each picture"
        )

    def fingerprint(self, split: Split) -> str:
        """SHA-256 over names, labels and content of a split."""
        pictures = self.read(split)
        digest = hashlib.sha256()
        for text in (self.card.name, *self.card.classes, *pictures.names):
            digest.update(text.encode() + b"\0")
        digest.update(str(pictures.images.shape).encode())
        digest.update(np.ascontiguousarray(pictures.labels, dtype="<i8").data)
        digest.update(np.ascontiguousarray(pictures.images).data)
        return digest.hexdigest()

    def _split(self, labels: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        """The indices of train and validation among the publisher's training pictures."""
        count = held_out_count(self.validation, len(labels), "validation")
        kept, held_out = hold_out(
            labels, count, self.seed, self.card.classes, option="validation", say=self.say
        )
        return {"train": kept, "validation": held_out}

    def _read_part(self, part: Literal["training", "test"]) -> Pictures:
        """All pictures outside the test split, or the test split."""
        card = self.card
        if card.kind == "cifar":
            return read_cifar(self.folder, part, len(card.classes))
        if card.kind == "idx":
            return self._read_idx("train" if part == "training" else "t10k")
        if card.kind == "svhn":
            return read_svhn(self.files["train_32x32.mat" if part == "training" else "test_32x32.mat"])
        whole = self._read_whole()
        count = held_out_count(_FIXED_TEST, len(whole), "test")
        kept, held_out = hold_out(whole.labels, count, 0, card.classes, option="test")
        return whole.take(kept if part == "training" else held_out)

    def _read_whole(self) -> Pictures:
        """All pictures of a data set whose publisher names no test split."""
        card = self.card
        if card.kind == "digits":
            return read_digits()
        if card.kind == "pixel-table":
            return read_labelled_table(self.files["train.csv"], len(card.classes), card.height)
        return self._read_idx("t10k")

    def _read_idx(self, stem: str) -> Pictures:
        card = self.card
        images = self.files[f"{stem}-images-idx3-ubyte.gz"]
        labels = self.files[f"{stem}-labels-idx1-ubyte.gz"]
        return read_idx_pair(images, labels, len(card.classes), card.height, card.width)
