"""A handful of new pictures, of one class or of some that the model does not know, is measured as it is."""

from __future__ import annotations

import json
import shutil
import unicodedata

import pytest
from tiny import answered, call, paint, paint_folder, refused

import residua

pytestmark = pytest.mark.usefixtures("quiet_cache")
VERBS = ("evaluate", "mistakes", "calibrate", "report", "inside", "explain", "fool", "compare")


@pytest.fixture
def trained(trained, tmp_path):
    """A copy that may be written into."""
    shutil.copytree(trained / "run", tmp_path / "run")
    return tmp_path


@pytest.fixture
def folders(tmp_path, trained):
    """new/ with one picture of each class, one/ with a single picture, blues/ with three of one class."""
    paint_folder(tmp_path / "new", count=1, seed=500)
    paint_folder(tmp_path / "one", ("red",), 1, 600)
    paint_folder(tmp_path / "blues", ("blue",), 3, 700)
    return tmp_path


def words(verb, run, folder, out):
    """The command that holds a run to a folder."""
    own = {
        "explain": ["--data", folder, "--numbers", "0", "--methods", "gradient", "--output", out],
        "evaluate": ["--data", folder, "--output", out / "e.png"],
        "inside": ["--data", folder, "--map", "pca", "--output", out],
        "fool": [folder, "--curve", "--sizes", "1", "--iterations", "1", "--output", out],
        "compare": [run / "last.safetensors", "--data", folder, "--output", out / "c.png"],
    }
    return [verb, run, *own.get(verb, [folder, "--output", out])]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("name", "pictures"), [("new", 2), ("one", 1), ("blues", 3)])
def test_whatever_is_there_is_measured(trained, folders, capsys, request, verb, name, pictures):
    run = trained / "run"
    if name != "blues":  # one class alone is drawn in earnest
        request.getfixturevalue("stub_figures")
    if verb == "calibrate":  # it writes into the model file
        run = folders / "copy.safetensors"
        residua.save_model(run, residua.load_model(trained / "run"))
    (folders / "out").mkdir()
    code, out, err = call(capsys, *words(verb, run, folders / name, folders / "out"))
    assert code == 0, err
    assert "Traceback" not in err
    assert "nan" not in out
    if verb == "evaluate":
        assert f"{name}, whole folder: {pictures} picture" in out


def test_a_class_without_pictures_has_no_figures(trained, folders, capsys):
    out = answered(capsys, "evaluate", trained / "run", "--data", folders / "blues")
    assert "  red           0          -         -         -" in out
    found = residua.evaluate(trained / "run", folders / "blues", say=lambda line: None)
    assert (found.pictures, found.trained_on, found.chosen_by) == (3, 0, 0)


def test_a_table_of_labels_for_a_flat_folder(trained, tmp_path, capsys):
    for number in range(2):
        paint(tmp_path / "flat" / f"{number}.png", (20, 40, 200), 800 + number)
    (tmp_path / "flat" / "labels.csv").write_text("file,label\n0.png,blue\n1.png,blue\n")
    run, flat, table = trained / "run", tmp_path / "flat", ["--labels", "labels.csv"]
    assert "flat, whole folder: 2 pictures" in answered(capsys, "evaluate", run, "--data", flat, *table)
    words = ["--numbers", "1", "--methods", "gradient", "--output", tmp_path / "out"]
    answered(capsys, "explain", run, "--data", flat, *table, *words)


def test_only_splits_that_a_folder_names_are_made(trained, tmp_path):
    paint_folder(tmp_path / "seen" / "test", count=1, seed=500)
    quiet = {"say": lambda line: None}
    found = residua.evaluate(trained / "run", tmp_path / "seen", **quiet)
    assert (found.split, found.pictures) == ("test", 2)
    paint_folder(tmp_path / "seen" / "val", ("red",), 2, 600)
    found = residua.evaluate(trained / "run", tmp_path / "seen", split="validation", **quiet)
    assert (found.split, found.pictures) == ("validation", 2)
    # What a folder calls its test pictures is not used where others were asked for.
    found = residua.evaluate(trained / "run", tmp_path / "seen", split="train", **quiet)
    assert (found.split, found.pictures) == ("whole folder", 2)


def test_classes_that_the_model_does_not_know(trained, folders, capsys):
    paint_folder(folders / "new", ("yak", "gnu"), 2)
    code, out, err = call(capsys, "evaluate", trained / "run", "--data", folders / "new", "--json")
    assert code == 0
    assert "classes that the model does not know: gnu (2), yak (2). Their 4 pictures are left out" in err
    told = json.loads(out)
    assert (told["pictures"], told["left_out"]) == (2, {"gnu": 2, "yak": 2})
    options = ("--data", folders / "new", "--unknown-classes", "refuse")
    line = refused(capsys, "evaluate", trained / "run", *options)
    assert "does not know (gnu, yak); it knows blue, red" in line
    paint_folder(folders / "yaks", ("yak",), 2)
    assert "does not know (yak)" in refused(capsys, "evaluate", trained / "run", "--data", folders / "yaks")


def test_names_that_differ_in_capitals_blanks_and_unicode_forms(trained, tmp_path):
    from dataclasses import replace

    model = residua.load_model(trained / "run")
    model = replace(model, classes=("caf\N{LATIN SMALL LETTER E WITH ACUTE} au lait", "red"))
    heard = []
    folder = tmp_path / "pics"
    paint(folder / unicodedata.normalize("NFD", "Café  Au Lait") / "0.png", (20, 40, 200), 900)
    paint(folder / "RED" / "0.png", (210, 40, 30), 901)
    found = residua.evaluate(model, folder, say=heard.append)
    assert (found.pictures, found.correct) == (2, 2)
    (line,) = (line for line in heard if "spells classes in another way" in line)
    assert line.endswith("RED as red")


@pytest.mark.parametrize(("name", "reason"), [
    ("blues", "holds only the class 'blue'; it takes two or more, a folder for each."),
    ("new", "--test needs classes with at least two pictures each; add some."),
    ("one", "--test 0.1 would hold out all 1 pictures; ask for fewer."),
])  # fmt: skip
@pytest.mark.usefixtures("stub_figures")
def test_check_and_augment_look_at_what_training_would_refuse(folders, capsys, name, reason):
    out = answered(capsys, "check", folders / name, "--output", folders / "c.png")
    assert "Training would refuse it: " in out
    assert "Nothing stands against training" not in out
    answered(capsys, "augment", folders / name, "--size", "16", "--output", folders / "a.png")
    line = refused(capsys, "train", folders / name, "--run", folders / "no")
    assert reason in line or "holds only the class" in line
