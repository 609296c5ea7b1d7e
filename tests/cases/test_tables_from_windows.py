"""Tables of labels as spreadsheets, Windows and other computers write them."""

from __future__ import annotations

import pytest
from brought import ONE_EPOCH, paint_plan
from data_sets import opened_small, rejected_small
from tiny import call

from residua.models.model_file import load_model

pytestmark = pytest.mark.usefixtures("quiet_cache")
ROWS = [(f"{kind}/{number}.png", kind) for kind in ("cat", "dog") for number in range(12)]


@pytest.fixture
def pics(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return paint_plan(tmp_path / "pics", {"cat": 12, "dog": 12})


def written(rows=ROWS, header="file,label", separator=",", end="\n", start=""):
    """A table's text; the header is written with commas."""
    lines = [header.replace(",", separator)] if header is not None else []
    return start + end.join([*lines, *(separator.join(row) for row in rows), ""])


def turned(rows, before=""):
    return [(before + file.replace("/", "\\"), *rest) for file, *rest in rows]


def read(pics, content, encoding="utf-8"):
    """The data set by a table, and what was said."""
    (pics.parent / "t.csv").write_bytes(content.encode(encoding))
    said = []
    return opened_small(pics, said=said, labels=str(pics.parent / "t.csv")), said


def refused(pics, content, encoding="utf-8"):
    (pics.parent / "t.csv").write_bytes(content.encode(encoding))
    return rejected_small(pics, labels=str(pics.parent / "t.csv"))


NUMBERED = [(str(number), *row) for number, row in enumerate(ROWS)]
ALIKE = {
    "backslashes": (written(turned(ROWS)), "utf-8", ""),
    "semicolons": (written(separator=";"), "utf-8", ""),
    "tabs": (written(separator="\t"), "utf-8", ""),
    "bars": (written(separator="|"), "utf-8", ""),
    "all together": (written(turned(ROWS), separator=";", end="\r\n"), "utf-8-sig", ""),
    "Excel's first line": (written(separator=";", end="\r\n", start="sep=;\r\n"), "utf-8", ""),
    "UTF-16": (written(separator="\t", end="\r\n"), "utf-16", ""),
    "old Macintosh": (written(end="\r"), "utf-8", ""),
    "a drive": (
        written(turned(ROWS, "C:\\data\\pics\\")),
        "utf-8",
        "\\pics\\cat\\0.png as cat/0.png",
    ),
    "another computer": (written([("/home/me/pics/" + f, k) for f, k in ROWS]), "utf-8", "as cat/0.png"),
    "Kaggle's paths": (written([("../input/pics/" + f, k) for f, k in ROWS]), "utf-8", "as cat/0.png"),
    "capitals": (written([(f.upper(), k) for f, k in ROWS]), "utf-8", "CAT/0.PNG as cat/0.png"),
    "no endings": (written([(f[:-4], k) for f, k in ROWS]), "utf-8", "cat/0 as cat/0.png"),
    "quotes": (written([(f'"{f}"', f'"{k}"') for f, k in ROWS], '"File","Label"'), "utf-8", ""),
    "blanks": (written([(f" {f} ", f" {k} ") for f, k in ROWS], " file , label "), "utf-8", ""),
    "empty lines": ("\n\n" + written() + "\n\n", "utf-8", ""),
    "empty columns": (written([(*row, "", "") for row in ROWS], "file,label,,", ";"), "utf-8", ""),
    "no header": (written(header=None), "utf-8", "no first line with names: files from column 1"),
    "no header, turned": (written([row[::-1] for row in ROWS], None), "utf-8", "files from column 2"),
    "no header, blanks": (written(header=None, separator=" "), "utf-8", "labels from column 2"),
    "filename and class": (
        written(header="filename,class"),
        "utf-8",
        "labels from 'class'",
    ),
    "image and species": (written(header="Image Path,Species"), "utf-8", "files from 'Image Path'"),
    "names of nobody": (written(header="foto,art"), "utf-8", "files from 'foto', labels from 'art'"),
    "an index": (written(NUMBERED, ",path,category"), "utf-8", "files from 'path'"),
    "an id beside": (written(NUMBERED, "id,picture,target"), "utf-8", "files from 'picture'"),
    "pandas' index": (
        written(NUMBERED, "Unnamed: 0,image,dx"),
        "utf-8",
        "labels from 'dx'",
    ),
    "rows repeated": (written(ROWS + ROWS[:3]), "utf-8", "3 rows repeat earlier ones and count once"),
    "one absent": (
        written([*ROWS, ("cat/99.png", "cat")]),
        "utf-8",
        "(line 26: cat/99.png); they are",
    ),
    "more columns": (written([(*row, "3", "x") for row in ROWS], "file,label,age,note"), "utf-8", ""),
    "marks": (
        written([(f, "10"[k == "dog"], "01"[k == "dog"]) for f, k in ROWS], "image,cat,dog"),
        "utf-8",
        "labels from the 2 columns of 0 and 1",
    ),
    "folds": (
        written([(*r, str(i % 5)) for i, r in enumerate(ROWS)], "file,label,fold"),
        "utf-8",
        "is not used",
    ),
}


@pytest.mark.parametrize("kind", ALIKE)
def test_all_of_these_are_the_same_table(pics, kind):
    content, encoding, told = ALIKE[kind]
    plain, _ = read(pics, written())
    data, said = read(pics, content, encoding)
    for split in ("train", "validation", "test"):
        assert data.fingerprint(split) == plain.fingerprint(split)
    if told:
        assert [line for line in said if told in line], said
    else:
        assert said == []


@pytest.mark.parametrize(
    ("rows", "header", "text"),
    [
        ([*ROWS, ("cat/0.png", "dog"), ("cat/1.png", "dog")], "file,label", "(1 more rows differ so)"),
        ([*ROWS, *(("cat/99.png", "cat"),) * 5], "file,label", "(line 26: cat/99.png and 4 more)"),
        ([(f"x{f}", k) for f, k in ROWS], "file,label", "pics/xcat/0.png, and among the ends of all paths"),
        ([(f.split("/")[1], k) for f, k in ROWS], "file,label", "0.png, which may be cat/0.png or dog/0.png"),
        (
            [(f.split("/")[1][:-4], k) for f, k in ROWS],
            "file,label",
            "0, which may be cat/0.png or dog",
        ),
        (
            [*ROWS[1:], ("cat/0.png", "NaN"), ("cat/0.png", "nan")],
            "file,label",
            "(line 25: 'NaN' and 1 more)",
        ),
        ([*ROWS[1:], ("cat/0.png", "None")], "file,label", "have no label (line 25: 'None')"),
        ([*ROWS[1:], ("cat/0.png", "NULL")], "file,label", "Where it is the name of a class"),
        (
            [*ROWS[1:], ("cat/0.png", " "), ("a", "")],
            "file,label",
            "line 25 leaves a cell empty, and 1 more",
        ),
        ([(f, "1", "1") for f, _ in ROWS], "image,cat,dog", "line 2 marks 2 of 2 classes; it takes one"),
        ([(*row, "x") for row in ROWS], "a,b,c", "needs a first line file,label"),
        (
            [(*row, "train" if row[1] == "cat" else "old") for row in ROWS],
            "file,label,split",
            "has 'old' in the",
        ),
        ([(*row, "test") for row in ROWS], "file,label,split", "gives no picture to train"),
        ([("/etc/passwd", "cat")], "file,label", "lies outside"),
        ([(*row, "x") for row in ROWS], "file,Label,label", "has two columns 'Label'; remove one"),
        ([(row[0], *row) for row in ROWS], "file,file,label", "has two columns 'file'"),
        ([], None, "is empty; it needs a line file,label"),
        ([], "file,label", "names no pictures"),
    ],
)
def test_what_is_refused(pics, rows, header, text):
    assert text in refused(pics, written(rows, header))


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1", b"\x1f\x8b", b"%PDF"])
def test_other_files_are_named(pics, start):
    (pics.parent / "t.xlsx").write_bytes(start + bytes(50))
    line = rejected_small(pics, labels=str(pics.parent / "t.xlsx"))
    assert "is no table of text but" in line
    assert ": " in line


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "Testing"), ("TRAIN", "Eval")])
def test_a_column_of_splits(pics, names):
    rows = [(*row, names[number % 4 == 0]) for number, row in enumerate(ROWS)]
    for header in ("file,label,split", "Filename,Class,Data Set", "path,label,subset"):
        data, said = read(pics, written(rows, header))
        assert set(data.read("test").names) == {row[0] for row in ROWS[::4]}
        assert "the splits are those of the column" in " ".join(said)
    rows = [(file, "" if split == names[1] else kind, split) for file, kind, split in rows]
    data, said = read(pics, written(rows, "file,label,split"))
    assert "6 rows of the test split have no label and are left aside" in " ".join(said)


def test_classes_that_differ_in_capitals_alone_are_said(pics):
    rows = [(file, kind.title() if number % 3 else kind) for number, (file, kind) in enumerate(ROWS)]
    data, said = read(pics, written(rows))
    assert data.classes == ("Cat", "Dog", "cat", "dog")
    assert [line for line in said if "'Cat' (8), 'cat' (4) differ in capitals or blanks alone" in line]


def test_letters_of_windows(pics):
    rows = [(file, {"cat": "Kätzchen", "dog": "Hund"}[kind]) for file, kind in ROWS]
    data, said = read(pics, written(rows, separator=";"), "cp1252")
    assert data.classes == ("Hund", "Kätzchen")
    assert "was read as Windows-1252" in said[0]


def test_check_and_train(pics, capsys):
    (pics.parent / "all.csv").write_bytes(
        written(turned(ROWS), "Datei,Klasse", ";", "\r\n").encode("utf-8-sig")
    )
    code, out, err = call(capsys, "check", "pics", "--labels", "all.csv", "--size", "8", "--no-near")
    assert code == 0, err
    assert "all.csv is read with files from 'Datei', labels from 'Klasse'." in err
    assert "2 classes" in out
    code, out, err = call(capsys, "train", "pics", "--labels", "all.csv", *ONE_EPOCH, "--run", "run")
    assert code == 0, err
    assert load_model("run").classes == ("cat", "dog")


def test_a_file_that_is_named_from_the_folder_and_from_the_tables_counts_once(pics):
    data, said = read(pics, written([*ROWS, ("pics/cat/0.png", "cat"), (str(pics / "dog/1.png"), "dog")]))
    assert sum(sum(data.counts(split).values()) for split in ("train", "validation", "test")) == 24
    assert "2 rows repeat earlier ones and count once" in " ".join(said)
    assert "the label 'dog', an earlier line 'cat'" in refused(
        pics, written([*ROWS, ("pics/cat/0.png", "dog")])
    )


def test_a_copy_of_the_folder_is_not_left_for_the_one_that_the_table_names(pics, tmp_path_factory):
    old = paint_plan(tmp_path_factory.mktemp("old"), {"cat": 12, "dog": 12})
    data, said = read(pics, written([(f"{old}/{file}", kind) for file, kind in ROWS]))
    assert data.read("train").names[0].startswith("cat/")
    assert "24 files were found by the ends of their paths" in " ".join(said)
    data, _ = read(pics, written([(f"file://{pics}/{file}", kind) for file, kind in ROWS]))
    assert data.classes == ("cat", "dog")


@pytest.mark.parametrize("words", [("True", "False"), ("1", "0"), ("1.0", "0.0"), ("TRUE", "FALSE")])
def test_the_column_that_tells_what_validates(pics, words):
    """As fastai's tables have it: is_valid."""
    rows = [(*row, words[number % 4 != 0]) for number, row in enumerate(ROWS)]
    data, said = read(pics, written(rows, "name,label,is_valid"))
    assert set(data.read("validation").names) == {row[0] for row in ROWS[::4]}
    assert "true in the column 'is_valid' is the validation split" in " ".join(said)
    assert set(data.read("test").names).isdisjoint(data.read("validation").names)
    # A column of other things is none of that.
    rows = [(*row, "good") for row in ROWS]
    _, said = read(pics, written(rows, "file,label,valid"))
    assert "validation split" not in " ".join(said)


def test_one_number_written_in_two_ways(pics):
    rows = [
        (file, ("1", "1.0", "01")[n % 3] if kind == "cat" else "0") for n, (file, kind) in enumerate(ROWS)
    ]
    data, said = read(pics, written(rows))
    assert data.classes == ("0", "01", "1", "1.0")
    (line,) = [line for line in said if "one number" in line]
    assert line.endswith("'1' (4), '1.0' (4), '01' (4) are one number, and count as 3 classes.")
    _, said = read(pics, written([(file, "0.0" if kind == "cat" else "1.0") for file, kind in ROWS]))
    assert said == []
