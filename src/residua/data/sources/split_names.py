"""What people call the training, validation and test part of their data, and folds of a cross-validation."""

from __future__ import annotations

import re
from collections.abc import Iterable

# In small letters, and without the words of `_FILLERS` around them.
_NAMES = {
    **dict.fromkeys(["train", "training", "trains", "trn"], "train"),
    **dict.fromkeys(
        ["val", "valid", "validation", "validate", "validating", "dev", "development"], "validation"
    ),
    **dict.fromkeys(["test", "testing", "tests", "tst", "eval", "evaluation", "holdout", "heldout"], "test"),
}
_FILLERS = frozenset(
    {
        *("set", "sets", "data", "dataset", "datasets", "split", "part", "subset", "seg"),
        *("public", "private", "the", "image", "images", "img", "imgs", "picture", "pictures"),
        *("pic", "pics", "photo", "photos", "folder", "dir"),
    }
)


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_JOINED = re.compile(f"({_any_of(_NAMES)})(?:{_any_of(_FILLERS)})")
_FOLD = re.compile(r"(?:k?[-_ ]?fold|cv)s?[-_ .]*\d+|\d+(?:st|nd|rd|th)?[-_ .]*folds?", re.IGNORECASE)
_PART = re.compile(r"(?:split|part|partition|chunk|batch|shard|subset|set|round)[-_ .]*\d+", re.IGNORECASE)


def split_of(name: str) -> str | None:
    """The split that a folder or a cell names ("train", "validation" or "test"), in any usual spelling.

    Among them Train, TRAINING, train_set, seg_train, trainset, TestImages, val2017, dev.
    """
    if not name.isascii():
        return None
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    # A year says which edition (val2017), a number in front the order (1_train).
    words = [word for word in words if word not in _FILLERS and not re.fullmatch(r"(?:19|20)\d\d", word)]
    if len(words) > 1 and re.fullmatch(r"\d\d?", words[0]):
        words = words[1:]
    if len(words) != 1:
        return _NAMES.get("".join(words))  # hold-out
    joined = _JOINED.fullmatch(words[0])
    return _NAMES.get(joined[1] if joined else words[0])


def is_fold(name: str) -> bool:
    """Whether a folder is called as a fold of a cross-validation: fold1, 2nd fold, cv3."""
    return _FOLD.fullmatch(name.strip()) is not None


def is_part(name: str) -> bool:
    """Whether a folder is called as one of several parts of something: fold1, part2, batch_3, split 1."""
    return is_fold(name) or _PART.fullmatch(name.strip()) is not None
