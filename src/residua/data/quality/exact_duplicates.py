"""Exact duplicates of pictures: the quiet way in which a test split leaks into training."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.digests import Digests
from residua.data.pictures.selection import Images
from residua.data.sources.listing import Listing


def first_occurrences(splits: Sequence[Images]) -> NDArray[np.int64]:
    """(N,) for each picture of all splits in turn the index of the first with the same pixels."""
    first: dict[bytes, int] = {}
    occurrences = []
    index = 0
    for images in splits:
        for image in images:
            digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
            occurrences.append(first.setdefault(digest, index))
            index += 1
    return np.array(occurrences, np.int64)


@dataclass(frozen=True, eq=False)
class Groups:
    """Pictures that are equal and have the same label, as one: many copies cost no more than a single one.

    first: (G,) the first of each group, in order. of: (N,) the group of each picture.
    """

    first: NDArray[np.int64]
    of: NDArray[np.int64]

    @classmethod
    def find(cls, occurrences: NDArray[np.int64], labels: NDArray[np.int64]) -> Groups:
        """occurrences: (N,) of `first_occurrences`. labels: (N,)."""
        both = np.stack([occurrences, labels], axis=1)
        _, first, group = np.unique(both, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty(len(first), np.int64)
        place[order] = np.arange(len(first))
        return cls(first[order], place[group.reshape(-1)])

    def spread(
        self, one: NDArray[np.int64], other: NDArray[np.int64], split_of: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Pairs of groups -> pairs of pictures (first < second), and which pair each stands for.

        All of one group with the first of the other in each split: as many as it takes for every picture to
        have its partner in every split that has one.
        """
        order = np.argsort(self.of, kind="stable")
        sizes = np.bincount(self.of, minlength=len(self.first))
        ends = np.cumsum(sizes)
        starts = ends - sizes
        firsts, seconds, pairs = [], [], []
        for number, (a, b) in enumerate(zip(one.tolist(), other.tolist(), strict=True)):
            all_a, all_b = (order[starts[g] : ends[g]] for g in (a, b))
            some_a, some_b = (np.unique(split_of[every], return_index=True)[1] for every in (all_a, all_b))
            grid = [np.meshgrid(all_a[some_a], all_b), np.meshgrid(all_a, all_b[some_b])]
            left = np.concatenate([x.reshape(-1) for x, _ in grid])
            right = np.concatenate([y.reshape(-1) for _, y in grid])
            ends_of_pairs = np.unique(np.sort(np.stack([left, right], axis=1), axis=1), axis=0)
            firsts.append(ends_of_pairs[:, 0])
            seconds.append(ends_of_pairs[:, 1])
            pairs.append(np.full(len(ends_of_pairs), number))
        none = np.zeros(0, np.int64)
        first, second, pair = (np.concatenate([none, *parts]) for parts in (firsts, seconds, pairs))
        return first, second, pair


def duplicate_messages(digests: Digests, good: NDArray[np.int64], listing: Listing) -> list[str]:
    """What to say, one line each, about pictures of equal content in two splits or under two classes.

    digests: the content of a listing's pictures. good: (N,) which of them to look at, in order.
    """
    numbers = np.full(len(listing.labels), -1)
    for number, indices in enumerate(listing.splits.values()):
        numbers[indices] = number
    splits, labels, names = list(listing.splits), listing.labels, listing.names
    leaks: list[tuple[int, int]] = []
    doubts: list[tuple[int, int]] = []
    for same in digests.equal(good):
        first = same[0]
        leak = next((index for index in same if numbers[index] != numbers[first]), None)
        doubt = next((index for index in same if labels[index] != labels[first]), None)
        if leak is not None:
            leaks.append((first, leak))
        if doubt is not None:
            doubts.append((first, doubt))
    messages = []
    if leaks:
        one, other = leaks[0]
        messages.append(
            f"{len(leaks)} pictures lie in more than one split, such as {names[one]} "
            f"({splits[numbers[one]]}) and {names[other]} ({splits[numbers[other]]}), so results will look "
            "too good; remove the copies."
        )
    if doubts:
        one, other = doubts[0]
        messages.append(
            f"{len(doubts)} pictures lie in more than one class, such as {names[one]} and {names[other]}; "
            "remove the wrong ones."
        )
    return messages
