"""What is odd about pictures that are used all the same: counted, and said in one line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

METADATA = "broken metadata (EXIF, colour profile or text), which are passed over"
NO_END = "no end marker, and are whole all the same"
FRAMES = "several frames or pages, of which the first is used"
STRETCHED = (
    "values that have no agreed white (negative, beyond 16 bits, or no numbers), stretched from the lowest "
    "to the highest of each picture"
)
DARK = (
    "16 bits of which they use only the lowest 12 or fewer, and come out nearly black; multiply the values "
    "to use all 16"
)


def note_lines(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """A line for each note, with how many pictures it is about and the first of them.

    notes: the pictures' names by what is said of them.
    """
    return [
        f"{len(names):,} picture{'s have' if len(names) > 1 else ' has'} {text}"
        f"{', such as' if len(names) > 1 else ':'} {names[0]}"
        for text, names in notes.items()
        if names
    ]


def group_reasons(reasons: Sequence[str]) -> list[str]:
    """A line for each reason for which pictures are not read: the first of them, and how many more there are.

    reasons: as `PictureError` gives them, the file's name before the first colon and blank.
    """
    groups: dict[str, list[str]] = {}
    for text in reasons:
        groups.setdefault(text.split(": ", 1)[-1], []).append(text)
    return [
        f"{same[0]} (and {len(same) - 1:,} more)" if len(same) > 1 else same[0] for same in groups.values()
    ]


def group_notes(notes: Mapping[int, Sequence[str]], names: Sequence[str]) -> dict[str, list[str]]:
    """Names by note, out of notes by index."""
    grouped: dict[str, list[str]] = {}
    for index, texts in sorted(notes.items()):
        for text in texts:
            grouped.setdefault(text, []).append(names[index])
    return grouped
