"""Tiny-ImageNet-200: train/WNID/images/*.JPEG, val/images/*.JPEG with val_annotations.txt, words.txt.

The labels of test/ were never published, so val/ is the test split and validation comes out of train/.
"""

from __future__ import annotations

from pathlib import Path

from residua.data.pictures.files import walk_pictures
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.layouts.reading import class_files, first_of, read_lines
from residua.errors import DataError


def matches(folder: Path) -> bool:
    """Whether this is tiny-imagenet-200."""
    return (folder / "wnids.txt").is_file() and (folder / "train").is_dir()


def list_files(folder: Path) -> list[LabelledFile]:
    """The labelled pictures of train/ and val/; classes are called "n01443537 goldfish"."""
    names = class_names(read_lines(folder / "wnids.txt"), folder / "words.txt")
    files = class_files(folder, folder / "train", "train", names)
    if unknown := sorted({file.label for file in files} - set(names.values())):
        raise DataError(f"{folder / 'train'} holds {first_of(unknown)}, which wnids.txt does not list.")
    if (folder / "val" / "images").is_dir():
        files += _validation(folder, names)
    elif (folder / "val").is_dir():  # rearranged into one folder per class
        files += class_files(folder, folder / "val", "test", names)
    return files


def class_names(wnids: list[str], words: Path) -> dict[str, str]:
    """{WordNet id: "id first-word"} with the words of a table id<tab>words, the id alone without them.

    The id stays in the name: two classes of ImageNet are called "crane".
    """
    descriptions: dict[str, str] = {}
    if words.is_file():
        for line in read_lines(words):
            wnid, _, text = line.partition("\t")
            descriptions[wnid.strip()] = text.split(",")[0].strip()
    ids = [wnid.strip() for wnid in wnids]
    return {wnid: f"{wnid} {descriptions[wnid]}" if descriptions.get(wnid) else wnid for wnid in ids}


def _validation(folder: Path, names: dict[str, str]) -> list[LabelledFile]:
    table = folder / "val" / "val_annotations.txt"
    labels: dict[str, str] = {}
    for number, line in enumerate(read_lines(table), 1):
        cells = line.split("\t")
        if len(cells) < 2 or cells[1] not in names:
            raise DataError(
                f"{table} line {number} gives no class of wnids.txt; it should read "
                "FILE<tab>WNID<tab>X<tab>Y<tab>X<tab>Y."
            )
        labels[cells[0]] = cells[1]
    paths = list(walk_pictures(folder / "val" / "images"))
    present = {path.name for path in paths}
    if unknown := sorted(present - set(labels)):
        raise DataError(
            f"{table} has no line for {first_of(unknown)}; fetch it again, or remove the pictures."
        )
    if absent := sorted(set(labels) - present):
        raise DataError(f"{table} names {first_of(absent)}, which is not in val/images; unpack it again.")
    return [LabelledFile.below(folder, path, names[labels[path.name]], split="test") for path in paths]
