"""The source of a data set of picture files: listed, decoded once into the user's cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from residua.data.dataset import Split
from residua.data.packed.texts import take_texts
from residua.data.pictures.arrays import Pictures
from residua.data.pictures.cache import MOST_BAD, decode_cached, hash_files
from residua.data.pictures.decoding_together import Wanted, decode_together
from residua.data.pictures.digests import Digests, take_paths
from residua.data.pictures.notes import group_notes, group_reasons, note_lines
from residua.data.pictures.readers import ALONE, Readers, check_names
from residua.data.pictures.selection import Images, Pixels, Selection
from residua.data.quality.exact_duplicates import duplicate_messages
from residua.data.sources.card import Card
from residua.data.sources.listing import Listing
from residua.errors import ConfigError, DataError
from residua.files.user_cache import user_cache

_MOST_SAID = 10  # reasons, a line each; more are counted


class PictureFolder:
    """Somebody's own pictures, decoded once into the user's cache.

    readers: of several processes each reads and decodes its own part of the files.
    """

    def __init__(
        self,
        card: Card,
        listing: Listing,
        say: Callable[[str], None],
        most_bad: float = MOST_BAD,
        readers: Readers = ALONE,
    ) -> None:
        self.card, self.listing, self.say, self.most_bad = card, listing, say, most_bad
        check_names(readers, listing.names)
        self.readers, self._owners = readers, listing.owners(readers.size)
        self._problems: dict[int, str] = {}  # why pictures are left out, by index
        self._notes: dict[int, list[str]] = {}  # what is odd about others
        self._digests = Digests(len(listing.paths))
        self._pixels: dict[int, Pixels] = {}
        self._reported: set[str] = set()

    @property
    def bad(self) -> tuple[str, ...]:
        """Why pictures were left out of the splits that have been read."""
        return tuple(self._problems.values())

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about pictures that are used, of the splits that have been read."""
        return tuple(note_lines(group_notes(self._notes, self.listing.names)))

    def read(self, split: Split) -> Pictures:
        """The pictures of a split, memory-mapped where they can be."""
        listing = self.listing
        indices = listing.splits[split]
        if not len(indices):
            shape = (0, self.card.height, self.card.width, self.card.channels)
            return Pictures(np.zeros(shape, np.uint8), np.zeros(0, np.int64), ())
        number = next(n for n, pool in enumerate(listing.pools) if indices[0] in pool)
        pool, pixels = listing.pools[number], self._decoded(number)
        good = self._good(split)
        # Batches are taken from the mapped file: no part of it is copied as a whole.
        images: Images = Selection(pixels, np.searchsorted(pool, good))
        if isinstance(pixels, np.ndarray) and len(good) == len(pool):
            images = pixels
        return Pictures(images, listing.labels[good], take_texts(listing.names, good))

    def labels(self, split: Split) -> NDArray[np.int64]:
        """(N,) the labels of a split."""
        return self.listing.labels[self._good(split)]

    def labelled_files(self, split: Split) -> tuple[Sequence[Path], NDArray[np.int64]]:
        """The files of a split and their labels, (N,), bad ones too. Raises ConfigError for regions."""
        listing = self.listing
        if listing.boxes:
            raise ConfigError(f"of the files of {self.card.name} only regions are used (--region)")
        return take_paths(listing.paths, listing.splits[split]), listing.labels[listing.splits[split]]

    def fingerprint(self, split: Split) -> str:
        """SHA-256 over names, labels and content of a split."""
        listing, indices = self.listing, self.listing.splits[split]
        self._hash(indices)
        digest = hashlib.sha256()
        for index in indices.tolist():
            label = listing.classes[listing.labels[index]]
            text = f"{listing.names[index]}\0{label}\0{self._digests[index]}\0"
            text += f"{listing.boxes[index]}\0" if listing.boxes else ""
            digest.update(text.encode(errors="surrogateescape"))  # file names may be no valid text
        return digest.hexdigest()

    def _good(self, split: Split) -> NDArray[np.int64]:
        """The indices of a split's pictures, without those that cannot be read."""
        indices = self.listing.splits[split]
        return indices[~np.isin(indices, list(self._problems))]

    def _hash(self, indices: NDArray[np.int64]) -> None:
        new = indices[~self._digests.known[indices]]
        owners = self._owners[new]
        own = new[owners == self.readers.rank]
        told = self.readers.tell(hash_files(take_paths(self.listing.paths, own)).tobytes())
        for rank, raw in enumerate(told):
            self._digests.put(new[owners == rank], raw)

    def _decoded(self, number: int) -> Pixels:
        """The pixels of a pool; reports its bad pictures, and stops when there are too many."""
        if number not in self._pixels:
            listing, card = self.listing, self.card
            pool = listing.pools[number]
            self._hash(pool)
            wanted = Wanted(
                take_paths(listing.paths, pool),
                self._digests.take(pool),
                (card.height, card.width, card.channels),
                [listing.boxes[index] for index in pool.tolist()] if listing.boxes else (),
            )
            folder = user_cache() / "pictures"
            if self.readers.size == 1:
                decoded = decode_cached(
                    wanted.paths, wanted.digests, wanted.size, folder, self._say_once, wanted.boxes
                )
            else:
                owners = self._owners[pool]
                decoded = decode_together(self.readers, wanted, owners, folder, self._say_once)
            pixels, bad, notes = decoded
            problems = {int(pool[position]): reason for position, reason in sorted(bad.items())}
            self._problems.update(problems)
            self._report_problems(problems)
            odd = {int(pool[position]): texts for position, texts in notes.items()}
            self._notes.update(odd)
            for line in note_lines(group_notes(odd, listing.names)):
                self.say(line)
            self._pixels[number] = pixels
            self._report_duplicates()
        return self._pixels[number]

    def _report_problems(self, problems: dict[int, str]) -> None:
        """Say which pictures of a pool are skipped; raise DataError where too many of them are news."""
        listing = self.listing
        published = [listing.names[index] for index in problems if listing.names[index] in listing.broken]
        if published:
            self.say(
                f"Skipped {len(published)} pictures that are broken as published: {', '.join(published)}"
            )
        news = [text for index, text in problems.items() if listing.names[index] not in listing.broken]
        reasons = group_reasons(news)
        for reason in reasons[:_MOST_SAID]:
            self.say(f"Skipped: {reason}")
        if len(reasons) > _MOST_SAID:
            self.say(f"Skipped: for {len(reasons) - _MOST_SAID:,} more reasons; `residua check` names them")
        unexpected = [
            text for index, text in self._problems.items() if listing.names[index] not in listing.broken
        ]
        if len(unexpected) > self.most_bad * len(listing.paths):
            raise DataError(
                f"{len(unexpected)} of {len(listing.paths)} pictures in {self.card.name} cannot be read, "
                f"more than 1 %; the first: {unexpected[0]} Mend or remove them."
            )

    def _report_duplicates(self) -> None:
        """Say which pictures, of those looked at so far, occur in two splits or two classes."""
        listing = self.listing
        known = np.array(self._digests.known)
        known[list(self._problems)] = False
        for line in duplicate_messages(self._digests, np.flatnonzero(known), listing):
            self._say_once(line)

    def _say_once(self, line: str) -> None:
        if line not in self._reported:
            self._reported.add(line)
            self.say(line)
