"""Picture files are named relative to their folder."""

from __future__ import annotations

from residua.data.sources.labelled_file import LabelledFile


def test_a_file_is_named_below_its_folder(tmp_path):
    path = tmp_path / "train" / "cat" / "1.png"
    file = LabelledFile.below(tmp_path, path, "cat", group="a", split="train", box=(0, 0, 2, 2))
    assert file == LabelledFile(path, "train/cat/1.png", "cat", "a", "train", (0, 0, 2, 2))
