"""How publishers lay out their picture files, and which layout a folder has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from residua.data.sources.layouts import dogs_vs_cats, gtsrb, imagenet, notmnist, state_farm, tiny_imagenet
from residua.data.sources.table import Row


@dataclass(frozen=True)
class Layout:
    """A publisher's way with files.

    matches: whether a folder is laid out so, by a glance at it. rows: every labelled picture in it;
    raises DataError in one line. marks: what a folder must hold, for messages. group: what the pictures
    of a group share, "" where there are none. broken: pictures that are known to be damaged as
    published, relative to the folder.
    """

    matches: Callable[[Path], bool]
    rows: Callable[[Path], list[Row]]
    marks: str
    group: str = ""
    broken: frozenset[str] = frozenset()


LAYOUTS: dict[str, Layout] = {
    "tiny-imagenet": Layout(
        tiny_imagenet.matches, tiny_imagenet.rows, "wnids.txt, words.txt, train/ and val/val_annotations.txt"
    ),
    "imagenet": Layout(
        imagenet.matches, imagenet.rows, "train/ with a folder per WordNet id, val/, and the devkit"
    ),
    "gtsrb": Layout(
        gtsrb.matches,
        gtsrb.rows,
        "Final_Training/Images/, Final_Test/Images/ and GT-final_test.csv",
        "sign",
    ),
    "state-farm": Layout(
        state_farm.matches, state_farm.rows, "imgs/train/c0 to c9 and driver_imgs_list.csv", "driver"
    ),
    "notmnist": Layout(
        notmnist.matches, notmnist.rows, "the folders A to J of PNG files", broken=notmnist.BROKEN
    ),
    "dogs-vs-cats": Layout(dogs_vs_cats.matches, dogs_vs_cats.rows, "train/ with cat.0.jpg and so on"),
}
