"""A data set that is open: its classes, its three splits, and a fingerprint of each."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.cache import MOST_BAD, decode_once, hash_files
from residua.data.pictures.decoding import Pictures
from residua.data.quality.copies import tell_copies
from residua.data.sources.cards import Card
from residua.data.sources.download import find_cifar_folder, find_files, user_cache
from residua.data.sources.folder import Listing
from residua.data.sources.matlab import read_svhn
from residua.data.sources.pixel_table import read_labelled_table
from residua.data.sources.readers import read_cifar, read_idx_pair
from residua.data.splits import held_out_count, hold_out
from residua.errors import ConfigError, DataError

Split = Literal["train", "validation", "test"]
Say = Callable[[str], None]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_FIXED_TEST = 0.2  # of data sets whose publisher names no test split; drawn once, whatever the run's seed


class Source(Protocol):
    """What a data set is read from."""

    def read(self, split: Split) -> Pictures:
        """The pictures of a split."""
        ...

    def labels(self, split: Split) -> NDArray[np.int64]:
        """(N,) the labels of a split, without decoding where that can be avoided."""
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
        return self._source.read(_known(split))

    def counts(self, split: Split = "train") -> dict[str, int]:
        """Pictures of every class in a split, by the name of the class."""
        numbers = np.bincount(self._source.labels(_known(split)), minlength=len(self.classes))
        return dict(zip(self.classes, numbers.tolist(), strict=True))

    def fingerprint(self, split: Split) -> str:
        """SHA-256 over the names, labels and content of a split: equal as long as nothing changed."""
        return self._source.fingerprint(_known(split))

    @property
    def listing(self) -> Listing | None:
        """The files behind the pictures, where they are files."""
        return self._source.listing if isinstance(self._source, Folder) else None

    @property
    def bad(self) -> tuple[str, ...]:
        """Why pictures were left out of the splits that have been read."""
        return tuple(self._source.bad.values()) if isinstance(self._source, Folder) else ()


def _known(split: Split) -> Split:
    if split not in SPLITS:
        raise ConfigError(f"A split is one of {', '.join(SPLITS)}, not {split!r}.")
    return split


class Published:
    """A published data set, whose validation split is held out of its training split by seed."""

    def __init__(
        self,
        card: Card,
        data_dir: str | None,
        validation: float,
        seed: int,
        say: Say,
        folder: Path | None = None,
    ) -> None:
        self.card, self.validation, self.seed, self.say = card, validation, seed, say
        # Looked for, and fetched, now: a test split that is missing should not be news after training.
        self.files: dict[str, Path] = {}
        if card.kind not in ("cifar", "digits"):
            self.files = find_files(card, data_dir, folder)
        self.folder = find_cifar_folder(card, data_dir) if card.kind == "cifar" else Path()
        # Only what somebody still holds: the same split is not read twice in a row, nor kept for long.
        self._held: weakref.WeakValueDictionary[str, Pictures] = weakref.WeakValueDictionary()

    def read(self, split: Split) -> Pictures:
        """The pictures of a split, in memory."""
        pictures = self._held.get(split)
        if pictures is None:
            if split == "test":
                pictures = self._part("test")
            else:
                whole = self._part("training")
                pictures = whole.take(self._places(whole.labels)[split])
            self._held[split] = pictures
        return pictures

    def labels(self, split: Split) -> NDArray[np.int64]:
        """(N,) the labels of a split."""
        return self.read(split).labels

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

    def _places(self, labels: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        count = held_out_count(self.validation, len(labels), "validation")
        kept, held = hold_out(labels, count, self.seed, self.card.classes, option="validation", say=self.say)
        return {"train": kept, "validation": held}

    def _part(self, part: Literal["training", "test"]) -> Pictures:
        """All pictures outside the test split, or the test split."""
        card = self.card
        if card.kind == "cifar":
            return read_cifar(self.folder, part, len(card.classes))
        if card.kind == "idx":
            return self._idx("train" if part == "training" else "t10k")
        if card.kind == "svhn":
            return read_svhn(self.files["train_32x32.mat" if part == "training" else "test_32x32.mat"])
        whole = self._whole()
        count = held_out_count(_FIXED_TEST, len(whole), "test")
        kept, held = hold_out(whole.labels, count, 0, card.classes, option="test")
        return whole.take(kept if part == "training" else held)

    def _whole(self) -> Pictures:
        """All pictures of a data set whose publisher names no test split."""
        card = self.card
        if card.kind == "digits":
            return _digits()
        if card.kind == "pixel-table":
            return read_labelled_table(self.files["train.csv"], len(card.classes), card.height)
        return self._idx("t10k")

    def _idx(self, stem: str) -> Pictures:
        card = self.card
        images = self.files[f"{stem}-images-idx3-ubyte.gz"]
        labels = self.files[f"{stem}-labels-idx1-ubyte.gz"]
        return read_idx_pair(images, labels, len(card.classes), card.height, card.width)


def _digits() -> Pictures:
    """scikit-learn's digits, whose pixels count 0 to 16, as uint8."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = np.rint(found.images * (255 / 16)).astype(np.uint8)[..., None]
    return Pictures(images, found.target.astype(np.int64), tuple(f"digits[{i}]" for i in range(len(images))))


class Folder:
    """Somebody's own pictures, decoded once into the user's cache."""

    def __init__(self, card: Card, listing: Listing, say: Say, most_bad: float = MOST_BAD) -> None:
        self.card, self.listing, self.say, self.most_bad = card, listing, say, most_bad
        self.bad: dict[int, str] = {}
        self._digests: dict[int, str] = {}
        self._pixels: dict[int, NDArray[np.uint8]] = {}
        self._said: set[str] = set()

    def read(self, split: Split) -> Pictures:
        """The pictures of a split, in memory."""
        listing = self.listing
        places = listing.splits[split]
        if not len(places):
            shape = (0, self.card.height, self.card.width, self.card.channels)
            return Pictures(np.zeros(shape, np.uint8), np.zeros(0, np.int64), ())
        number = next(n for n, pool in enumerate(listing.pools) if places[0] in pool)
        pool, pixels = listing.pools[number], self._decoded(number)
        good = np.array([place for place in places.tolist() if place not in self.bad], dtype=np.int64)
        # A whole pool stays memory-mapped; a part of one is copied out of it.
        whole = len(good) == len(pool)
        images = pixels if whole else pixels[np.searchsorted(pool, good)]
        return Pictures(images, listing.labels[good], tuple(listing.names[place] for place in good.tolist()))

    def labels(self, split: Split) -> NDArray[np.int64]:
        """(N,) the labels of a split."""
        places = self.listing.splits[split]
        return self.listing.labels[[place for place in places.tolist() if place not in self.bad]]

    def fingerprint(self, split: Split) -> str:
        """SHA-256 over names, labels and content of a split."""
        listing, places = self.listing, self.listing.splits[split].tolist()
        self._hash(places)
        digest = hashlib.sha256()
        for place in places:
            label = listing.classes[listing.labels[place]]
            text = f"{listing.names[place]}\0{label}\0{self._digests[place]}\0"
            text += f"{listing.boxes[place]}\0" if listing.boxes else ""
            digest.update(text.encode(errors="surrogateescape"))  # file names may be no valid text
        return digest.hexdigest()

    def _hash(self, places: list[int]) -> None:
        new = [place for place in places if place not in self._digests]
        self._digests.update(zip(new, hash_files([self.listing.paths[place] for place in new]), strict=True))

    def _decoded(self, number: int) -> NDArray[np.uint8]:
        """The pixels of a pool; reports its bad pictures, and stops when there are too many."""
        if number not in self._pixels:
            listing, card = self.listing, self.card
            pool = listing.pools[number].tolist()
            self._hash(pool)
            pixels, bad = decode_once(
                [listing.paths[place] for place in pool],
                [self._digests[place] for place in pool],
                (card.height, card.width, card.channels),
                user_cache() / "pictures",
                self.say,
                [listing.boxes[place] for place in pool] if listing.boxes else (),
            )
            self.bad.update((pool[at], reason) for at, reason in bad.items())
            self._tell_bad({pool[at]: reason for at, reason in sorted(bad.items())})
            self._pixels[number] = pixels
            self._tell_copies()
        return self._pixels[number]

    def _tell_bad(self, bad: dict[int, str]) -> None:
        """Say which pictures of a pool are skipped; raise DataError where too many of them are news."""
        listing = self.listing
        known = [listing.names[place] for place in bad if listing.names[place] in listing.broken]
        if known:
            self.say(f"Skipped {len(known)} pictures that are broken as published: {', '.join(known)}")
        for place, reason in bad.items():
            if listing.names[place] not in listing.broken:
                self.say(f"Skipped: {reason}")
        news = [text for place, text in self.bad.items() if listing.names[place] not in listing.broken]
        if len(news) > self.most_bad * len(listing.paths):
            raise DataError(
                f"{len(news)} of {len(listing.paths)} pictures in {self.card.name} cannot be read, more "
                f"than 1 %; the first: {news[0]} Mend or remove them."
            )

    def _tell_copies(self) -> None:
        """Say which pictures, of those looked at so far, occur in two splits or two classes."""
        listing = self.listing
        split_of = {place: name for name, places in listing.splits.items() for place in places.tolist()}
        good = {place: digest for place, digest in self._digests.items() if place not in self.bad}
        for line in tell_copies(good, split_of, listing.labels.tolist(), listing.names):
            if line not in self._said:
                self._said.add(line)
                self.say(line)
