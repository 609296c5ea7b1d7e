"""What the layouts share: lines, columns, folders of classes."""

from __future__ import annotations

import pytest
from data_sets import paint

from residua.data.sources.layouts.reading import class_files, first_of, read_columns, read_lines
from residua.errors import DataError


def test_lines_without_blanks_and_byte_order_mark(tmp_path):
    (tmp_path / "words.txt").write_text("\ufeffone\n\n  \ntwo\n", encoding="utf-8")
    assert read_lines(tmp_path / "words.txt") == ["one", "two"]
    (tmp_path / "latin.txt").write_bytes("Straße".encode("latin-1"))
    assert read_lines(tmp_path / "latin.txt") == ["Straße"]
    (tmp_path / "latin.txt").write_bytes(b"\x81\x8d\x00")
    with pytest.raises(DataError, match="no text in UTF-8"):
        read_lines(tmp_path / "latin.txt")
    with pytest.raises(DataError, match="unpack the archive again"):
        read_lines(tmp_path / "absent.txt")


def test_columns_by_name(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("b;a\n1; 2\n")
    assert read_columns(table, ("a",), ";") == [{"": "2", "b": "1", "a": "2"}]
    with pytest.raises(DataError, match="c is not in it"):
        read_columns(table, ("a", "c"), ";")
    table.write_text("b;a\n1\n")
    with pytest.raises(DataError, match="line 2 has 1 cells, its first line 2"):
        read_columns(table, ("a",), ";")


def test_files_of_classes_by_their_folders(tmp_path):
    for name in ("train/x/1.png", "train/x/deeper/2.png", "train/y/3.png", "train/.hidden/4.png"):
        paint(tmp_path / name, 1)
    files = class_files(tmp_path, tmp_path / "train", "train", {"x": "an x"})
    assert [(file.name, file.label, file.split, file.group) for file in files] == [
        ("train/x/1.png", "an x", "train", None),
        ("train/x/deeper/2.png", "an x", "train", None),
        ("train/y/3.png", "y", "train", None),
    ]


def test_many_names_are_summed_up():
    assert first_of(["a"]) == "a"
    assert first_of(["a"] * 1002) == "a (and 1,001 more)"
