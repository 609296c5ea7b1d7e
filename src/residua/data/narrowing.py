"""A part of a data set: so many pictures of each split, or splits that share no picture."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from residua.config import DataOptions
from residua.data.dataset import Source, Split
from residua.data.pictures.arrays import Pictures
from residua.data.quality.exact_duplicates import first_occurrences
from residua.data.sources.listing import Listing
from residua.data.stratified import stratify

Indices = NDArray[np.int64]

# The splits that a split's pictures may not be in, where copies are kept apart: never the other way round.
_BEFORE: dict[Split, tuple[Split, ...]] = {
    "train": ("test", "validation"),
    "validation": ("test",),
    "test": (),
}


def narrow(source: Source, options: DataOptions, seed: int) -> Source:
    """The source, or as much of it as the options ask for."""
    if options.limit is not None:
        source = Limited(source, options.limit, seed)
    return Apart(source) if options.copies == "apart" else source


def limited(labels: Indices, most: int, seed: int) -> Indices:
    """Indices of at most so many of (N,) labels, in order, drawn by seed, each class in proportion.

    Every class keeps a picture, where there are that many classes.
    """
    counts = np.bincount(labels)
    if len(labels) <= most:
        return np.arange(len(labels))
    most = max(most, int((counts > 0).sum()))
    if len(labels) - most < len(counts) or counts[counts > 0].min() < 2:  # too few to draw from
        random = np.random.default_rng([seed, most])
        return np.sort(random.permutation(len(labels))[:most])
    return stratify(labels, most, seed % 2**32)[1]


def limit_listing(listing: Listing, most: int, seed: int) -> Listing:
    """The listing with at most so many pictures of each split; no others are decoded."""
    splits = {
        name: indices[limited(listing.labels[indices], most, seed)]
        for name, indices in listing.splits.items()
    }
    kept = np.concatenate(list(splits.values()))
    pools = tuple(part for pool in listing.pools if len(part := pool[np.isin(pool, kept)]))
    return replace(listing, splits=splits, pools=pools)


class _Narrowed:
    """A source that gives less of another."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._chosen: dict[Split, Indices] = {}

    @property
    def listing(self) -> Listing | None:
        """The files behind the pictures, where they are files."""
        return self.source.listing

    @property
    def bad(self) -> tuple[str, ...]:
        """Why pictures were left out of the splits that have been read."""
        return self.source.bad

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about pictures that are used all the same, of the splits that have been read."""
        return self.source.notes

    def chosen(self, split: Split) -> Indices:
        """Which of a split's pictures are given."""
        if split not in self._chosen:
            self._chosen[split] = self.choose(split)
        return self._chosen[split]

    def choose(self, split: Split) -> Indices:
        """Indices into the whole split, in order."""
        raise NotImplementedError

    def read(self, split: Split) -> Pictures:
        """The pictures of a split, copied only when they are asked for."""
        whole, chosen = self.source.read(split), self.chosen(split)
        return whole if len(chosen) == len(whole) else whole.select(chosen)

    def labels(self, split: Split) -> Indices:
        """(N,) the labels of a split."""
        return self.read(split).labels

    def fingerprint(self, split: Split) -> str:
        """SHA-256 over that of the whole split and which of its pictures are given."""
        chosen = np.ascontiguousarray(self.chosen(split), dtype="<i8")
        return hashlib.sha256(self.source.fingerprint(split).encode() + chosen.tobytes()).hexdigest()


class Limited(_Narrowed):
    """At most so many pictures of each split, see `limited`."""

    def __init__(self, source: Source, most: int, seed: int) -> None:
        super().__init__(source)
        self.most, self.seed = most, seed

    def choose(self, split: Split) -> Indices:
        """Drawn by seed."""
        return limited(self.source.labels(split), self.most, self.seed)


class Apart(_Narrowed):
    """Splits without the pictures, equal to the pixel, that later ones hold: test, validation, training.

    The test split itself stays as it is.
    """

    def choose(self, split: Split) -> Indices:
        """Those that no split before it holds."""
        others = [self.source.read(other).images for other in _BEFORE[split]]
        own = self.source.read(split).images
        seen = sum(map(len, others))
        first = first_occurrences([*(images for images in others if len(images)), own])[seen:]
        return np.flatnonzero(first >= seen)
