"""Folders and tables of pictures: split as meant, decoded once, and every mistake named in one line."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from residua.config import DataOptions
from residua.data import open_dataset
from residua.data.pictures import cache as cache_module
from residua.errors import ConfigError, DataError

DATA = Path(os.environ.get("RESIDUA_DATA", ""))
SPLITS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    monkeypatch.delenv("RESIDUA_DATA", raising=False)


def paint(path, number):
    """A picture of one colour that tells its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (5, 4), (number % 256, number // 256, 7)).save(path, "PNG")


def number(image):
    return int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])


def make(folder, **counts):
    """Folders such as cat=3 or train__cat=3 with numbered pictures; returns number by name."""
    known = {}
    for name, count in counts.items():
        for k in range(count):
            path = folder / name.replace("__", "/") / f"{k} ü.PNG"
            known[path.relative_to(folder).as_posix()] = len(known)
            paint(path, len(known) - 1)
    return known


def opened(folder, seed=0, said=None, **options):
    options = {"size": 4, **options}
    say = (lambda _: None) if said is None else said.append
    return open_dataset(DataOptions(data=str(folder), **options), seed, say=say)


def refused(folder, seed=0, read=None, **options):
    """The one line with which a folder is refused."""

    def attempt():
        data = opened(folder, seed, **options)
        if read:
            data.read(read)

    with pytest.raises((DataError, ConfigError)) as caught:
        attempt()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def names(data):
    return {split: set(data.read(split).names) for split in SPLITS}


def test_each_picture_lies_in_one_split_under_its_own_label(tmp_path):
    known = make(tmp_path / "my pets", cat=30, dog=50, eel=20)
    data = opened(tmp_path / "my pets", validation=0.2, test=0.1)
    assert data.classes == ("cat", "dog", "eel")
    seen = []
    for split, sizes in zip(SPLITS, ([21, 36, 15], [6, 9, 3], [3, 5, 2]), strict=True):
        pictures = data.read(split)
        assert abs(np.bincount(pictures.labels) - sizes).max() <= 1
        assert list(data.counts(split).values()) == np.bincount(pictures.labels).tolist()
        for image, label, name in zip(pictures.images, pictures.labels, pictures.names, strict=True):
            assert known[name] == number(image)
            assert name.split("/")[0] == data.classes[label]
            seen.append(name)
    assert sorted(seen) == sorted(known)


def test_the_seed_decides(tmp_path):
    make(tmp_path / "pets", cat=20, dog=20)
    one, again, other = (names(opened(tmp_path / "pets", seed)) for seed in (0, 0, 1))
    assert one == again
    assert one["test"] != other["test"]
    assert one["validation"] != other["validation"]


@pytest.mark.parametrize("val", ["val", "validation"])
def test_given_splits_are_kept(tmp_path, val):
    make(tmp_path / "pets", train__cat=5, train__dog=6, test__cat=3, test__dog=2, **{f"{val}__cat": 2})
    data = opened(tmp_path / "pets")
    for split, folder in zip(SPLITS, ("train", val, "test"), strict=True):
        assert {name.split("/")[0] for name in data.read(split).names} == {folder}
    assert data.counts("validation") == {"cat": 2, "dog": 0}


def test_missing_splits_are_taken_from_train(tmp_path):
    make(tmp_path / "pets", train__cat=20, train__dog=20, test__cat=3)
    data = opened(tmp_path / "pets")
    assert [len(data.read(split)) for split in SPLITS] == [36, 4, 3]
    shutil.rmtree(tmp_path / "pets" / "test")
    assert sum(len(opened(tmp_path / "pets").read(split)) for split in SPLITS) == 40


def test_test_pictures_are_opened_only_on_request(tmp_path):
    make(tmp_path / "pets", train__cat=10, train__dog=10, test__cat=3, test__dog=3)
    for path in (tmp_path / "pets" / "test").rglob("*.PNG"):
        path.write_bytes(b"broken")
    data = opened(tmp_path / "pets")
    data.read("train"), data.read("validation"), data.fingerprint("train")
    with pytest.raises(DataError, match="6 of 26"):
        data.read("test")


def test_hidden_things_and_loops_are_passed_over(tmp_path):
    folder = tmp_path / "pets"
    make(folder, cat=5, dog=5, **{".thumbnails": 3})
    paint(folder / "__MACOSX" / "._1.png", 0)
    paint(folder / "cat" / "__MACOSX" / "1.png", 0)
    (folder / "cat" / "._0.png").write_bytes(b"shadow")
    (folder / "cat" / "notes.txt").write_text("no picture")
    (folder / "LICENSE").write_text("none")
    os.symlink(folder, folder / "cat" / "loop")
    os.symlink(folder / "dog", folder / "dog" / "again")
    data = opened(folder)
    # Followed, the first link would bring the dogs into cat/.
    assert data.classes == ("cat", "dog")
    assert sum(data.counts(split)["cat"] for split in SPLITS) == 5
    assert sum(data.counts(split)["dog"] for split in SPLITS) == 5


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda f: f.mkdir(), "is empty"),
        (lambda f: paint(f / "a.png", 0), "holds pictures but no folders"),
        (lambda f: make(f, cat=3), "only the class 'cat'"),
        (lambda f: (make(f, cat=3), (f / "dog").mkdir()), "dog holds no pictures"),
        (lambda f: make(f, train__cat=3, train__dog=3, test__eel=2), "Class 'eel' occurs in test/eel/"),
        (lambda f: make(f, train__cat=3, train__dog=3, val__eel=2), "but not in train/"),
        (lambda f: make(f, test__cat=3, val__dog=3), "but no train/"),
        (lambda f: make(f, train__cat=9, train__dog=9, val__dog=3, validation__cat=2), "keep one"),
        (lambda f: (make(f, train__cat=9, train__dog=9), (f / "train/eel").mkdir()), "eel holds no pictures"),
        (lambda f: (make(f, train__cat=9, train__dog=9), (f / "test").mkdir()), "test is empty"),
        (lambda f: make(f, cat=1, dog=1), "two pictures"),
        (lambda f: make(f, cat=2, dog=2), "two pictures"),
    ],
)
def test_folders_that_cannot_be_meant(tmp_path, build, text):
    build(tmp_path / "pets")
    assert text in refused(tmp_path / "pets")


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
        assert len(opened(tmp_path / "pets", said=said, **options).read("test")) == 2
        assert text in said[0]
    else:
        assert text in refused(tmp_path / "pets", **options)


def test_names_that_are_neither(tmp_path):
    assert "Did you mean 'cifar10'" in refused("cifar-10")
    assert "Choose from: cifar10" in refused(tmp_path / "absent")
    (tmp_path / "file").write_bytes(b"")
    assert "is a file" in refused(tmp_path / "file")


def test_small_classes_are_mended_and_said(tmp_path):
    make(tmp_path / "pets", cat=20, dog=20, rare=1)
    said = []
    data = opened(tmp_path / "pets", said=said)
    assert "pets/rare" not in said[0]
    assert "'rare'" in said[0]
    assert data.counts("train")["rare"] == 1
    assert sum(data.counts(split)["rare"] for split in SPLITS) == 1


def test_decoded_once(tmp_path, monkeypatch):
    folder = tmp_path / "pets"
    make(folder, cat=10, dog=10)
    first = opened(folder).read("train")

    def never(*_):
        raise AssertionError("decoded again")

    with monkeypatch.context() as patch:
        patch.setattr(cache_module, "read_picture", never)
        again = opened(folder).read("train")
        assert np.array_equal(first.images, again.images)
        assert len(opened(folder, seed=9).read("test")) == 2  # another split, the same pictures
        shutil.copytree(folder, tmp_path / "moved")
        assert len(opened(tmp_path / "moved").read("train")) == 16
        with pytest.raises(AssertionError):
            opened(folder, size=5).read("train")
    paint(folder / "cat" / "0 ü.PNG", 999)
    changed = opened(folder)
    assert 999 in [number(image) for split in SPLITS for image in changed.read(split).images]


def test_a_whole_split_stays_on_disk(tmp_path):
    make(tmp_path / "pets", train__cat=5, train__dog=5, test__cat=3, val__dog=3)
    assert isinstance(opened(tmp_path / "pets").read("train").images, np.memmap)


def test_a_damaged_cache_is_made_anew(tmp_path):
    make(tmp_path / "pets", cat=10, dog=10)
    before = opened(tmp_path / "pets").read("train").images
    (pixels,) = (tmp_path / "cache" / "pictures").glob("*.npy")
    for spoil in (lambda: pixels.write_bytes(pixels.read_bytes()[:-9]), pixels.unlink):
        spoil()
        assert np.array_equal(opened(tmp_path / "pets").read("train").images, before)


def test_a_cache_that_cannot_be_written_is_said_once(tmp_path):
    make(tmp_path / "pets", cat=10, dog=10)
    (tmp_path / "cache").write_bytes(b"a file where a folder should be")
    said = []
    data = opened(tmp_path / "pets", said=said)
    assert [len(data.read(split)) for split in SPLITS] == [16, 2, 2]
    assert len(said) == 1
    assert "kept in memory" in said[0]
    assert "\n" not in said[0]


def test_a_full_disk_keeps_the_pictures_in_memory(tmp_path, monkeypatch):
    make(tmp_path / "pets", cat=10, dog=10)

    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module, "_reserve", full)
    said = []
    assert len(opened(tmp_path / "pets", said=said).read("train")) == 16
    assert "No space left" in said[0]
    assert os.listdir(tmp_path / "cache" / "pictures") == []


def spoil(path, content=b""):
    path.write_bytes(content)
    return path


def test_corrupt_pictures_are_named_counted_and_never_relabelled(tmp_path):
    known = make(tmp_path / "pets", cat=150, dog=150)
    bad = {
        spoil(tmp_path / "pets/cat/7 ü.PNG"),
        spoil(tmp_path / "pets/dog/3 ü.PNG", b"<html>not found</html>"),
        spoil(tmp_path / "pets/dog/4 ü.PNG", (tmp_path / "pets/dog/5 ü.PNG").read_bytes()[:40]),
    }
    for _ in range(2):  # decoded, then from the cache
        said = []
        data = opened(tmp_path / "pets", said=said)
        total = 0
        for split in SPLITS:
            pictures = data.read(split)
            total += len(pictures)
            for image, label, name in zip(pictures.images, pictures.labels, pictures.names, strict=True):
                assert known[name] == number(image)
                assert data.classes[label] == name.split("/")[0]
            assert sum(data.counts(split).values()) == len(pictures)
        assert total == 297
        assert len(said) == 3
        for path in bad:
            assert sum(str(path) in line for line in said) == 1


def test_too_many_corrupt_pictures_stop(tmp_path):
    make(tmp_path / "pets", cat=100, dog=100)
    for k in range(3):
        spoil(tmp_path / f"pets/cat/{k} ü.PNG")
    text = refused(tmp_path / "pets", read="train")
    assert "3 of 200" in text
    assert "more than 1 %" in text
    assert "cat/0 ü.PNG" in text


def test_without_a_listener_warnings_are_given(tmp_path):
    make(tmp_path / "pets", cat=100, dog=100)
    spoil(tmp_path / "pets/cat/0 ü.PNG")
    data = open_dataset(DataOptions(data=str(tmp_path / "pets"), size=4), 0)
    with pytest.warns(UserWarning, match="Skipped"):
        data.read("train")


def test_the_fingerprint_tells_of_every_change(tmp_path):
    folder = tmp_path / "pets"
    make(folder, train__cat=5, train__dog=5, test__cat=3, test__dog=3, val__cat=3)
    before = {split: opened(folder).fingerprint(split) for split in SPLITS}
    assert before == {split: opened(folder, size=7).fingerprint(split) for split in SPLITS}
    shutil.copytree(folder, tmp_path / "copy")
    assert before == {split: opened(tmp_path / "copy").fingerprint(split) for split in SPLITS}
    (folder / "test/cat/0 ü.PNG").rename(folder / "test/dog/new.png")
    paint(folder / "train/cat/1 ü.PNG", 500)
    after = {split: opened(folder).fingerprint(split) for split in SPLITS}
    assert [after[split] == before[split] for split in SPLITS] == [False, True, False]


def test_a_class_called_train(tmp_path):
    make(tmp_path / "vehicles", train=20, bus=20, test=20)
    assert opened(tmp_path / "vehicles").classes == ("bus", "test", "train")


def test_folders_beside_the_splits_are_said(tmp_path):
    make(tmp_path / "pets", train__cat=20, train__dog=20, extra=3)
    said = []
    assert opened(tmp_path / "pets", said=said).classes == ("cat", "dog")
    assert "extra beside train/" in said[0]


def test_copies_across_splits_and_classes_are_said(tmp_path):
    folder = tmp_path / "pets"
    make(folder, train__cat=20, train__dog=20, val__cat=3, val__dog=3, test__cat=3, test__dog=3)
    shutil.copy(folder / "train/cat/0 ü.PNG", folder / "test/cat/copy.png")
    shutil.copy(folder / "train/cat/1 ü.PNG", folder / "train/dog/copy.png")
    said = []
    data = opened(folder, said=said)
    data.read("train")
    assert len(said) == 1
    assert "1 pictures lie in more than one class" in said[0]
    for split in SPLITS:
        data.read(split)
    assert len(said) == 2
    assert "test/cat/copy.png (test)" in said[1]
    assert "train/cat/0 ü.PNG (train)" in said[1]


def test_grey(tmp_path):
    make(tmp_path / "pets", cat=20, dog=20)
    data = open_dataset(DataOptions(data=str(tmp_path / "pets"), size=4), 0, channels=1)
    assert data.read("train").images.shape == (32, 4, 4, 1)


def test_a_folder_inside_the_data_folder(tmp_path):
    make(tmp_path / "pets", cat=20, dog=20)
    assert opened("pets", data_dir=str(tmp_path)).classes == ("cat", "dog")


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text exist on Linux alone")
def test_names_that_are_no_text(tmp_path):
    make(tmp_path / "pets", cat=20, dog=20)
    os.rename(tmp_path / "pets/cat/0 ü.PNG", os.fsencode(tmp_path / "pets/cat") + b"/\xff.png")
    data = opened(tmp_path / "pets")
    assert len({data.fingerprint(split) for split in SPLITS}) == 3


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    make(tmp_path / "pets", cat=3, dog=3)
    real = os.scandir

    def refuse(path="."):
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert "Permission denied" in refused(tmp_path / "pets")


# --- tables -------------------------------------------------------------------------------------------


def table(path, *lines, encoding="utf-8"):
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return str(path)


def drivers(folder, people=10, each=6):
    """Pictures of two postures by several drivers, the way that leaks when it is split by picture."""
    lines = ["file,label,group"]
    for person in range(people):
        for k in range(each):
            paint(folder / f"p{person}-{k}.png", person * each + k)
            lines.append(f"p{person}-{k}.png,{'phone' if k % 2 else 'safe'},driver {person}")
    return lines


def test_groups_stay_on_one_side(tmp_path):
    lines = drivers(tmp_path / "pics")
    for seed in range(4):
        data = opened(
            tmp_path / "pics", seed, labels=table(tmp_path / "pics" / "l.csv", *lines), validation=0.2
        )
        people = {split: {name.split("-")[0] for name in data.read(split).names} for split in SPLITS}
        assert not people["train"] & people["validation"]
        assert not people["train"] & people["test"]
        assert not people["validation"] & people["test"]
        assert sum(map(len, people.values())) == 10
        assert data.classes == ("phone", "safe")
        assert [len(data.read(split)) for split in ("validation", "test")] == [12, 6]


def test_a_table_beside_or_apart_with_a_byte_order_mark(tmp_path):
    drivers(tmp_path / "pics")
    rows = [f"p{p}-{k}.png,{'a' if k % 2 else 'b'}" for p in range(10) for k in range(6)]
    apart = table(tmp_path / "l.csv", "File, Label", *rows, "", rows[0], encoding="utf-8-sig")
    data = opened(tmp_path / "pics", labels=apart)
    assert sum(len(data.read(split)) for split in SPLITS) == 60
    table(tmp_path / "pics" / "inside.csv", "label,file", *(",".join(row.split(",")[::-1]) for row in rows))
    assert opened(tmp_path / "pics", labels="inside.csv").fingerprint("test") == data.fingerprint("test")


def test_a_table_may_keep_given_splits(tmp_path):
    rows = ["file,label,group"]
    for k in range(30):
        part = "test" if k < 6 else "train"
        paint(tmp_path / "pics" / part / f"{k}.png", k)
        rows.append(f"{part}/{k}.png,{'ab'[k % 2]},g{k // 3}")
    data = opened(tmp_path / "pics", labels=table(tmp_path / "l.csv", *rows))
    assert {name.split("/")[0] for name in data.read("test").names} == {"test"}
    rows[1] = "test/0.png,a,g9"
    assert "Group 'g9'" in refused(tmp_path / "pics", labels=table(tmp_path / "l.csv", *rows))


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["name,label", "p0-0.png,a"], "needs a first line file,label"),
        (["file;label", "p0-0.png;a"], "needs a first line file,label"),
        ([""], "needs a first line"),
        (["file,label"], "names no pictures"),
        (["file,label", "p0-0.png,a", "no.png,b", "no2.png,b"], "line 3: no.png and 1 more"),
        (["file,label", "p0-0.png,a", "p0-0.png,b"], "the label 'b', an earlier line 'a'"),
        (["file,label", "p0-0.png,a", "./p0-0.png,b"], "the label 'b', an earlier line 'a'"),
        (["file,label,group", "p0-0.png,a,x", "p0-0.png,a,y"], "the group 'y', an earlier line 'x'"),
        (["file,label", "p0-0.png"], "line 2 has 1 cells"),
        (["file,label", "p0-0.png,"], "line 2 leaves a cell empty"),
        (["file,label,group", "p0-0.png,a,"], "line 2 leaves a cell empty"),
        (["file,label", "../../etc/passwd,a"], "lies outside"),
        (["file,label", "/etc/passwd,a"], "lies outside"),
        (["file,label", "p0-0.png,a", "p0-1.png,a"], "only the class 'a'"),
        (["file,label", '"p0-0.png,a'], "no CSV table"),
    ],
)
def test_tables_that_cannot_be_meant(tmp_path, lines, text):
    drivers(tmp_path / "pics")
    assert text in refused(tmp_path / "pics", labels=table(tmp_path / "pics" / "l.csv", *lines))


def test_a_table_in_another_encoding(tmp_path):
    drivers(tmp_path / "pics")
    path = table(tmp_path / "l.csv", "file,label", "p0-0.png,Käse", encoding="latin-1")
    assert "UTF-8" in refused(tmp_path / "pics", labels=path)


def test_one_group_cannot_be_divided(tmp_path):
    lines = [line.rsplit(",", 1)[0] + ",same" for line in drivers(tmp_path / "pics")]
    lines[0] = "file,label,group"
    assert "one group" in refused(tmp_path / "pics", labels=table(tmp_path / "l.csv", *lines))
    lines = [line.rsplit(",", 1)[0] + "," + line.split(",")[1] for line in lines]
    lines[0] = "file,label,group"
    assert "single group" in refused(tmp_path / "pics", labels=table(tmp_path / "l.csv", *lines))


# --- the real photographs -----------------------------------------------------------------------------


@pytest.mark.skipif(
    not (DATA.name and (DATA / "cats-dogs").is_dir()), reason="needs cats-dogs in RESIDUA_DATA"
)
def test_the_real_photographs(monkeypatch):
    data = open_dataset(replace(DataOptions(), data=str(DATA / "cats-dogs"), size=32), 0)
    sizes = [len(data.read(split)) for split in SPLITS]
    assert sum(sizes) == 1399
    assert data.classes == ("cat", "dog")
    for split in SPLITS:
        pictures = data.read(split)
        assert all(
            name.startswith(data.classes[label])
            for name, label in zip(pictures.names, pictures.labels, strict=True)
        )
        assert 20 < pictures.images.mean() < 235
