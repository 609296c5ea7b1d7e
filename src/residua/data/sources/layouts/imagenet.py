"""ImageNet, ILSVRC 2012: train/WNID/*.JPEG, and val/ flat with the devkit's ground truth, or val/WNID/.

The labels of the challenge's test pictures were never published, so val/ is the test split and
validation comes out of train/.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from residua.data.pictures.files import subfolders, walk_pictures
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.layouts.reading import WNID, class_files, first_of, read_lines
from residua.data.sources.readers.matlab import read_matlab
from residua.errors import DataError

TRUTH, META = "ILSVRC2012_validation_ground_truth.txt", "meta.mat"
_DEVKIT = ("", "val", "data", "devkit", "devkit/data", "ILSVRC2012_devkit_t12", "ILSVRC2012_devkit_t12/data")


def matches(folder: Path) -> bool:
    """Whether this is ImageNet with val/ as it comes out of the publisher's archive.

    A val/ with folders is what anybody's own pictures have too; it is taken where ImageNet is named.
    """
    train, val = folder / "train", folder / "val"
    if not (train.is_dir() and val.is_dir()):
        return False
    return all(WNID.fullmatch(kind.name) for kind in subfolders(train)) and _is_flat(val)


def list_files(folder: Path) -> list[LabelledFile]:
    """The labelled pictures of train/ and val/; classes are "n01440764 tench", or ids without the devkit."""
    wnids = [kind.name for kind in subfolders(folder / "train")]
    if unknown := [name for name in wnids if not WNID.fullmatch(name)]:
        raise DataError(
            f"{folder / 'train'} holds {first_of(unknown)}; its folders are WordNet ids, n01440764."
        )
    meta = _find(folder, META)
    known = _synsets(meta) if meta else {}
    words = dict(known.values())
    names = {wnid: f"{wnid} {words[wnid]}" if wnid in words else wnid for wnid in wnids}
    files = class_files(folder, folder / "train", "train", names)
    val = folder / "val"
    if not val.is_dir():
        return files
    if not _is_flat(val):
        return files + class_files(folder, val, "test", names)
    truth = _find(folder, TRUTH)
    if truth is None or meta is None:
        missing = META if truth else TRUTH
        raise DataError(
            f"{val} holds pictures without folders, so their classes are told by {TRUTH} and {META} of the "
            f"devkit (ILSVRC2012_devkit_t12.tar.gz): unpack it into {folder}; {missing} was not found."
        )
    return files + _validation(folder, truth, known, names)


def _validation(
    folder: Path, truth: Path, known: dict[int, tuple[str, str]], names: dict[str, str]
) -> list[LabelledFile]:
    """Rows of val/: line k of the ground truth is the devkit's number of ILSVRC2012_val_0000000k."""
    numbers = read_lines(truth)
    files = []
    for path in walk_pictures(folder / "val"):
        digits = path.stem.rpartition("_")[2]
        if not digits.isdigit() or not 1 <= int(digits) <= len(numbers):
            raise DataError(
                f"{path} has no line in {truth} ({len(numbers):,} lines): validation pictures are called "
                "ILSVRC2012_val_00000001.JPEG; remove the others."
            )
        number = numbers[int(digits) - 1].strip()
        if not number.isdigit() or int(number) not in known:
            raise DataError(f"{truth} line {digits} is {number!r}, no class of {META}; fetch it again.")
        wnid = known[int(number)][0]
        # A part of the training classes is a data set too; the other validation pictures have no place in it.
        if wnid in names:
            files.append(LabelledFile.below(folder, path, names[wnid], split="test"))
    return files


def _is_flat(val: Path) -> bool:
    return not any(WNID.fullmatch(kind.name) for kind in subfolders(val)) and any(val.glob("*.JPEG"))


def _find(folder: Path, name: str) -> Path | None:
    return next((folder / below / name for below in _DEVKIT if (folder / below / name).is_file()), None)


def _synsets(meta: Path) -> dict[int, tuple[str, str]]:
    """{the devkit's number: (WordNet id, first word)}; these numbers are not the alphabetical order."""
    synsets: Any = read_matlab(meta).get("synsets")
    try:
        return {
            int(entry["ILSVRC2012_ID"]): (str(entry["WNID"]), str(entry["words"]).split(",")[0].strip())
            for entry in synsets
        }
    except (TypeError, ValueError, IndexError, KeyError) as problem:
        raise DataError(f"{meta} is not the devkit's table of classes ({problem}); fetch it again.") from None
