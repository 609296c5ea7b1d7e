"""notMNIST_small and notMNIST_large: PNG files in the folders A to J, seven of which are broken.

Six of those are empty and one is no picture; the names are those of the typefaces' files in base 64.
"""

from __future__ import annotations

from pathlib import Path

from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.layouts.reading import class_files
from residua.errors import DataError

LETTERS = tuple("ABCDEFGHIJ")
BROKEN = frozenset(
    {
        # notMNIST_small
        "A/RGVtb2NyYXRpY2FCb2xkT2xkc3R5bGUgQm9sZC50dGY=.png",
        "F/Q3Jvc3NvdmVyIEJvbGRPYmxpcXVlLnR0Zg==.png",
        # notMNIST_large
        "A/RnJlaWdodERpc3BCb29rSXRhbGljLnR0Zg==.png",
        "A/SG90IE11c3RhcmQgQlROIFBvc3Rlci50dGY=.png",
        "A/Um9tYW5hIEJvbGQucGZi.png",
        "B/TmlraXNFRi1TZW1pQm9sZEl0YWxpYy5vdGY=.png",
        "D/VHJhbnNpdCBCb2xkLnR0Zg==.png",
    }
)


def matches(folder: Path) -> bool:
    """Whether this is notMNIST_small or notMNIST_large, by its name: letters alone could be anybody's."""
    return folder.resolve().name in ("notMNIST_small", "notMNIST_large") and (folder / "A").is_dir()


def list_files(folder: Path) -> list[LabelledFile]:
    """The pictures of the ten folders."""
    files = class_files(folder, folder, None, {})
    if unknown := sorted({file.label for file in files} - set(LETTERS)):
        raise DataError(f"{folder / unknown[0]} is no letter of notMNIST; its folders are A to J.")
    return files
