"""Packed files as data: which they are, their splits, their labels."""

from __future__ import annotations

import json

import pytest
from data_sets import SPLITS, labels_by_name, make, number, opened_small, rejected_small
from shards import folders, png, samples, write_parquet, write_tar, write_zip

pytestmark = pytest.mark.usefixtures("own_cache")


def contents(data):
    """{number of a picture: (its class, its split)}."""
    return {
        number(image): (data.classes[label], split)
        for split in SPLITS
        for image, label in zip(data.read(split).images, data.read(split).labels.tolist(), strict=True)
    }


def test_webdataset_tars_by_their_names_into_splits(tmp_path):
    write_tar(tmp_path / "shards" / "pets-train-000000.tar", samples(range(8)))
    write_tar(tmp_path / "shards" / "pets-train-000001.tar", samples(range(8, 16)))
    write_tar(tmp_path / "shards" / "pets-test-000000.tar", samples(range(16, 20)))
    data = opened_small(tmp_path / "shards")
    found = contents(data)
    assert sorted(found) == list(range(20))
    assert all(label == str(k % 2) for k, (label, _) in found.items())
    assert {k for k, (_, split) in found.items() if split == "test"} == {16, 17, 18, 19}
    assert data.read("test").names[0] == "pets-test-000000.tar/000016.png"


def test_json_beside_pictures_with_groups_and_a_list_of_classes(tmp_path):
    def label(k):
        return {"caption": "?", "label": k % 2, "group": f"g{k // 4}"}

    write_tar(tmp_path / "s" / "00000.tar", samples(range(40), "json", label))
    (tmp_path / "s" / "classnames.txt").write_text("cat\ndog\n")
    data = opened_small(tmp_path / "s")
    assert data.classes == ("cat", "dog")
    found = contents(data)
    assert all(len({found[k][1] for k in range(g, g + 4)}) == 1 for g in range(0, 40, 4))


def test_parquet_as_the_hub_has_it(tmp_path):
    pytest.importorskip("pyarrow")
    write_parquet(tmp_path / "h" / "data" / "train-00000-of-00002.parquet", range(9))
    write_parquet(tmp_path / "h" / "data" / "train-00001-of-00002.parquet", range(9, 16))
    write_parquet(tmp_path / "h" / "data" / "test-00000-of-00001.parquet", range(16, 20))
    data = opened_small(tmp_path / "h")
    assert data.classes == ("cat", "dog")
    assert contents(data)[17] == ("dog", "test")
    assert len(contents(data)) == 20
    alone = opened_small(tmp_path / "h" / "data" / "train-00000-of-00002.parquet")
    assert len(contents(alone)) == 9


@pytest.mark.parametrize(
    ("name", "entries", "classes", "split"),
    [
        ("a.zip", folders("cat", "dog"), ("cat", "dog"), None),
        ("b.zip", folders("pets/pets/cat", "pets/pets/dog"), ("cat", "dog"), None),
        ("c.tar", folders("x/train/cat", "x/train/dog", "x/test/cat", "x/test/dog"), ("cat", "dog"), "test"),
    ],
)
def test_an_archive_of_a_folder(tmp_path, name, entries, classes, split):
    pack = write_zip if name.endswith("zip") else write_tar
    data = opened_small(pack(tmp_path / name, entries | {"__MACOSX/cat/0.png": b"no"}))
    assert data.classes == classes
    found = contents(data)
    assert len(found) == len(entries)
    if split:
        assert {k for k, (_, named) in found.items() if named == split} == {
            *range(40, 46),
            *range(60, 66),
        }


def test_archives_without_folders_are_a_class_each(tmp_path):
    write_zip(tmp_path / "z" / "cat.zip", {f"{k}.png": png(k) for k in range(6)})
    write_zip(tmp_path / "z" / "dog.zip", {f"{k}.png": png(9 + k) for k in range(6)})
    said = []
    data = opened_small(tmp_path / "z", said=said)
    assert data.classes == ("cat", "dog")
    assert any("each is taken for a class" in line for line in said)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_metadata_inside_an_archive(tmp_path, ending):
    rows = [(f"{k}.png", "ab"[k % 2]) for k in range(12)]
    text = "file_name,label\n" + "".join(f"{name},{label}\n" for name, label in rows)
    if ending == "jsonl":
        text = "".join(json.dumps({"file_name": name, "label": label}) + "\n" for name, label in rows)
    entries = {f"metadata.{ending}": text.encode()} | {f"{k}.png": png(k) for k in range(12)}
    data = opened_small(write_zip(tmp_path / "m.zip", entries))
    assert contents(data)[3][0] == "b"


def test_metadata_inside_an_archive_are_held_to_the_rules_of_every_table(tmp_path):
    rows = [f"{k}.png,{'ab'[k % 2]},{'test' if k > 8 else 'train'}" for k in range(12)]
    pictures = {f"{k}.png": png(k) for k in range(12)}

    def packed(name, lines):
        text = "\n".join(["file_name,label,split", *lines])
        return write_zip(tmp_path / name, {"metadata.csv": text.encode()} | pictures)

    found = contents(opened_small(packed("splits.zip", rows)))
    assert {k for k, (_, split) in found.items() if split == "test"} == {9, 10, 11}
    clash = rejected_small(packed("clash.zip", [*rows, "0.png,b,train"]))
    assert "metadata.csv line 14 gives 0.png the label 'b', an earlier line 'a'" in clash
    absent = rejected_small(packed("absent.zip", [*rows, "no.png,b,train"]))
    assert "absent.zip (line 14: no.png). The first was looked for as" in absent
    assert "line 14" in rejected_small(packed("empty.zip", [*rows, "0.png,,train"]))


@pytest.mark.parametrize("inside", [False, True])
def test_metadata_beside_pictures(tmp_path, inside):
    parts = ("train", "test") if inside else ("",)
    for part in parts:
        folder = tmp_path / "p" / part
        make(folder, images=12)
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.PNG"))
        lines = [
            json.dumps({"file_name": name, "text": "x", "species": "ab"[place % 2]})
            for place, name in enumerate(names)
        ]
        (folder / "metadata.jsonl").write_text("\n".join(lines))
    data = opened_small(tmp_path / "p")
    assert data.classes == ("a", "b")
    assert len(labels_by_name(data)) == 12 * len(parts)
    if inside:
        assert {name.split("/")[0] for name in data.read("test").names} == {"test"}


def test_archives_beside_folders_of_classes_are_left_alone(tmp_path):
    known = make(tmp_path / "pics", cat=6, dog=6)
    write_zip(tmp_path / "pics" / "copy.zip", folders("horse", "cow"))
    assert set(labels_by_name(opened_small(tmp_path / "pics"))) == set(known)


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        (samples(range(4)) | {"000009.png": png(9)}, "has no label for 000009.png"),
        (samples(range(4)) | {"000001.jpg": png(1)}, "two pictures of the sample 000001"),
        (samples(range(4), label=lambda k: "a\nb"), "000000.cls in"),
        (samples(range(4), "json", lambda k: {"caption": "x"}), "has no label among caption"),
        ({"0.png": png(0)}, "holds pictures without labels"),
        ({"notes.txt": b"x"}, "holds no pictures"),
    ],
)
def test_a_wrong_entry_is_named_with_its_shard(tmp_path, entries, text):
    shard = write_tar(tmp_path / "wrong.tar", entries)
    line = rejected_small(shard)
    assert text in line
    assert str(shard) in line


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"label": [0, 1, 2, 0]}, "row 2 has the label 2"),
        ({"label": [0, None, 1, 0]}, "row 1 has the label None"),
        ({"label": None, "caption": ["x"] * 4}, "no column of labels"),
        ({"image": ["x"] * 4}, "has no column of pictures' bytes"),
    ],
)
def test_a_wrong_row_is_named_with_its_shard(tmp_path, columns, text):
    pytest.importorskip("pyarrow")
    classes = None if "label" in columns and columns["label"] is None else ("cat", "dog")
    shard = write_parquet(tmp_path / "wrong.parquet", range(4), classes, **columns)
    line = rejected_small(shard)
    assert text in line
    assert str(shard) in line


def test_shards_of_two_kinds_or_half_named_splits(tmp_path):
    pytest.importorskip("pyarrow")
    write_tar(tmp_path / "s" / "train-0.tar", samples(range(6)))
    write_tar(tmp_path / "s" / "more.tar", samples(range(6, 9)))
    assert "more.tar names no split" in rejected_small(tmp_path / "s")
    write_parquet(tmp_path / "s" / "train-1.parquet", range(4))
    assert "keep one kind of shards" in rejected_small(tmp_path / "s")


def test_a_row_without_bytes_is_told_and_never_dropped_in_silence(tmp_path):
    pytest.importorskip("pyarrow")
    pictures = [{"bytes": png(k) if k else None, "path": f"{k}.png"} for k in range(12)]
    shard = write_parquet(tmp_path / "r.parquet", range(12), image=pictures)
    assert "row 0 holds no bytes of a picture" in rejected_small(shard, read="train")
