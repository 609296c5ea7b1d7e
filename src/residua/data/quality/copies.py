"""Exact copies of pictures: the quiet way in which a test split leaks into training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def tell_copies(
    digests: Mapping[int, str], split_of: Mapping[int, str], labels: Sequence[int], names: Sequence[str]
) -> list[str]:
    """What to say, one line each, about pictures of equal content in two splits or under two classes.

    digests: content by place in the folder. split_of: the split by place. labels, names: by place.
    """
    places: dict[str, list[int]] = {}
    for place, digest in sorted(digests.items()):
        places.setdefault(digest, []).append(place)
    leaks: list[tuple[int, int]] = []
    doubts: list[tuple[int, int]] = []
    for same in places.values():
        first = same[0]
        leak = next((place for place in same if split_of[place] != split_of[first]), None)
        doubt = next((place for place in same if labels[place] != labels[first]), None)
        if leak is not None:
            leaks.append((first, leak))
        if doubt is not None:
            doubts.append((first, doubt))
    said = []
    if leaks:
        one, other = leaks[0]
        said.append(
            f"{len(leaks)} pictures lie in more than one split, such as {names[one]} ({split_of[one]}) and "
            f"{names[other]} ({split_of[other]}), so results will look too good; remove the copies."
        )
    if doubts:
        one, other = doubts[0]
        said.append(
            f"{len(doubts)} pictures lie in more than one class, such as {names[one]} and {names[other]}; "
            "remove the wrong ones."
        )
    return said
