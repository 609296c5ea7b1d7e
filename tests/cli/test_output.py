"""`--output` means the same for every verb, is looked at before any work, and never costs the numbers."""

from __future__ import annotations

import errno
import importlib
import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tiny import OPTIONS, TINY, answered, call, contents, refused

import residua
from residua.errors import RunError
from residua.files import durable
from residua.insight.shared.plotting import SUFFIXES, new_figure, save_figure
from residua.training.progress import Quiet

pytestmark = pytest.mark.usefixtures("quiet_cache")

QUICK = ["--methods", "gradient", "--sheet", "2"]
FEW = ["--sample", "4", "--sizes", "8", "--iterations", "1"]
SWEEP = ["--size", "8", "--model", "resnet8", "--width", "4", "--batch", "8", "--steps", "10"]
# Verbs that write one picture: their arguments, and its name in a folder.
FILES = {
    "evaluate": (["evaluate", "run"], "confusion.png"),
    "check": (["check", "pics", "--size", "8"], "check-pics.png"),
    "augment": (["augment", "pics", "--size", "8", "--rotate", "9"], "augment-pics.png"),
    "find-rate": (["find-rate", "pics", *SWEEP], "rates-pics.png"),
    "compare": (["compare", "run", "twin"], "compare.png"),
    "curves": (["curves", "run"], "curves.png"),
}
FOLDERS = {
    "mistakes": ["mistakes", "run"],
    "calibrate": ["calibrate", "run"],
    "inside": ["inside", "run", "--map", "none", "--sample", "4"],
    "explain": ["explain", "run", "--numbers", "0", *QUICK],
    "fool": ["fool", "run", "pics/red/0.png"],
    "noise": ["fool", "run", "--noise", "--iterations", "2"],
    "classes": ["fool", "run", "--classes", "--iterations", "2"],
    "curve": ["fool", "run", "--curve", *FEW],
    "report": ["report", "run", "--show", "2"],
}
WORK = {name: arguments for name, (arguments, _) in FILES.items()} | FOLDERS


@pytest.fixture
def place(tmp_path, monkeypatch, trained):
    """run/ and its twin, pics/, and a file that is in the way; relative names belong here."""
    for name in ("run", "twin"):
        shutil.copytree(trained / "run", tmp_path / name)
    shutil.copytree(trained / "pics", tmp_path / "pics")
    (tmp_path / "file").write_text("mine")
    for path in tmp_path.glob("*/run.toml"):  # the pictures are here
        path.write_text(path.read_text().replace(str(trained / "pics"), str(tmp_path / "pics")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_work(monkeypatch):
    """Whoever opens a picture has begun to work."""

    def open_picture(*arguments, **options):
        raise AssertionError("a picture was opened before the place to write to was looked at")

    monkeypatch.setattr(Image, "open", open_picture)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("verb", [*WORK, "reconstruct"])
def test_what_cannot_be_written_is_refused_at_once(place, capsys, verb):
    before = contents(place)
    arguments = [*WORK.get(verb, ["reconstruct", "run"]), "--output"]
    for wrong in ("file/x.png", "file", "/proc/no/such"):
        line = refused(capsys, *arguments, wrong)
        assert line.startswith("--output takes a f"), line
        assert wrong in line
    if verb in FILES:
        line = refused(capsys, *arguments, "x.txt")
        assert "takes a folder, or a file that ends in .png, .jpg" in line
    else:
        line = refused(capsys, *arguments, "x.html" if verb == "report" else "x.png")
        assert "would be taken for a file" in line
    assert contents(place) == before
    assert not (place / "x.png").exists()


@pytest.mark.usefixtures("no_work")
def test_other_places_are_looked_at_too(place, capsys):
    before = contents(place)
    line = refused(capsys, "train", "pics", *OPTIONS, "--run", "file")
    assert line.startswith("cannot make the run folder file: ")
    assert "cannot make the run folder file/run" in refused(capsys, "train", "pics", "--run", "file/run")
    assert refused(capsys, "ensemble", "file/e", "run", "twin").startswith("OUT takes a file that can be")
    assert "run exists already" in refused(capsys, "ensemble", "run", "twin", "twin")
    assert "run/ exists" not in refused(capsys, "ensemble", "new/", "twin", "no-such-model")
    best = "run/best.safetensors"
    assert "--output takes a file that can be written" in refused(
        capsys, "import", best, "--output", "file/m"
    )
    assert "the file of the weights themselves" in refused(capsys, "import", best, "--output", best)
    assert "--json takes a file that can be" in refused(capsys, "bench", "--json", "file/bench.json")
    assert contents(place) == before


@pytest.mark.usefixtures("stub_figures")
@pytest.mark.parametrize("verb", FILES)
def test_a_folder_gets_the_default_name(place, capsys, verb):
    arguments, name = FILES[verb]
    out = answered(capsys, *arguments, "--output", "new/deep/")
    assert os.listdir("new/deep") == [name]
    assert verb == "evaluate" or out.endswith(f"Picture: new/deep/{name}\n")


def test_the_ending_says_how_a_picture_is_written(place, capsys):
    answered(capsys, "curves", "run", "--output", "new/x.jpg")
    assert Path("new/x.jpg").read_bytes().startswith(b"\xff\xd8")


@pytest.mark.usefixtures("stub_figures")
@pytest.mark.parametrize("verb", ["mistakes", "classes"])  # what they share is one function
def test_a_folder_is_made(place, capsys, verb):
    before = contents(place).keys()
    code, _, err = call(capsys, *FOLDERS[verb], "--output", "new/deep")
    assert code in (0, 1), err
    added = {name for name in contents(place).keys() - before if not name.startswith("user-cache/")}
    assert {str(Path(name).parent) for name in added} == ({"new/deep"} if added else set())
    assert added


SLOW = ("find-rate", "fool", "inside", "report")
NUMBERS = [
    pytest.param(verb, marks=pytest.mark.exhaustive) if verb in SLOW else verb
    for verb in sorted(WORK.keys() - {"augment", "curves"})
]


@pytest.mark.usefixtures("stub_figures")
@pytest.mark.parametrize("verb", NUMBERS)
def test_a_full_disk_does_not_cost_the_numbers(place, capsys, monkeypatch, verb):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    arguments = [*WORK[verb], "--output", "out.png" if verb in FILES else "out"]
    whole = call(capsys, *arguments, "--json")
    assert whole[0] in (0, 1), whole[2]
    shutil.rmtree("out", ignore_errors=True)
    Path("out.png").unlink(missing_ok=True)
    monkeypatch.setattr(durable.os, "fsync", full)
    code, out, err = call(capsys, *arguments, "--json")
    if verb == "calibrate":  # the first call left its temperature in the file
        assert json.loads(out).keys() == json.loads(whole[1]).keys()
    else:
        assert json.loads(out) == json.loads(whole[1])
    if verb == "fool" and code == 1:
        return  # nothing fooled, so nothing is written
    assert code == 2, err
    assert "No space left on device" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert not Path("out.png").exists()
    assert not os.path.isdir("out") or not os.listdir("out")


def test_a_full_disk_at_the_end_of_training(place, capsys, monkeypatch):
    def full(*arguments):
        raise RunError("Cannot write test.json: No space left on device.")

    monkeypatch.setattr(importlib.import_module("residua.api.train"), "_write_last", full)
    code, out, err = call(capsys, "train", "pics", *OPTIONS, "--run", "new")
    assert code == 2
    assert "Test accuracy: " in out
    assert "Best model (epoch " in out
    assert err == "residua: Cannot write test.json: No space left on device.\n"


def test_a_full_disk_after_an_import_and_an_ensemble(place, capsys, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    code, out, err = call(capsys, "ensemble", "new.safetensors", "run", "twin", "--json")
    assert code == 2
    assert json.loads(out)["members"]
    assert "No space left on device" in err.splitlines()[-1]


@pytest.mark.usefixtures("stub_figures")
def test_in_python_the_error_carries_the_numbers(place, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    heard = []
    with pytest.raises(residua.errors.ResiduaError, match="No space left") as caught:
        residua.evaluate("run", output="x.png", on_result=heard.append)
    assert heard == [caught.value.result]
    assert caught.value.result.pictures == 2
    # Nobody asked for the picture beside the model: there it is a remark.
    said = []
    assert residua.evaluate("run", say=said.append).pictures == 2
    assert "No picture of the confusion matrix: Cannot write" in said[-1]


@pytest.mark.usefixtures("stub_figures")
def test_pathlib_in_python(place):
    """`tests/config` has every option; here are some that work with them."""
    say = {"say": lambda line: None}
    pics, run, out = place / "pics", place / "run", place / "out"
    rows = [f"{path.relative_to(pics)},{path.parent.name}" for path in sorted(pics.rglob("*.png"))]
    (place / "labels.csv").write_text("\n".join(["file,label", *rows]))
    labelled = {"labels": place / "labels.csv", "data_dir": place}
    first = place / "first"
    result = residua.train(
        pics, **TINY | labelled | {"epochs": 1}, run=first, reporter=Quiet(), final_test=False
    )
    assert result.run == first
    toml = (first / "run.toml").read_text()
    for path in (pics, place, place / "labels.csv", first):
        assert f'"{path}"' in toml
    assert residua.train(resume=first, reporter=Quiet()).run == first
    assert residua.evaluate(run, data=pics, data_dir=place, **say, output=out / "c.svg").pictures == 2
    assert b"<svg" in (out / "c.svg").read_bytes()
    residua.class_pictures(run, iterations=1, output=out)
    assert residua.curves(run, output=out / "curves") == out / "curves" / "curves.png"
    residua.ensemble(out / "e.safetensors", [run, place / "twin"], data=pics, **say)
    assert {"class-pictures.png", "e.safetensors"} <= set(os.listdir(out))


def test_paths_of_import_and_bench(place):
    from residua.bench.run import run_bench
    from residua.config import BenchConfig
    from residua.config.options import configure

    with pytest.raises(residua.errors.ModelFileError):
        residua.import_weights(place / "file", classes=place / "c.txt", output=place / "m.safetensors")
    with pytest.raises(residua.errors.ConfigError, match="--json takes a file that can be written"):
        run_bench(configure(BenchConfig, {"json": place / "file" / "x.json"}))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_figures_in_every_format_are_the_same_twice(tmp_path, suffix):
    from matplotlib.backend_bases import FigureCanvasBase

    assert suffix.removeprefix(".") in FigureCanvasBase.get_supported_filetypes()
    twice = []
    for name in ("one", "two"):
        figure = new_figure(1, 1)
        figure.add_subplot().plot([1, 2])
        twice.append(save_figure(figure, tmp_path / f"{name}{suffix}").read_bytes())
    assert len(twice[0]) > 100
    if suffix in (".png", ".jpg", ".pdf"):
        assert twice[0] == twice[1]
