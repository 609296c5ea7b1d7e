"""Exact duplicates of pictures: the quiet way in which a test split leaks into training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def first_occurrences(splits: Sequence[NDArray[np.uint8]]) -> NDArray[np.int64]:
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


def duplicate_messages(
    digests: Mapping[int, str], split_of: Mapping[int, str], labels: Sequence[int], names: Sequence[str]
) -> list[str]:
    """What to say, one line each, about pictures of equal content in two splits or under two classes.

    digests: content by index in the folder. split_of: the split by index. labels, names: by index.
    """
    groups: dict[str, list[int]] = {}
    for index, digest in sorted(digests.items()):
        groups.setdefault(digest, []).append(index)
    leaks: list[tuple[int, int]] = []
    doubts: list[tuple[int, int]] = []
    for same in groups.values():
        first = same[0]
        leak = next((index for index in same if split_of[index] != split_of[first]), None)
        doubt = next((index for index in same if labels[index] != labels[first]), None)
        if leak is not None:
            leaks.append((first, leak))
        if doubt is not None:
            doubts.append((first, doubt))
    messages = []
    if leaks:
        one, other = leaks[0]
        messages.append(
            f"{len(leaks)} pictures lie in more than one split, such as {names[one]} ({split_of[one]}) and "
            f"{names[other]} ({split_of[other]}), so results will look too good; remove the copies."
        )
    if doubts:
        one, other = doubts[0]
        messages.append(
            f"{len(doubts)} pictures lie in more than one class, such as {names[one]} and {names[other]}; "
            "remove the wrong ones."
        )
    return messages
