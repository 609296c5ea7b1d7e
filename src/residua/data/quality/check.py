"""What there is to know of a data set before anybody trains on it: counts, sizes, damage, copies, leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from residua.cores import available_cores
from residua.data.dataset import SPLITS, DataSet, Split
from residua.data.pictures.arrays import Pictures, select_images
from residua.data.pictures.decoding import no_pillow_warnings
from residua.data.pictures.headers import Header, read_header
from residua.data.pictures.selection import Images
from residua.data.quality.exact_duplicates import Groups, first_occurrences
from residua.data.quality.findings import Copies, Findings
from residua.data.quality.near_duplicates import Alike, near_duplicates
from residua.errors import PictureError

MOST_COMPARED = 100_000  # pictures above which only test pictures are compared with all others


def check_dataset(
    data: DataSet, *, near: bool = True, watch: Callable[[int, int], object] = lambda done, total: None
) -> Findings:
    """Look through all splits of a data set, the test split too: for copies, never for learning.

    near: look for near copies as well. watch: hears how many pictures of how many were compared. Raises
    DataError where the data cannot be read.
    """
    splits = {split: data.read(split) for split in SPLITS}
    arrays = [pictures.images for pictures in splits.values()]
    labels = np.concatenate([pictures.labels for pictures in splits.values()])
    split_of = np.repeat(np.arange(3), [len(images) for images in arrays])
    first = first_occurrences(arrays)
    exact = np.flatnonzero(first != np.arange(len(first)))
    pairs = Alike(first[exact], exact, np.ones(len(exact), np.float32))
    near_copies, compared = None, 0
    if near and len(labels):
        # In a very large data set only test pictures are compared with all others.
        chosen = split_of == 2 if len(labels) > MOST_COMPARED else np.ones(len(labels), np.bool_)
        compared = int(chosen.sum())
        near_copies = _copies(_near(arrays, labels, first, chosen, watch), split_of, labels)
        watch(compared, compared)
    sizes, modes = _files(data, splits)
    torn, groups = _torn_groups(data)
    return Findings(
        data=data.name,
        title=data.card.title,
        classes=data.classes,
        counts={split: tuple(data.counts(split).values()) for split in SPLITS},
        shape=(data.height, data.width, data.channels),
        sizes=sizes,
        modes=modes,
        bad=data.bad,
        notes=data.notes,
        others=data.listing.others if data.listing is not None else {},
        exact=_copies(pairs, split_of, labels),
        near=near_copies,
        compared=compared,
        torn=torn,
        groups=groups,
        group=data.listing.group if data.listing is not None else "group",
        splits=splits,
        obstacles=() if data.listing is None else data.listing.obstacles,
    )


def _near(
    arrays: Sequence[Images],
    labels: NDArray[np.int64],
    first: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    watch: Callable[[int, int], object],
) -> Alike:
    """Near copies that are no exact ones. first: of `first_occurrences`. chosen: compared with all others.

    Of exact copies only one is compared; the others have what it has.
    """
    groups = Groups.find(first, labels)
    ends = np.cumsum([len(images) for images in arrays])
    parts = np.split(groups.first, np.searchsorted(groups.first, ends[:-1]))
    starts = ends - [len(images) for images in arrays]
    different = [
        select_images(images, part - start) for images, part, start in zip(arrays, parts, starts, strict=True)
    ]
    rows = None if chosen.all() else np.unique(groups.of[chosen])
    count = len(groups.first) if rows is None else len(rows)
    alike = near_duplicates(different, labels[groups.first], rows, _progress(count, watch))
    split_of = np.searchsorted(ends, np.arange(len(labels)), side="right")
    other = first[groups.first[alike.first]] != first[groups.first[alike.second]]
    one, two, pair = groups.spread(alike.first[other], alike.second[other], split_of)
    return Alike(one, two, alike.cosine[other][pair])


def _progress(total: int, watch: Callable[[int, int], object]) -> Callable[[int], None]:
    """Pass on how many rows of how many are done, out of how many each step did."""
    done = 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        watch(done, total)

    return count


def _copies(pairs: Alike, split_of: NDArray[np.int64], labels: NDArray[np.int64]) -> Copies:
    across: dict[tuple[Split, Split], int] = {}
    # Indices count through the splits in turn, so the second of a pair is never in an earlier split.
    for earlier in range(3):
        for later in range(earlier + 1, 3):
            torn = (split_of[pairs.first] == earlier) & (split_of[pairs.second] == later)
            across[SPLITS[earlier], SPLITS[later]] = len(np.unique(pairs.second[torn]))
    alike = len(np.unique(np.concatenate([pairs.first, pairs.second])))
    return Copies(pairs, across, alike, np.flatnonzero(labels[pairs.first] != labels[pairs.second]))


def _files(data: DataSet, splits: dict[Split, Pictures]) -> tuple[Counter[tuple[int, int]], Counter[str]]:
    """Widths and heights as displayed, and modes, of the files; of arrays, their shape."""
    if data.listing is None:
        total = sum(map(len, splits.values()))
        mode = "L" if data.channels == 1 else "RGB"
        return Counter({(data.width, data.height): total}), Counter({mode: total})
    with no_pillow_warnings(), ThreadPoolExecutor(available_cores()) as pool:
        headers = [header for header in pool.map(_header, data.listing.paths) if header is not None]
    return Counter(size for size, _ in headers), Counter(mode for _, mode in headers)


def _header(path: Path) -> Header | None:
    try:
        return read_header(path)
    except PictureError:  # decoding has told already what is wrong with it
        return None


def _torn_groups(data: DataSet) -> tuple[tuple[str, ...], int]:
    """The groups whose pictures lie in more than one split, and how many groups there are."""
    listing = data.listing
    if listing is None or not listing.groups:
        return (), 0
    sides: dict[str, set[str]] = {}
    for split, indices in listing.splits.items():
        for index in indices.tolist():
            sides.setdefault(listing.groups[index], set()).add(split)
    return tuple(sorted(name for name, side in sides.items() if len(side) > 1)), len(sides)
