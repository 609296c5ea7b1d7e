"""One answer for each picture that was named, in that order; only folders are searched through."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from brought import paint_plan
from tiny import answered, call

import residua
from residua.api import check_data, explain, inside

pytestmark = pytest.mark.usefixtures("quiet_cache")


@pytest.fixture
def pets(trained, tmp_path, monkeypatch):
    """A folder with pets/cat/0.png to 11.png and pets/dog, which the current folder is beside."""
    monkeypatch.chdir(tmp_path)
    return paint_plan(Path("pets"), {"cat": 3, "dog": 3})


def test_files_named_twice(pets, trained, capsys):
    orders = ["cat/0", "dog/1", "cat/0", "dog/2", "dog/1", "cat/2", "cat/0", "dog/0"]
    files = [f"pets/{order}.png" for order in orders]
    answers = residua.predict(trained / "run", files)
    assert [answer.file for answer in answers] == files
    alone = {file: residua.predict(trained / "run", file)[0] for file in set(files)}
    assert [answer.top[0][0] for answer in answers] == [alone[file].top[0][0] for file in files]
    for form in ([], ["--csv"], ["--json"]):
        assert named_in(answered(capsys, "predict", trained / "run", *files, *form), form) == files


def named_in(out, form):
    """The files that an output has rows for."""
    if form == ["--json"]:
        return [row["file"] for row in json.loads(out)]
    if form == ["--csv"]:
        return [row["file"] for row in csv.DictReader(io.StringIO(out))]
    return [line.split("   ")[0] for line in out.splitlines()]


def test_every_way_of_naming_the_same(pets, trained):
    os.symlink("0.png", pets / "cat" / "link.png")
    same = [
        "pets/cat/0.png",
        "./pets/cat/0.png",
        "pets//cat/0.png",
        "pets/dog/../cat/0.png",
        "pets/cat/link.png",
    ]
    same.append(str((pets / "cat" / "0.png").absolute()))
    answers = residua.predict(trained / "run", same)
    assert [answer.file for answer in answers] == same
    assert len({answer.top for answer in answers}) == 1
    named = [answer.file for answer in residua.predict(trained / "run", [Path(name) for name in same])]
    assert named == [str(Path(name)) for name in same]


def test_folders_beside_files(pets, trained):
    inside_cat = [f"pets/cat/{number}.png" for number in range(3)]

    def files(*named):
        return [answer.file for answer in residua.predict(trained / "run", named)]

    assert files("pets/cat", "pets/cat/1.png") == [*inside_cat, "pets/cat/1.png"]
    assert files("pets/cat/1.png", "pets/cat") == ["pets/cat/1.png", *inside_cat]
    assert files("pets/cat", "pets/cat") == [*inside_cat, *inside_cat]
    # A link to a folder above, or to one that was looked through, brings nothing twice.
    os.symlink("..", pets / "cat" / "up")
    os.symlink("cat", pets / "more")
    assert len(files("pets")) == 6


def test_a_bad_picture_keeps_its_row(pets, trained, capsys):
    (pets / "bad.png").write_bytes(b"")
    files = ["pets/cat/0.png", "pets/bad.png", "pets/no.png", "pets/bad.png", "pets/dog/0.png"]
    for form in ([], ["--csv"], ["--json"]):
        code, out, err = call(capsys, "predict", trained / "run", *files, *form)
        assert code == 1
        assert len(err.splitlines()) == 4
        if not form:
            assert out.splitlines()[1] == "pets/bad.png   cannot be read"
        assert named_in(out, form) == files


def test_tables_of_pixels_named_twice(trained, tmp_path):
    lines = [",".join(f"pixel{number}" for number in range(64))] + [",".join("7" * 64)] * 3
    table = tmp_path / "test.csv"
    table.write_text("\n".join(lines) + "\n")
    answers = residua.predict(trained / "run", [table, table])
    assert [answer.file for answer in answers] == [f"{table}[{number}]" for number in (0, 1, 2)] * 2


def test_explain_and_inside_draw_each(pets, trained, tmp_path):
    files = ["pets/cat/0.png", "pets/dog/0.png", "pets/cat/0.png"]
    result = explain(trained / "run", files, methods=("gradient",), output="maps", say=lambda line: None)
    assert list(result.explained.names) == files
    assert len(result.drawn) == 3
    said = []
    run = shutil.copytree(trained / "run", tmp_path / "run")
    named = [*files, "pets/cat/1.png", "pets/cat/2.png"]
    _, drawn = inside(run, named, output="inside", map="none", say=said.append, data=trained / "pics")
    assert sum("activations" in path.name for path in map(Path, drawn)) == 4
    assert "Of 5 pictures the maps of the first 4 are drawn" in said


def test_check_of_its_folder(pets):
    findings, _ = check_data(pets, say=lambda line: None, size=8, near=False)
    assert findings.classes == ("cat", "dog")
