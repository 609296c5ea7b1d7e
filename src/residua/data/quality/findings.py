"""What a check of a data set found, as numbers and as plain types for JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.data.dataset import Split
from residua.data.pictures.arrays import Pictures
from residua.data.pictures.files import PassedOver
from residua.data.quality.near_duplicates import Alike


@dataclass(frozen=True, eq=False)
class Copies:
    """Pairs of pictures that are the same, exactly or nearly; indices count through all splits in turn.

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
    were compared. bad: why pictures are left out. notes: what is odd about others. others: files beside
    the pictures that are not read. read_as: how folders and tables were read, as it was said. exact, near:
    copies; near leaves out exact ones, and is None where it was not asked for. compared: how many pictures
    were compared with all others. torn: groups
    with pictures in more than one split; groups: how many there are, called `group`. obstacles: why training
    would refuse the data as they are.
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
    notes: tuple[str, ...] = ()
    others: PassedOver = field(default_factory=dict)
    obstacles: tuple[str, ...] = ()
    read_as: tuple[str, ...] = ()

    @property
    def imbalance(self) -> float:
        """Pictures of the largest class to those of the smallest, in the training split."""
        train = self.counts["train"]
        return max(train) / max(min(train), 1)

    @property
    def leaks(self) -> int:
        """Test pictures of which training or validation has a copy, exact or near."""
        test = len(self.splits["train"]) + len(self.splits["validation"])
        leaked: set[int] = set()
        for copies in (self.exact, self.near):
            if copies is not None:
                pairs = copies.pairs
                torn = (pairs.first < test) & (pairs.second >= test)
                leaked.update(pairs.second[torn].tolist())
        return len(leaked)

    def name(self, index: int) -> tuple[Split, str, str]:
        """Split, name and class of the picture at an index that counts through all splits."""
        for split, pictures in self.splits.items():
            if index < len(pictures):
                return split, str(pictures.names[index]), self.classes[int(pictures.labels[index])]
            index -= len(pictures)
        raise IndexError(index)

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
            "notes": list(self.notes),
            "read_as": list(self.read_as),
            "not_read": {kind.many: list(map(str, files)) for kind, files in self.others.items()},
            "exact_copies": self._copies(self.exact),
            "near_copies": None if self.near is None else self._copies(self.near),
            "test_pictures_with_a_copy": self.leaks,
            "groups": self.groups,
            "groups_in_several_splits": list(self.torn),
            "obstacles": list(self.obstacles),
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
    used: set[int] = set()
    for _, one, other in sorted(ranked, key=lambda entry: entry[0]):
        if one not in used and other not in used:
            chosen.append((one, other))
            used |= {one, other}
        if len(chosen) == most:
            break
    return chosen
