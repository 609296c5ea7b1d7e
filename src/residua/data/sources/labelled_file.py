"""A picture file and its label, as a table or a folder names them before anything is opened."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from residua.data.pictures.decoding import Box
from residua.files.names import as_text


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A picture file of a table or a layout, and what is known of it before it is opened.

    path: as text where there may be millions. name: relative to the folder. group: pictures of one group
    stay on one side of a split. split: the one that it belongs to, where that is given. box: left, top,
    right, bottom of the region that matters, in pixels, the latter two exclusive. archive: the packed file
    that it is in, if any.
    """

    path: Path | str
    name: str
    label: str
    group: str | None = None
    split: str | None = None
    box: Box | None = None
    archive: str = ""

    @classmethod
    def packed(
        cls,
        folder: Path,
        archive: Path,
        entry: str,
        label: str,
        group: str | None = None,
        split: str | None = None,
    ) -> LabelledFile:
        """An entry of a packed file that lies anywhere below `folder`."""
        # What `below` does with a path takes longer than to read a small entry, of which there are millions.
        place = str(archive)
        shown = place.removeprefix(f"{folder}/") if place != str(folder) else archive.name
        # A name is the end of the path: one text would do for both.
        return cls(
            f"{place}/{entry}", f"{shown}/{entry}", sys.intern(as_text(label)), group, split, archive=place
        )

    @classmethod
    def below(
        cls,
        folder: Path,
        path: Path,
        label: str,
        *,
        group: str | None = None,
        split: str | None = None,
        box: Box | None = None,
    ) -> LabelledFile:
        """A file that lies anywhere below `folder`."""
        return cls(path, path.relative_to(folder).as_posix(), as_text(label), group, split, box)
