"""What there is to know of a data set before anybody trains on it: counts, sizes, damage, copies, leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from residua.cores import available_cores
from residua.data.dataset import DataSet, Split
from residua.data.pictures.decoding import FORMATS, Pictures, quiet
from residua.data.quality.likeness import Alike, exact_copies, near_copies

SPLITS: tuple[Split, ...] = get_args(Split)
MOST_COMPARED = 100_000  # pictures above which only test pictures are compared with all others


@dataclass(frozen=True, eq=False)
class Copies:
    """Pairs of pictures that are the same, exactly or nearly; places count through all splits in turn.

    pairs: as found. across: (earlier split, later split) -> how many different pictures of the later one
    have a copy in the earlier one. pictures: how many have any copy. doubts: pairs with two labels.
    """

    pairs: Alike
    across: dict[tuple[Split, Split], int]
    pictures: int
    doubts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found in a data set.

    counts: pictures per class and split. sizes, modes: how many files have each width and height, and each
    mode of Pillow's; a single entry each where the pictures are not files. shape: of the pictures as they
    were compared. bad: why pictures are left out. exact, near: copies; near leaves out exact ones, and is
    None where it was not asked for. compared: how many pictures were compared with all others. torn: groups
    with pictures in more than one split; groups: how many there are, called `group`.
    """

    data: str
    title: str
    classes: tuple[str, ...]
    counts: dict[Split, tuple[int, ...]]
    shape: tuple[int, int, int]
    sizes: Counter[tuple[int, int]]
    modes: Counter[str]
    bad: tuple[str, ...]
    exact: Copies
    near: Copies | None
    compared: int
    torn: tuple[str, ...]
    groups: int
    group: str
    splits: dict[Split, Pictures]

    @property
    def imbalance(self) -> float:
        """Pictures of the largest class to those of the smallest, in the training split."""
        train = self.counts["train"]
        return max(train) / max(min(train), 1)

    @property
    def leaks(self) -> int:
        """Test pictures of which training or validation has a copy, exact or near."""
        test = len(self.splits["train"]) + len(self.splits["validation"])
        found: set[int] = set()
        for copies in (self.exact, self.near):
            if copies is not None:
                pairs = copies.pairs
                torn = (pairs.first < test) & (pairs.second >= test)
                found.update(pairs.second[torn].tolist())
        return len(found)

    def name(self, place: int) -> tuple[Split, str, str]:
        """Split, name and class of the picture at a place."""
        for split, pictures in self.splits.items():
            if place < len(pictures):
                return split, str(pictures.names[place]), self.classes[int(pictures.labels[place])]
            place -= len(pictures)
        raise IndexError(place)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; of the pairs, names of both pictures and the cosine."""
        return {
            "data": self.data,
            "classes": list(self.classes),
            "counts": {split: list(numbers) for split, numbers in self.counts.items()},
            "imbalance": self.imbalance,
            "sizes": [[w, h, count] for (w, h), count in self.sizes.most_common()],
            "modes": dict(self.modes),
            "bad": list(self.bad),
            "exact_copies": self._copies(self.exact),
            "near_copies": None if self.near is None else self._copies(self.near),
            "test_pictures_with_a_copy": self.leaks,
            "groups": self.groups,
            "groups_in_several_splits": list(self.torn),
        }

    def _copies(self, copies: Copies) -> dict[str, Any]:
        pairs = copies.pairs
        return {
            "pictures": copies.pictures,
            "across": {f"{later} in {earlier}": n for (earlier, later), n in copies.across.items()},
            "pairs": [
                [*map("/".join, (self.name(one)[:2], self.name(other)[:2])), round(cosine, 4)]
                for one, other, cosine in zip(
                    pairs.first.tolist(), pairs.second.tolist(), pairs.cosine.tolist(), strict=True
                )
            ],
        }


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
    first = exact_copies(arrays)
    exact = np.flatnonzero(first != np.arange(len(first)))
    pairs = Alike(first[exact], exact, np.ones(len(exact), np.float32))
    found, compared = None, 0
    if near and len(labels):
        rows = np.flatnonzero(split_of == 2) if len(labels) > MOST_COMPARED else None
        compared = len(labels) if rows is None else len(rows)
        done = 0

        def count(rows: int) -> None:
            nonlocal done
            done += rows
            watch(done, compared)

        alike = near_copies(arrays, labels, rows, count)
        other = first[alike.first] != first[alike.second]
        found = _summary(
            Alike(alike.first[other], alike.second[other], alike.cosine[other]), split_of, labels
        )
    sizes, modes = _files(data, splits)
    torn, groups = _torn(data)
    return Findings(
        data=data.name,
        title=data.card.title,
        classes=data.classes,
        counts={split: tuple(data.counts(split).values()) for split in SPLITS},
        shape=(data.height, data.width, data.channels),
        sizes=sizes,
        modes=modes,
        bad=data.bad,
        exact=_summary(pairs, split_of, labels),
        near=found,
        compared=compared,
        torn=torn,
        groups=groups,
        group=data.listing.group if data.listing is not None else "group",
        splits=splits,
    )


def _summary(pairs: Alike, split_of: NDArray[np.int64], labels: NDArray[np.int64]) -> Copies:
    across: dict[tuple[Split, Split], int] = {}
    # Places count through the splits in turn, so the second of a pair is never in an earlier split.
    for earlier in range(3):
        for later in range(earlier + 1, 3):
            torn = (split_of[pairs.first] == earlier) & (split_of[pairs.second] == later)
            across[SPLITS[earlier], SPLITS[later]] = len(np.unique(pairs.second[torn]))
    alike = len(np.unique(np.concatenate([pairs.first, pairs.second])))
    return Copies(pairs, across, alike, np.flatnonzero(labels[pairs.first] != labels[pairs.second]))


def _files(data: DataSet, splits: dict[Split, Pictures]) -> tuple[Counter[tuple[int, int]], Counter[str]]:
    """Widths and heights, and modes, of the files as they lie there; of arrays, their shape."""
    if data.listing is None:
        total = sum(map(len, splits.values()))
        mode = "L" if data.channels == 1 else "RGB"
        return Counter({(data.width, data.height): total}), Counter({mode: total})
    with quiet(), ThreadPoolExecutor(available_cores()) as pool:
        headers = [header for header in pool.map(_header, data.listing.paths) if header is not None]
    return Counter(size for size, _ in headers), Counter(mode for _, mode in headers)


def _header(path: Path) -> tuple[tuple[int, int], str] | None:
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.size, image.mode
    except Exception:  # decoding has told already what is wrong with it
        return None


def _torn(data: DataSet) -> tuple[tuple[str, ...], int]:
    """The groups whose pictures lie in more than one split, and how many groups there are."""
    listing = data.listing
    if listing is None or not listing.groups:
        return (), 0
    sides: dict[str, set[str]] = {}
    for split, places in listing.splits.items():
        for place in places.tolist():
            sides.setdefault(listing.groups[place], set()).add(split)
    return tuple(sorted(name for name, side in sides.items() if len(side) > 1)), len(sides)


def worst_pairs(findings: Findings, most: int) -> Sequence[tuple[int, int]]:
    """The pairs most worth seeing: with two labels, then across splits, the surest first.

    One pair for each picture of the later split, so that a crowd of copies does not hide the others.
    """
    ranked: list[tuple[tuple[bool, bool, float], int, int]] = []
    for rank, copies in enumerate((findings.exact, findings.near)):
        if copies is None:
            continue
        doubts = set(copies.doubts.tolist())
        pairs = copies.pairs
        for number, (one, other, cosine) in enumerate(
            zip(pairs.first.tolist(), pairs.second.tolist(), pairs.cosine.tolist(), strict=True)
        ):
            torn = findings.name(one)[0] != findings.name(other)[0]
            ranked.append(((number not in doubts, not torn, rank - cosine), one, other))
    chosen: list[tuple[int, int]] = []
    seen: set[int] = set()
    for _, one, other in sorted(ranked, key=lambda entry: entry[0]):
        if one not in seen and other not in seen:
            chosen.append((one, other))
            seen |= {one, other}
        if len(chosen) == most:
            break
    return chosen
