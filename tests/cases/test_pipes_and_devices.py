"""Pipes and devices named where files belong are refused at once, in one line, by every verb."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tiny import OPTIONS, call, paint_folder, refused

from residua.api import predict, train
from residua.errors import ResiduaError

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names"),
    pytest.mark.usefixtures("quiet_cache"),
    pytest.mark.timeout(20),
]
PLACES = ("pipe", "/dev/zero", "/proc/kmsg")


@pytest.fixture(autouse=True)
def pipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    os.mkfifo("table.csv")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "words",
    [
        ["import", "PLACE"],
        ["predict", "PLACE", "x.jpg"],
        ["summary", "PLACE"],
        ["evaluate", "PLACE"],
        ["explain", "PLACE", "x.jpg"],
        ["inside", "PLACE"],
        ["report", "PLACE"],
        ["compare", "PLACE", "PLACE"],
        ["ensemble", "out.safetensors", "PLACE", "PLACE"],
        ["train", "--config", "PLACE"],
        ["train", "--resume", "PLACE"],
        ["train", "PLACE"],
        ["check", "PLACE"],
        ["augment", "PLACE"],
        ["find-rate", "PLACE"],
        ["train", "digits", "--from", "PLACE"],
        ["train", "pics", "--labels", "PLACE"],
        ["check", "pics", "--labels", "PLACE"],
    ],
    ids=lambda words: " ".join(words),
)
def test_refused_at_once(capsys, place, words):
    if not os.path.exists(place):
        pytest.skip(f"this system has no {place}")
    if "pics" in words:
        paint_folder(Path("pics"), count=1)
    refused(capsys, *(place if word == "PLACE" else word for word in words))


@pytest.mark.parametrize("place", [*PLACES, "table.csv"])
def test_a_picture_that_is_none_is_answered_by_its_reason(capsys, trained, place):
    if not os.path.exists(place):
        pytest.skip(f"this system has no {place}")
    code, _, err = call(capsys, "predict", trained / "run", place)
    assert code == 1
    assert f"Cannot read {place}: it is " in err
    for verb in ("explain", "fool"):
        assert f"Cannot read {place}: it is " in refused(capsys, verb, trained / "run", place)


def test_one_in_a_class_folder_is_named(capsys, trained, tmp_path):
    pics = paint_folder(tmp_path / "pics", count=5)
    os.mkfifo(pics / "red" / "x.png")
    os.mkfifo(pics / "red" / "y")
    assert "x.png: it is a pipe, not a file" in refused(capsys, "train", "pics", *OPTIONS)
    os.mkfifo("only.png")
    (prediction,) = predict(trained / "run", "only.png")
    assert prediction.error is not None
    shutil.copytree(trained / "run", "run")
    os.unlink("run/run.toml")
    os.mkfifo("run/run.toml")
    with pytest.raises(ResiduaError):
        train(resume="run")
