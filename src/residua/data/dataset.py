"""A data set that is open: its classes, its three splits, and a fingerprint of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.arrays import Pictures
from residua.data.sources.card import Card
from residua.data.sources.listing import Listing
from residua.errors import ConfigError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


class Source(Protocol):
    """What a data set is read from."""

    @property
    def listing(self) -> Listing | None:
        """The files behind the pictures, where they are files."""
        ...

    @property
    def bad(self) -> tuple[str, ...]:
        """Why pictures were left out of the splits that have been read."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about pictures that are used all the same, of the splits that have been read."""
        ...

    def read(self, split: Split) -> Pictures:
        """The pictures of a split."""
        ...

    def labels(self, split: Split) -> NDArray[np.int64]:
        """(N,) the labels of a split, without decoding where that can be avoided."""
        ...

    def labelled_files(self, split: Split) -> tuple[Sequence[Path], NDArray[np.int64]]:
        """The files of a split and their labels, (N,), none of which is opened.

        Raises ConfigError where pictures are no files by themselves, or are chosen by what they show.
        """
        ...

    def fingerprint(self, split: Split) -> str:
        """SHA-256 over names, labels and content of a split."""
        ...


class DataSet:
    """A data set's classes, sizes and splits.

    name: as it was asked for. classes: names in the order of the labels. height, width: pixels.
    card: publisher, citation and recipe.
    """

    def __init__(self, card: Card, source: Source) -> None:
        self.card, self.name, self.classes = card, card.name, card.classes
        self.height, self.width, self.channels = card.height, card.width, card.channels
        self._source = source

    def read(self, split: Split) -> Pictures:
        """The pictures of a split; the publisher's test files are opened only for "test"."""
        return self._source.read(_checked(split))

    def labelled_files(self, split: Split) -> tuple[Sequence[Path], NDArray[np.int64]]:
        """The files of a split and their labels, (N,), none of which is opened.

        Raises ConfigError where pictures are no files by themselves, or are chosen by what they show.
        """
        return self._source.labelled_files(_checked(split))

    def counts(self, split: Split = "train") -> dict[str, int]:
        """Pictures of every class in a split, by the name of the class."""
        numbers = np.bincount(self._source.labels(_checked(split)), minlength=len(self.classes))
        return dict(zip(self.classes, numbers.tolist(), strict=True))

    def fingerprint(self, split: Split) -> str:
        """SHA-256 over the names, labels and content of a split: equal as long as nothing changed."""
        return self._source.fingerprint(_checked(split))

    @property
    def listing(self) -> Listing | None:
        """The files behind the pictures, where they are files."""
        return self._source.listing

    @property
    def bad(self) -> tuple[str, ...]:
        """Why pictures were left out of the splits that have been read."""
        return self._source.bad

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about pictures that are used all the same, of the splits that have been read."""
        return self._source.notes


def _checked(split: Split) -> Split:
    if split not in SPLITS:
        raise ConfigError(f"A split is one of {', '.join(SPLITS)}, not {split!r}.")
    return split
