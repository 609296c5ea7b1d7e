"""Tables of labels."""

from __future__ import annotations

import pytest
from data_sets import SPLITS, drivers, opened_small, paint, rejected_small, table

pytestmark = pytest.mark.usefixtures("own_cache")


def test_a_table_beside_or_apart_with_a_byte_order_mark(tmp_path):
    drivers(tmp_path / "pics")
    rows = [f"p{p}-{k}.png,{'a' if k % 2 else 'b'}" for p in range(10) for k in range(6)]
    apart = table(tmp_path / "l.csv", "File, Label", *rows, "", rows[0], encoding="utf-8-sig")
    data = opened_small(tmp_path / "pics", labels=apart)
    assert sum(len(data.read(split)) for split in SPLITS) == 60
    table(tmp_path / "pics" / "inside.csv", "label,file", *(",".join(row.split(",")[::-1]) for row in rows))
    assert opened_small(tmp_path / "pics", labels="inside.csv").fingerprint("test") == data.fingerprint(
        "test"
    )


def test_a_table_may_keep_given_splits(tmp_path):
    rows = ["file,label,group"]
    for k in range(30):
        part = "test" if k < 6 else "train"
        paint(tmp_path / "pics" / part / f"{k}.png", k)
        rows.append(f"{part}/{k}.png,{'ab'[k % 2]},g{k // 3}")
    data = opened_small(tmp_path / "pics", labels=table(tmp_path / "l.csv", *rows))
    assert {name.split("/")[0] for name in data.read("test").names} == {"test"}
    rows[1] = "test/0.png,a,g9"
    assert "Group 'g9'" in rejected_small(tmp_path / "pics", labels=table(tmp_path / "l.csv", *rows))


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["here,there,where", "x,y,z"], "needs a first line file,label"),
        (["file;what;where", "p0-0.png;a;b"], "needs a first line file,label"),
        ([""], "is empty; it needs a line file,label"),
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
    assert text in rejected_small(tmp_path / "pics", labels=table(tmp_path / "pics" / "l.csv", *lines))


def test_a_table_in_another_encoding(tmp_path):
    lines = drivers(tmp_path / "pics")
    lines = [line.replace("safe", "Käse") for line in lines]
    plain = opened_small(tmp_path / "pics", labels=table(tmp_path / "u.csv", *lines))
    assert plain.classes == ("Käse", "phone")
    for encoding in ("cp1252", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        said = []
        path = table(tmp_path / f"{encoding}.csv", *lines, encoding=encoding)
        data = opened_small(tmp_path / "pics", said=said, labels=path)
        assert data.fingerprint("test") == plain.fingerprint("test")
        assert [line for line in said if "Windows-1252" in line] == said[: encoding == "cp1252"]
    (tmp_path / "l.csv").write_bytes(b"file,label\np0-0.png,\x00\x81\n")
    assert "is no CSV table in UTF-8" in rejected_small(tmp_path / "pics", labels=str(tmp_path / "l.csv"))
