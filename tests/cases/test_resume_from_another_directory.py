"""A run finds its data again from another folder, after they moved, and after it moved itself."""

from __future__ import annotations

import shutil
import tomllib

import pytest
from tiny import TINY, answered, call, paint, paint_folder, refused

import residua
from residua.training.interruption import Interrupted
from residua.training.progress import Quiet

pytestmark = pytest.mark.usefixtures("quiet_cache", "stub_figures")
FILES = ("log.jsonl", "best.safetensors", "last.safetensors")


class StopAtOnce(Quiet):
    """Ends training as Ctrl-C does, once an epoch is done."""

    def end_epoch(self, row, timing, best):
        raise Interrupted("stopped")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """photos/, whole/, a finished run on them, and begun/, stopped after its first epoch; run from there."""
    folder = tmp_path_factory.mktemp("project")
    paint_folder(folder / "photos")
    options = TINY | {"final_test": False, "engine": "numpy"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(folder / "user-cache"))
        patch.chdir(folder)
        residua.train("photos", run="whole", reporter=Quiet(), **options)
        with pytest.raises(Interrupted):
            residua.train("photos", run="begun", reporter=StopAtOnce(), **options)
    return folder


@pytest.fixture
def moved(project, tmp_path, monkeypatch):
    """A copy of the project whose own place is gone, seen from a folder beside it."""
    for name in ("photos", "whole", "begun"):
        shutil.copytree(project / name, tmp_path / "home" / name)
    for name in ("whole", "begun"):
        path = tmp_path / "home" / name / "run.toml"
        path.write_text(path.read_text().replace(str(project), str(tmp_path / "gone")))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "home"


def bytes_of(run):
    return {name: (run / name).read_bytes() for name in FILES}


def test_a_run_that_moved_with_its_data_goes_on_from_anywhere(moved, project):
    residua.train(resume=moved / "begun", reporter=Quiet())
    assert bytes_of(moved / "begun") == bytes_of(project / "whole")


def test_data_that_moved_are_named(moved, project, capsys):
    (moved / "photos").rename(moved / "pictures")
    line = refused(capsys, "train", "--resume", moved / "begun")
    assert line.startswith("photos is not where it was: looked for ")
    assert str(moved / "photos") in line
    assert line.endswith("name the folder's new place with --data")
    answered(capsys, "train", "--resume", moved / "begun", "--data", moved / "pictures", "--threads", "2")
    assert bytes_of(moved / "begun") == bytes_of(project / "whole")
    # And is remembered.
    known = tomllib.loads((moved / "begun" / "run.toml").read_text())["machine"]["places"]
    assert known["data"] == ["../pictures", str(moved / "pictures")]
    assert "photos, test split: 2 pictures" in answered(capsys, "evaluate", moved / "begun")


def test_the_folder_that_holds_the_data_is_named(moved, project, capsys):
    (moved / "store").mkdir()
    (moved / "photos").rename(moved / "store" / "photos")
    answered(capsys, "train", "--resume", moved / "begun", "--data-dir", moved / "store")
    assert bytes_of(moved / "begun") == bytes_of(project / "whole")


def test_other_pictures_are_refused(moved, capsys):
    other = paint_folder(moved / "other", seed=500)
    before = bytes_of(moved / "begun")
    line = refused(capsys, "train", "--resume", moved / "begun", other)
    assert "are not those that" in line
    assert "name where they are with --data" in line
    paint(moved / "photos" / "red" / "0.png", (210, 40, 30), 77)
    assert "are not those that" in refused(capsys, "train", "--resume", moved / "begun")
    assert bytes_of(moved / "begun") == before
    line = refused(capsys, "train", "--resume", moved / "begun", "--epochs", "3")
    assert "no other options than --data, --data-dir, --labels, --threads, --hosts" in line
    assert "it was given --epochs" in line


def test_the_folder_of_that_name_here_is_not_taken_for_it(moved, project, tmp_path):
    """Of several folders it is the one that holds what the run began with."""
    paint_folder(tmp_path / "elsewhere" / "photos", seed=900)
    (moved / "begun").rename(tmp_path / "begun")  # what it remembers of its own place is wrong now
    text = (tmp_path / "begun" / "run.toml").read_text().replace(str(tmp_path / "gone"), str(moved))
    (tmp_path / "begun" / "run.toml").write_text(text)
    residua.train(resume=tmp_path / "begun", reporter=Quiet())
    assert bytes_of(tmp_path / "begun") == bytes_of(project / "whole")


@pytest.mark.parametrize("verb", ["evaluate", "mistakes", "inside", "explain", "report", "calibrate", "fool"])
def test_a_finished_run_is_measured_from_elsewhere(moved, capsys, verb):
    words = {
        "inside": ["--map", "none"],
        "explain": ["--methods", "gradient", "--numbers", "0"],
        "fool": ["--curve", "--sizes", "1", "--iterations", "1"],
    }
    assert answered(capsys, verb, moved / "whole", *words.get(verb, []))


def test_where_nothing_is_found_every_place_is_named(moved, capsys):
    shutil.rmtree(moved / "photos")
    line = refused(capsys, "evaluate", moved / "whole")
    assert "photos is not where it was: looked for " in line
    assert line.count("/photos") == 3
    # To join models takes no pictures at all.
    last = moved / "whole" / "last.safetensors"
    code, _, err = call(capsys, "ensemble", "pair", moved / "whole", last)
    assert code == 0
    assert "No report: photos is not where it was" in err
    assert residua.load_model("pair").classes == ("blue", "red")
    words = ("ensemble", "more", moved / "whole", last, "--method", "weighted")
    assert "not where it was" in refused(capsys, *words)


def test_the_options_of_a_run_from_elsewhere(moved, capsys):
    answered(capsys, "train", "--config", moved / "whole" / "run.toml", "--run", "again", "--epochs", "1")
    config = tomllib.loads((moved.parent / "elsewhere" / "again" / "run.toml").read_text())
    assert config["data"]["data"] == str(moved / "photos")
    assert config["schedule"]["epochs"] == 1


def test_a_table_of_labels_moves_with_the_pictures(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = ["file,label"]
    for number in range(16):
        colour = ((20, 40, 200), (210, 40, 30))[number % 2]
        paint(tmp_path / "flat" / f"{number}.png", colour, number)
        rows.append(f"{number}.png,{('blue', 'red')[number % 2]}")
    (tmp_path / "flat" / "labels.csv").write_text("\n".join(rows))
    options = TINY | {"epochs": 1, "labels": "flat/labels.csv"}
    residua.train("flat", run="run", reporter=Quiet(), **options)
    here = answered(capsys, "evaluate", "run")
    (tmp_path / "flat").rename(tmp_path / "away")
    there = answered(capsys, "evaluate", "run", "--data", "away")
    assert here.split(", ", 1)[1] == there.split(", ", 1)[1]
