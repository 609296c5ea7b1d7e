"""Pictures decoded by several processes: each its own, once, and those of one disk into one file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from residua.data.pictures.cache import (
    Decoded,
    Unwritable,
    cache_files,
    decode_some,
    kept_in_memory,
    load_decoded,
    new_array,
    refuse_too_many,
    write_notes,
)
from residua.data.pictures.decoding import Box
from residua.data.pictures.digests import Digests, take_paths
from residua.data.pictures.readers import Readers, tell_document
from residua.data.pictures.spread import Spread
from residua.errors import DataError

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Wanted:
    """Pictures to decode: their files, what is in them, the size to bring them to, and regions if any."""

    paths: Sequence[Path]
    digests: Digests
    size: tuple[int, int, int]
    boxes: Sequence[Box | None] = ()

    def some(self, rows: Rows) -> Wanted:
        """Those of them in these rows."""
        boxes = [self.boxes[row] for row in rows.tolist()] if self.boxes else ()
        return Wanted(take_paths(self.paths, rows), self.digests.take(rows), self.size, boxes)


def decode_together(
    readers: Readers, wanted: Wanted, owners: Rows, folder: Path, say: Callable[[str], None]
) -> Decoded:
    """As `decode_cached`, by several processes, each of which is told what there is to say of all pictures.

    owners: (M,) which process decodes a picture. Processes of one disk fill one file, which is the cache of
    one process where all are of one disk. Where it cannot be written each keeps its own in memory. images:
    an array, or a `Spread`. All processes call it together. Raises DataError, in all of them.
    """
    disk = _Disk(readers, wanted, owners, folder, say)
    disk.look()
    with contextlib.ExitStack() as making:
        disk.make(making)
        disk.fill()
        told = tell_document(readers, {"bad": disk.bad, "notes": disk.notes})
        bad = {int(row): str(text) for own in told for row, text in own["bad"].items()}
        notes = {int(row): list(map(str, texts)) for own in told for row, texts in own["notes"].items()}
        said = Decoded(disk.images, dict(sorted(bad.items())), dict(sorted(notes.items())))
        disk.keep(making, said)
    return said._replace(images=disk.images if disk.holds_all else disk.spread())


class _Disk:
    """The processes whose cache is on one disk: the first of them makes a file, and each fills its part.

    rows: which of all pictures are theirs. images: those, or in memory this process's alone. bad, notes: what
    this process has to say, by the row among all.
    """

    def __init__(
        self, readers: Readers, wanted: Wanted, owners: Rows, folder: Path, say: Callable[[str], None]
    ) -> None:
        disks = np.asarray(readers.disks)
        self.readers, self.owners, self.folder, self.say = readers, owners, folder, say
        self.near = disks == disks[readers.rank]
        self.rows = np.flatnonzero(self.near[owners])
        self.part = wanted.some(self.rows)
        self.shape = (len(self.rows), *wanted.size)
        self.first = int(disks[readers.rank])
        self.leads = self.first == readers.rank
        self.files = cache_files(folder, self.part.digests, wanted.size, self.part.boxes)
        self.found = self.in_file = False
        self.images: Any = np.zeros((0, *wanted.size), np.uint8)
        self.bad: dict[int, str] = {}
        self.notes: dict[int, list[str]] = {}
        self.in_files: list[bool] = []

    def look(self) -> None:
        """Whether an earlier run has left them all."""
        cached = load_decoded(*self.files, self.part.paths, self.shape)
        told = self.readers.tell(b"" if cached is None else b"found")
        self.found = all(text for text, near in zip(told, self.near, strict=True) if near)
        if self.found and cached is not None:
            self.images, self.in_file = cached.images, True
            if self.leads:
                self._say(cached, self.rows)

    def make(self, making: contextlib.ExitStack) -> None:
        """The first makes the file, and the others find it."""
        name, images = "", None
        if self.leads and not self.found:
            refuse_too_many(self.shape, self.folder)
            try:
                temporary, images = making.enter_context(new_array(self.files[0], self.shape))
                name = str(temporary)
            except (Unwritable, OSError) as problem:
                self.say(kept_in_memory(self.folder, problem))
        name = tell_document(self.readers, name)[self.first]
        if name:
            self.images, self.in_file = self._map(Path(name)) if images is None else images, True

    def fill(self) -> None:
        """Decode this process's own."""
        if self.found:
            return
        own = np.flatnonzero(self.owners[self.rows] == self.readers.rank)
        if not self.in_file:
            self.images = np.zeros((len(own), *self.shape[1:]), np.uint8)
        part, places = self.part.some(own), own.tolist() if self.in_file else range(len(own))
        decoded = decode_some(part.paths, self.images, places, part.size, part.boxes)
        if isinstance(self.images, np.memmap):
            self.images.flush()
        self._say(decoded, self.rows[own])

    def keep(self, making: contextlib.ExitStack, said: Decoded) -> None:
        """The file becomes the cache's, now that all have filled it; else it is gone at the end."""
        kept = self.found
        if self.leads and self.in_file and not self.found:
            place = {row: number for number, row in enumerate(self.rows.tolist())}
            bad = {place[row]: text for row, text in said.bad.items() if row in place}
            notes = {place[row]: texts for row, texts in said.notes.items() if row in place}
            try:
                making.close()
                write_notes(self.files[1], Decoded(self.images, bad, notes), self.part.paths)
                kept = True
            except (Unwritable, OSError) as problem:
                self.say(kept_in_memory(self.folder, problem))
        told = tell_document(self.readers, [kept, self.in_file])
        self.in_files = [in_file for _, in_file in told]
        if told[self.first][0] and not self.found:
            cached = load_decoded(*self.files, self.part.paths, self.shape)
            self.images = self.images if cached is None else cached.images

    @property
    def holds_all(self) -> bool:
        """Whether every process has all pictures in a file."""
        return all(self.in_files) and bool(self.near.all())

    def spread(self) -> Spread:
        """All pictures, of which this process has some."""
        disks = np.asarray(self.readers.disks)
        holders = np.array(self.owners, np.int64)
        if self.in_file:
            holders[self.rows] = self.readers.rank
        places = np.zeros(len(holders), np.int64)
        for rank, in_file in enumerate(self.in_files):
            its = (disks == disks[rank])[self.owners] if in_file else self.owners == rank
            places[holders == rank] = (np.cumsum(its) - 1)[holders == rank]
        return Spread(self.readers, self.images, self.owners, holders, places)

    def _say(self, decoded: Decoded, rows: Rows) -> None:
        self.bad = {int(rows[place]): text for place, text in decoded.bad.items()}
        self.notes = {int(rows[place]): texts for place, texts in decoded.notes.items()}

    def _map(self, path: Path) -> NDArray[np.uint8]:
        """The file that the first has made. Raises DataError where it is not there."""
        try:
            return open_memmap(path, mode="r+")
        except (OSError, ValueError):
            raise DataError(
                f"the file that rank {self.first} makes in {self.folder} is not there, though both name one "
                "machine and one folder: give each process a folder of its own by XDG_CACHE_HOME"
            ) from None
