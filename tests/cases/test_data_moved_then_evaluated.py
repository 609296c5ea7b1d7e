"""The same data under another path are the same data; pictures that were trained on are known again."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from tiny import TINY, answered, call, contents, paint_folder, refused

import residua
from residua.data import read_picture
from residua.training.progress import Quiet

pytestmark = pytest.mark.usefixtures("quiet_cache", "stub_figures")


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    """photos/, 40 pictures of noise whose labels are chance, and run/, trained on them."""
    from PIL import Image

    folder, rng = tmp_path_factory.mktemp("memory"), np.random.default_rng(0)
    for number in range(40):
        path = folder / "photos" / ("even", "odd")[number % 2] / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)).save(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(folder / "user-cache"))
        patch.chdir(folder)
        options = TINY | {"epochs": 1, "test": 0.2, "validation": 0.1}
        residua.train("photos", run="run", reporter=Quiet(), **options)
    return folder


@pytest.fixture
def copied(memory, tmp_path, monkeypatch):
    """A copy of it that may be changed, elsewhere; the current folder."""
    shutil.copytree(memory / "photos", tmp_path / "photos")
    shutil.copytree(memory / "run", tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def without_name(text):
    """A verb's output without the data's name and the pictures' paths."""
    return [line.split(", ", 1)[-1] for line in text.splitlines() if not line.startswith("Picture")]


@pytest.mark.parametrize("verb", ["evaluate", "mistakes", "calibrate"])
def test_the_same_split_wherever_it_lies(copied, capsys, verb):
    def measure(data):
        shutil.copytree("run", "again", dirs_exist_ok=True)
        words = ["--data", data, "--output", copied / "out"] if data else ["--output", copied / "out"]
        code, out, err = call(capsys, verb, "again", *words)
        assert code == 0, err
        assert "trained on" not in err
        return without_name(out)

    at_its_place = measure(None)
    assert measure(copied / "photos") == at_its_place  # absolute
    (copied / "link").symlink_to(copied / "photos")
    assert measure("link") == at_its_place
    (copied / "photos").rename(copied / "moved")
    assert measure("moved") == at_its_place
    assert measure(copied / "run" / ".." / "moved") == at_its_place


def test_a_report_of_moved_data_is_that_of_its_place(copied, capsys):
    (copied / "photos").rename(copied / "moved")
    out = answered(capsys, "report", "run", "moved", "--output", "out")
    assert "Of 8 test pictures (which took no part in training)" in out


def test_pictures_that_it_was_trained_on_are_counted(copied, capsys):
    """Some of them, under other names, with new ones: no longer the same data, nor others."""
    chosen = sorted((copied / "photos" / "even").iterdir())
    for number, path in enumerate(chosen):
        target = copied / "some" / "even" / f"copy-{number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    paint_folder(copied / "some", ("odd",), 5, 300)
    found = residua.evaluate("run", "some", say=lambda line: None)
    trained, chosen_by = found.trained_on, found.chosen_by
    assert found.pictures == 25
    assert trained + chosen_by == 16  # four of the twenty are in the test split
    assert 0 < chosen_by < 4
    line = f"{trained} of these 25 pictures are among those that the model was trained on, and {chosen_by} "
    verbs = {
        "evaluate": ["--data", "some"],
        "mistakes": ["some"],
        "inside": ["--data", "some", "--map", "none"],
        "report": ["some"],
        "compare": ["run/last.safetensors", "--data", "some"],
        "fool": ["some", "--curve", "--sizes", "1", "--iterations", "1"],
    }
    for verb, words in verbs.items():
        if verb != "report":
            code, out, err = call(capsys, verb, "run", *words, "--json")
            assert code == 0, err
            told = json.loads(out)
            told = told["runs"][0] if verb == "compare" else told
            assert (told["trained_on"], told["chosen_by"]) == (trained, chosen_by), verb
        else:
            code, out, err = call(capsys, verb, "run", *words)
            told = f"{trained} of which it was trained on, so that the figures flatter it"
            written = [(copied / "run" / name).read_text() for name in ("report.html", "model-card.md")]
            for text in (out, *written):
                assert told in text
                assert "of other data than it was trained on" not in text
        assert line in err, verb
    numbers = ["--numbers", *map(str, range(20))]
    _, _, err = call(capsys, "explain", "run", "--data", "some", *numbers, "--methods", "gradient")
    assert f"{trained} of these 20 pictures are among those that the model was trained on" in err


def test_calibration_leaves_out_what_it_was_trained_on(copied, capsys):
    path = copied / "photos" / "odd" / "01.png"
    path.rename(path.with_name("1.png"))  # another name: other data
    (copied / "photos").rename(copied / "others")
    seen = residua.load_model("run").seen
    count = len(seen.train)
    code, out, err = call(capsys, "calibrate", "run", "others", "--output", "out")
    assert code == 0, err
    line = f"{count} of these 40 pictures are among those that the model was trained on, and are left out"
    assert line in err
    assert f"others, whole folder: {40 - count} pictures" in out
    # Of pictures that are all known nothing is left.
    for path in list((copied / "others").rglob("*.png")):
        if not seen.find(read_picture(path, 8, 8, 3)[None])[0][0]:
            path.unlink()
    before = contents(copied / "run")
    line = refused(capsys, "calibrate", "run", "others", "--output", "out")
    assert f"trained on all {count} of these pictures, and calibration needs others" in line
    assert contents(copied / "run") == before


def test_models_without_a_record_say_so(copied, capsys):
    from dataclasses import replace

    model = residua.load_model("run")
    residua.save_model("old.safetensors", replace(model, seen=None))
    paint_folder(copied / "new", ("even", "odd"), 2)
    out = answered(capsys, "report", "old.safetensors", "new", "--output", "out")
    assert "whether it was trained on some of them its file does not say" in out
    out = answered(capsys, "report", "run", "new", "--output", "out")
    assert "of other data than it was trained on" in out
    found = residua.evaluate("old.safetensors", "photos", say=lambda line: None, output="e.png")
    assert (found.split, found.trained_on) == ("test", None)  # known by its fingerprint all the same


def test_arrays_that_were_fitted_are_known_as_files(copied):
    from PIL import Image

    paths = sorted((copied / "photos").rglob("*.png"))
    images = np.stack([np.asarray(Image.open(path)) for path in paths])
    labels = [path.parent.name for path in paths]
    classifier = residua.Classifier(epochs=1, width=4, engine="numpy").fit(images, labels)
    classifier.save(copied / "fitted.safetensors")
    found = residua.evaluate("fitted.safetensors", "photos", say=lambda line: None)
    assert (found.pictures, found.trained_on, found.chosen_by) == (40, 36, 4)


def test_an_ensemble_has_seen_what_its_members_have(copied, memory):
    residua.ensemble("pair.safetensors", ["run", memory / "run" / "last.safetensors"], say=lambda line: None)
    assert residua.load_model("pair.safetensors").seen == residua.load_model("run").seen


def test_data_of_one_name_are_compared_by_what_they_hold(copied, capsys):
    """Two runs of the same pictures, which lie in two folders, are held against each other."""
    (copied / "photos").rename(copied / "moved")
    options = TINY | {"epochs": 1, "test": 0.2, "final_test": False}
    residua.train("moved", run="other", reporter=Quiet(), **options)
    out = answered(capsys, "compare", "run", "other", "--data", "moved", "--output", "c.png")
    assert "8 pictures, the same for all" in out
