"""What an output option means, and that what cannot be written is refused before any work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from residua.errors import ConfigError, RunError
from residua.files import output as module
from residua.files.output import make_parent, output_file, output_folder, require_writable

DEFAULT = Path("check-pets.png")
PICTURES = (".png", ".svg")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("mine")
    yield tmp_path
    assert sorted(os.listdir(tmp_path)) == ["file", "there"], "looking leaves nothing behind"
    assert os.listdir(tmp_path / "there") == []
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (None, "check-pets.png"),
        ("x.png", "x.png"),
        ("X.PNG", "X.PNG"),
        ("there", "there/check-pets.png"),
        ("there/", "there/check-pets.png"),
        ("new/", "new/check-pets.png"),
        ("new", "new/check-pets.png"),
        ("new/deep/x.svg", "new/deep/x.svg"),
        (".", "check-pets.png"),
        ("", "check-pets.png"),
    ],
)
def test_a_picture(text, path):
    assert output_file(text, DEFAULT, suffixes=PICTURES) == Path(path)


@pytest.mark.parametrize(
    ("text", "path"),
    [("m", "m"), ("m.model", "m.model"), ("there", "there/w.safetensors"), ("new/", "new/w.safetensors")],
)
def test_a_file_whose_ending_says_nothing(text, path):
    default = Path("elsewhere/w.model.safetensors")
    assert output_file(text, default, inside="w.safetensors") == Path(path)


def test_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert output_file("~/x.png", DEFAULT, suffixes=PICTURES) == tmp_path / "x.png"
    assert output_folder("~/new") == tmp_path / "new"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x.txt", "--output takes a folder, or a file that ends in .png, .svg, not x.txt"),
        ("file", "--output takes a file that can be written, not file/check-pets.png: Not a directory"),
        ("file/x.png", "not file/x.png: Not a directory"),
        ("file/a/b/x.png", "not file/a/b/x.png: Not a directory"),
        ("/dev/null/x.png", "Not a directory"),
        ("x" * 300 + ".png", "File name too long"),
        ("nul\0.png", "null"),
        ("/proc/no/x.png", "--output takes a file that can be written, not /proc/no/x.png"),
    ],
)
def test_pictures_that_cannot_be_written(text, said):
    with pytest.raises(ConfigError) as caught:
        output_file(text, DEFAULT, suffixes=PICTURES)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_devices_are_left_alone():
    with pytest.raises(ConfigError, match=r"--json takes a file .* not /dev/null: it is no ordinary file"):
        output_file("/dev/null", DEFAULT, option="--json")


def test_a_folder_in_place_of_the_default(folder):
    inside = folder / "there" / DEFAULT.name
    inside.mkdir()
    try:
        with pytest.raises(ConfigError, match="Is a directory"):
            output_file("there", DEFAULT, suffixes=PICTURES)
    finally:
        inside.rmdir()


@pytest.mark.parametrize("text", ["there", "there/", "new", "new/deep", "v1.2", "."])
def test_folders(text):
    assert output_folder(text, foreign=PICTURES) == Path(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file", "--output takes a folder, not file: Not a directory"),
        ("file/deep", "--output takes a folder, not file/deep: Not a directory"),
        ("x.png", "--output takes a folder, not x.png: a folder of that name would be taken for a file"),
        ("/proc/no", "--output takes a folder, not /proc/no"),
        ("nul\0", "null"),
    ],
)
def test_folders_that_cannot_be(text, said):
    with pytest.raises(ConfigError) as caught:
        output_folder(text, foreign=PICTURES)
    assert said in str(caught.value)


def test_no_permission(monkeypatch):
    """Root may write everywhere, so the refusal is played; what was made before it is taken back."""

    def refuse(target):
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(module, "temporary_for", refuse)
    for text in ("x.png", "new/deep/x.png", "there"):
        with pytest.raises(ConfigError, match="Permission denied"):
            output_file(text, DEFAULT, suffixes=PICTURES)
    with pytest.raises(ConfigError, match=r"cannot write into there: Permission denied; choose another"):
        require_writable(Path("there"))


def test_the_folder_is_made_when_something_is_written(folder):
    path = make_parent(folder / "there" / "a" / "b" / "x.png")
    assert path.parent.is_dir()
    path.parent.rmdir()
    path.parent.parent.rmdir()
    with pytest.raises(RunError, match=r"Cannot write file/x.png: File exists"):
        make_parent(Path("file/x.png"))
