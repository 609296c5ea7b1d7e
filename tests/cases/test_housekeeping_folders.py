"""Folders that systems, file servers, editors and residua itself leave are no classes, and are counted."""

from __future__ import annotations

import shutil

import pytest
from brought import ONE_EPOCH, paint_plan
from data_sets import opened_small, rejected_small
from tiny import answered, call

from residua.data import find_pictures
from residua.models.model_file import load_model

pytestmark = pytest.mark.usefixtures("quiet_cache")
PETS = {"cat": 12, "dog": 12}
LEFT = (
    *("lost+found", "$RECYCLE.BIN", "@eaDir", "#recycle", "@Recycle", "@__thumb", "__pycache__", "_gsdata_"),
    *("Thumbs.db", "desktop.ini", "__MACOSX", "found.000", "node_modules", "wandb", ".git"),
    *(".ipynb_checkpoints", "System Volume Information", "Network Trash Folder"),
)


def test_pets_of_a_file_server(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    plan = PETS | {"@eaDir/cat": 1, "$RECYCLE.BIN/S-1-5-21": 1, ".ipynb_checkpoints": 1, "lost+found": 0}
    for kind in PETS:
        plan |= {f"{kind}/@eaDir/0.jpg": 2, f"{kind}/.ipynb_checkpoints": 1}
    paint_plan(tmp_path / "pets", plan)
    for kind in PETS:
        (tmp_path / "pets" / kind / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
        (tmp_path / "pets" / kind / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    code, out, err = call(capsys, "check", "pets", "--size", "8", "--no-near")
    assert code == 0, err
    assert "2 classes" in out
    assert "pets: passed over 6 folders that hold no data (" in err
    for name in ("@eaDir", "$RECYCLE.BIN", "lost+found", ".ipynb_checkpoints"):
        assert name in err
    assert len(find_pictures(["pets"])) == 24
    answered(capsys, "train", "pets", *ONE_EPOCH, "--run", "r")
    assert load_model("r").classes == ("cat", "dog")


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.parametrize("place", ["", "train/", "cat/"])
def test_each_of_them_everywhere(tmp_path, name, place):
    plan = {"train/cat": 5, "train/dog": 5} if place == "train/" else {"cat": 5, "dog": 5}
    folder = paint_plan(tmp_path / "pets", plan | {f"{place}{name}": 1})
    said = []
    data = opened_small(folder, said=said)
    assert data.classes == ("cat", "dog")
    assert len(find_pictures([folder])) == 10
    if not name.startswith("."):
        assert [line for line in said if f"passed over 1 folder that holds no data ({name})" in line]


def test_names_that_classes_may_have(tmp_path):
    folder = paint_plan(tmp_path / "waste", {"Recycled": 6, "trash": 6, "CVS": 6})
    assert opened_small(folder).classes == ("CVS", "Recycled", "trash")
    (folder / "CVS" / "Entries").write_text("/0.png/1.1///")
    (folder / "Recycled" / "desktop.ini").write_text("")
    paint_plan(folder, {"paper": 6})
    assert opened_small(folder).classes == ("paper", "trash")


def test_residuas_own_folders(tmp_path, monkeypatch, capsys):
    folder = paint_plan(tmp_path / "photos", PETS)
    monkeypatch.chdir(folder)
    for number in (1, 2):
        code, out, err = call(capsys, "train", ".", *ONE_EPOCH)
        assert code == 0, err
        assert "Test accuracy" in out
        runs = sorted((folder / "runs").iterdir())
        assert len(runs) == number
        assert load_model(runs[-1]).classes == ("cat", "dog")
    assert "passed over 1 folder that holds no data (runs)" in out + err
    answered(capsys, "evaluate", runs[0], "--output", "results")
    answered(capsys, "explain", runs[0], "cat/0.png", "--output", "maps", "--methods", "gradient")
    said = []
    assert opened_small(folder, said=said).classes == ("cat", "dog")
    assert [line for line in said if "passed over 3 folders that hold no data (maps, results, runs)" in line]
    code, out, err = call(capsys, "predict", runs[0], ".")
    assert code == 0
    assert len(out.splitlines()) == 24
    assert "passed over" in err
    assert len(find_pictures([folder])) == 24
    # Who names a run folder means it.
    assert find_pictures([runs[0]])
    code, out, err = call(capsys, "check", ".", "--size", "8", "--no-near")
    assert code == 0, err
    # The picture that check has drawn lies beside the classes and is no picture without a label.
    assert not [line for line in opened_said(folder) if "without a label" in line]


def opened_said(folder):
    said = []
    opened_small(folder, said=said)
    return said


def test_notes_and_tables_beside_classes_are_no_class_but_an_empty_folder_may_be(tmp_path):
    folder = paint_plan(tmp_path / "pets", PETS | {"docs": 0, "more": 1})
    shutil.rmtree(folder / "more")
    (folder / "docs" / "licence.txt").write_text("free")
    said = []
    assert opened_small(folder, said=said).classes == ("cat", "dog")
    assert "no pictures in docs, which is taken for no class" in said[0]
    (folder / "eel").mkdir()
    assert "The class folder" in rejected_small(folder)
    (folder / "eel" / "0.heic").write_bytes(b"\0\0\0\x18ftypheic")
    assert "The class folder" in rejected_small(folder)


def test_loose_pictures_are_counted(tmp_path):
    folder = paint_plan(tmp_path / "pets", PETS | {".": 3})
    assert opened_said(folder)[0].endswith("3 pictures beside the folders (0.png) without a label, not used.")


def test_pictures_that_fool_are_drawings(tmp_path):
    folder = paint_plan(tmp_path / "pets", PETS | {"out": 1})
    (folder / "out" / "0.png").rename(folder / "out" / "0-as-dog.png")
    assert opened_small(folder).classes == ("cat", "dog", "out")  # somebody's picture may be called so
    shutil.copy(folder / "out" / "0-as-dog.png", folder / "out" / "0-as-dog-shown.png")
    assert opened_small(folder).classes == ("cat", "dog")
