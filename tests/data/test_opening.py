"""Data sets opened by name or folder, and options that do not fit them."""

from __future__ import annotations

from pathlib import Path

import published
import pytest
from data_sets import make, opened, opened_small, rejected, rejected_small, small_mnist, spoil, table

from residua.config import DataOptions
from residua.data import open_dataset
from residua.errors import ConfigError

pytestmark = pytest.mark.usefixtures("own_cache")


def test_options_for_folders_only():
    for option in ({"size": 32}, {"labels": "x.csv"}):
        with pytest.raises(ConfigError, match="is for folders of pictures"):
            opened("mnist", **option)
    with pytest.raises(ConfigError, match="A split is one of"):
        opened("digits").read("val")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"validation": -0.1}, "--validation must be"),
        ({"validation": 1.5}, "--validation must be"),
        ({"validation": float("nan")}, "--validation must be"),
        ({"validation": 36}, "hold out all 36"),
        ({"validation": 35}, "too few to hold out 35"),
        ({"test": 0}, "--test 0"),
        ({"test": 1}, "one of each"),
        ({"size": 0}, "--size must be"),
        ({"size": 10**6}, "--size must be"),
        ({"labels": "absent.csv"}, "absent.csv"),
    ],
)
def test_options_that_do_not_fit(tmp_path, options, text):
    make(tmp_path / "pets", cat=20, dog=20)
    if text == "one of each":
        said = []
        assert len(opened_small(tmp_path / "pets", said=said, **options).read("test")) == 2
        assert text in said[0]
    else:
        assert text in rejected_small(tmp_path / "pets", **options)


def test_names_that_are_neither(tmp_path):
    assert "Did you mean 'cifar10'" in rejected_small("cifar-10")
    assert "Choose from: cifar10" in rejected_small(tmp_path / "absent")
    (tmp_path / "file").write_bytes(b"")
    assert "is a file" in rejected_small(tmp_path / "file")


def test_without_a_listener_warnings_are_given(tmp_path):
    make(tmp_path / "pets", cat=100, dog=100)
    spoil(tmp_path / "pets/cat/0 ü.PNG")
    data = open_dataset(DataOptions(data=str(tmp_path / "pets"), size=4), 0)
    with pytest.warns(UserWarning, match="Skipped"):
        data.read("train")


def test_grey(tmp_path):
    make(tmp_path / "pets", cat=20, dog=20)
    data = open_dataset(DataOptions(data=str(tmp_path / "pets"), size=4), 0, channels=1)
    assert data.read("train").images.shape == (32, 4, 4, 1)


def test_a_folder_inside_the_data_folder(tmp_path):
    make(tmp_path / "pets", cat=20, dog=20)
    assert opened_small("pets", data_dir=str(tmp_path)).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"groups": "leaky"}, "names no groups"),
        ({"region": True}, "--region is for gtsrb"),
    ],
)
def test_options_of_other_data_sets(tmp_path, options, text):
    folder = published.dogs_vs_cats(tmp_path / "dogs-vs-cats")
    assert text in rejected(folder, **options)
    own = tmp_path / "own"
    for name in "ab":
        for number in range(9):
            published.paint(own / name / f"{number}.png", number)
    assert text in rejected(own, **options)
    assert "knows nothing of it" in rejected("digits", **options)


def test_labels_for_a_published_set_are_refused(tmp_path):
    published.dogs_vs_cats(tmp_path / "dogs-vs-cats")
    assert "has its own labels" in rejected("dogs-vs-cats", data_dir=str(tmp_path), labels="x.csv")


def test_paths_of_pathlib_open_what_their_texts_open(tmp_path):
    make(tmp_path / "sets" / "own", cat=20, dog=20)
    small_mnist(tmp_path / "sets" / "mnist")
    lines = [f"{name}/{k} ü.PNG,{name}" for name in ("cat", "dog") for k in range(20)]
    labels = table(tmp_path / "labels.csv", "file,label", *lines)
    for options in (
        {"data": tmp_path / "sets" / "own"},
        {"data": Path("own"), "data_dir": tmp_path / "sets"},
        {"data": Path("mnist"), "data_dir": tmp_path / "sets"},
        {"data": tmp_path / "sets" / "own", "labels": Path(labels)},
    ):
        size = {} if options["data"] == Path("mnist") else {"size": 4}
        data, same = (
            open_dataset(DataOptions(**kind, **size), 0, say=lambda _: None)
            for kind in (options, {name: str(path) for name, path in options.items()})
        )
        assert data.name == same.name == str(options["data"])
        assert data.fingerprint("test") == same.fingerprint("test")
