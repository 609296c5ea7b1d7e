"""Labels by the classes of data -> by those of a model: matched by name, never by position."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from residua.config.shared import UnknownClasses
from residua.errors import DataError

MOST_NAMES = 4  # that a line holds


@dataclass(frozen=True, eq=False)
class MatchedLabels:
    """labels: (N,) of the pictures that are kept, in the model's order. kept: (M,) which are. left_out: the
    pictures of each class that the model does not know.
    """

    labels: NDArray[np.int64]
    kept: NDArray[np.bool_]
    left_out: dict[str, int]


def match_labels(
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    known: tuple[str, ...],
    name: str,
    unknown: UnknownClasses,
    say: Callable[[str], None],
) -> MatchedLabels:
    """Labels (M,) of data called `name` in the model's order of classes; other spellings are said.

    Raises DataError where a class is unknown and that is refused, or where no picture is of a known one.
    """
    spelt = _same_but_for_spelling(known)
    exact = {entry: index for index, entry in enumerate(known)}
    indices = [exact.get(entry, spelt.get(_plain(entry), -1)) for entry in classes]
    counts = np.bincount(labels, minlength=len(classes))
    there = [number for number, count in enumerate(counts.tolist()) if count]
    others = [
        f"{classes[number]} as {known[indices[number]]}"
        for number in there
        if indices[number] >= 0 and classes[number] != known[indices[number]]
    ]
    left_out = {classes[number]: int(counts[number]) for number in there if indices[number] < 0}
    if left_out and (unknown == "refuse" or len(left_out) == len(there)):
        raise DataError(
            f"{name} has classes that the model does not know ({_some(list(left_out))}); it knows "
            f"{', '.join(known[:6])}{', ...' if len(known) > 6 else ''}"
        )
    if others:
        say(f"{name} spells classes in another way: {_some(others)}")
    if left_out:
        told = [f"{entry} ({number:,})" for entry, number in left_out.items()]
        total = sum(left_out.values())
        say(
            f"{name} has classes that the model does not know: {_some(told)}. "
            f"Their {total:,} picture{'s are' if total > 1 else ' is'} left out"
        )
    translated = np.array(indices, np.int64)[labels]
    kept = translated >= 0
    return MatchedLabels(translated[kept], kept, left_out)


def _same_but_for_spelling(known: tuple[str, ...]) -> dict[str, int]:
    """{a class without capitals, blanks and Unicode forms: its index}, where only one class is meant."""
    plain = [_plain(entry) for entry in known]
    counts = Counter(plain)
    return {entry: index for index, entry in enumerate(plain) if counts[entry] == 1}


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")
