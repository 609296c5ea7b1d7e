"""Which picture files there are."""

from __future__ import annotations

import os

import pytest

from residua.data.pictures.files import find_pictures
from residua.errors import DataError


def test_find_pictures(tmp_path):
    folder = tmp_path / "my photos"
    (folder / "b" / "deep").mkdir(parents=True)
    (folder / "__MACOSX").mkdir()
    (folder / ".hidden").mkdir()
    names = ["z.PNG", "b/ä.Jpeg", "b/deep/1.tif", "__MACOSX/x.png", ".hidden/y.png", "._z.png", "notes.txt"]
    for name in names:
        (folder / name).write_bytes(b"x")
    single = tmp_path / "odd.name"
    single.write_bytes(b"x")
    os.symlink(folder, folder / "b" / "loop")
    found = find_pictures([single, folder, str(single)])
    inside = [folder / name for name in ("z.PNG", "b/ä.Jpeg", "b/deep/1.tif")]
    assert found == [single, *inside, single]
    assert find_pictures([tmp_path / "no"]) == [tmp_path / "no"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        find_pictures([tmp_path / "empty"])
