"""The table of publishers' layouts: how to know one, and how to list its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.layouts import dogs_vs_cats, gtsrb, imagenet, notmnist, state_farm, tiny_imagenet


@dataclass(frozen=True)
class Layout:
    """How a publisher lays out picture files.

    matches: whether a folder is laid out so, by a glance at it. list_files: every labelled picture in
    it; raises DataError in one line. marks: what a folder must hold, for messages. group: what the pictures
    of a group share, "" where there are none. broken: pictures that are known to be damaged as
    published, relative to the folder.
    """

    matches: Callable[[Path], bool]
    list_files: Callable[[Path], list[LabelledFile]]
    marks: str
    group: str = ""
    broken: frozenset[str] = frozenset()


LAYOUTS: dict[str, Layout] = {
    "tiny-imagenet": Layout(
        tiny_imagenet.matches,
        tiny_imagenet.list_files,
        "wnids.txt, words.txt, train/ and val/val_annotations.txt",
    ),
    "imagenet": Layout(
        imagenet.matches, imagenet.list_files, "train/ with a folder per WordNet id, val/, and the devkit"
    ),
    "gtsrb": Layout(
        gtsrb.matches,
        gtsrb.list_files,
        "Final_Training/Images/, Final_Test/Images/ and GT-final_test.csv",
        "sign",
    ),
    "state-farm": Layout(
        state_farm.matches, state_farm.list_files, "imgs/train/c0 to c9 and driver_imgs_list.csv", "driver"
    ),
    "notmnist": Layout(
        notmnist.matches, notmnist.list_files, "the folders A to J of PNG files", broken=notmnist.BROKEN
    ),
    "dogs-vs-cats": Layout(dogs_vs_cats.matches, dogs_vs_cats.list_files, "train/ with cat.0.jpg and so on"),
}
