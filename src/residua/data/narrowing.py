"""A part of a data set: so many pictures of each split, or splits that share no picture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from residua.config import DataOptions
from residua.data.dataset import Source, Split
from residua.data.pictures.arrays import Pictures
from residua.data.quality.exact_duplicates import first_occurrences
from residua.data.sources.listing import Listing
from residua.data.stratified import stratify
from residua.errors import ConfigError

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
        self._pictures: dict[Split, Pictures] = {}

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

    def narrowed(self, split: Split) -> Pictures:
        """Those of a split's pictures that are given."""
        raise NotImplementedError

    def read(self, split: Split) -> Pictures:
        """The pictures of a split, chosen once."""
        if split not in self._pictures:
            self._pictures[split] = self.narrowed(split)
        return self._pictures[split]

    def labels(self, split: Split) -> Indices:
        """(N,) the labels of a split."""
        return self.read(split).labels

    def fingerprint(self, split: Split) -> str:
        """SHA-256 over names, labels and pixels of those pictures of a split that are given."""
        pictures, digest = self.read(split), hashlib.sha256()
        for name in pictures.names:
            digest.update(name.encode(errors="surrogateescape") + b"\0")
        digest.update(np.ascontiguousarray(pictures.labels, dtype="<i8").data)
        for image in pictures.images:
            digest.update(np.ascontiguousarray(image).data)
        return digest.hexdigest()


class Limited(_Narrowed):
    """At most so many pictures of each split, see `limited`."""

    def __init__(self, source: Source, most: int, seed: int) -> None:
        super().__init__(source)
        self.most, self.seed = most, seed

    def labelled_files(self, split: Split) -> tuple[Sequence[Path], Indices]:
        """Of a part nothing is known without reading all. Raises ConfigError."""
        raise ConfigError("a part of these pictures is left out (--limit), which takes reading all")

    def narrowed(self, split: Split) -> Pictures:
        """Drawn by seed, and copied, so that the others need not be held."""
        whole = self.source.read(split)
        return whole.take(limited(whole.labels, self.most, self.seed))


class Apart(_Narrowed):
    """Splits without the pictures, equal to the pixel, that later ones hold: test, validation, training.

    The test split itself stays as it is.
    """

    def labelled_files(self, split: Split) -> tuple[Sequence[Path], Indices]:
        """Those of the source, of a split of which none is left out. Raises ConfigError for others."""
        if _BEFORE[split]:
            raise ConfigError(
                f"which pictures are in the {split} split is known by their pixels (--copies apart)"
            )
        return self.source.labelled_files(split)

    def narrowed(self, split: Split) -> Pictures:
        """Those that no split before it holds."""
        others = [self.source.read(other).images for other in _BEFORE[split]]
        own = self.source.read(split)
        seen = sum(map(len, others))
        first = first_occurrences([*(images for images in others if len(images)), own.images])[seen:]
        chosen = np.flatnonzero(first >= seen)
        return own if len(chosen) == len(own) else own.select(chosen)
