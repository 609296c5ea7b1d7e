"""A table of labels, a run folder and every other option that is a path, given as pathlib.Path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import TINY, answered

import residua
from residua.api import check_data
from residua.training.progress import Quiet

pytestmark = pytest.mark.usefixtures("quiet_cache")
quiet = {"say": lambda line: None}


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """24 pictures without folders, and labels.csv."""
    folder = tmp_path_factory.mktemp("paths")
    rng = np.random.default_rng(0)
    (folder / "flat").mkdir()
    lines = ["file,label"]
    for number in range(24):
        kind = ("cat", "dog")[number % 2]
        colour = np.array((200, 80, 60) if kind == "cat" else (60, 90, 200))
        pixels = np.clip(colour + rng.integers(-40, 41, (8, 8, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "flat" / f"{number:02d}.png")
        lines.append(f"{number:02d}.png,{kind}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def run(flat):
    run = flat / "run"
    residua.train(flat / "flat", labels=flat / "labels.csv", run=run, reporter=Quiet(), **TINY)
    return run


def test_training_takes_paths_and_keeps_text(flat, run, tmp_path):
    text = (run / "run.toml").read_text()
    assert f'labels = "{flat / "labels.csv"}"' in text
    assert "PosixPath" not in text
    base = residua.train(
        flat / "flat", labels=flat / "labels.csv", run=tmp_path / "second", from_=run, final_test=False,
        reporter=Quiet(), epochs=1, size=8, engine="numpy", freeze=1,
    )  # fmt: skip
    assert base.run == tmp_path / "second"


@pytest.mark.parametrize("kind", [Path, pytest.param(np.str_, marks=pytest.mark.exhaustive)])
def test_every_verb_takes_them(flat, run, tmp_path, kind):
    data, out, model = kind(flat / "flat"), kind(tmp_path / "out"), kind(run)
    picture = kind(flat / "flat" / "00.png")
    assert residua.evaluate(model, data, labels=kind(flat / "labels.csv"), output=out, **quiet).pictures
    assert residua.predict(model, picture)[0].top
    assert residua.explain(model, [picture], methods=["gradient"], output=out, **quiet).drawn
    assert residua.mistakes(model, data, labels=kind(flat / "labels.csv"), split="train", output=out, **quiet)
    assert residua.curves([model], output=kind(tmp_path / "c.png")) == tmp_path / "c.png"
    last = kind(flat / "run" / "last.safetensors")
    _, joined = residua.compare([model, last], output=kind(tmp_path / "d.png"), draws=100, **quiet)
    assert joined == tmp_path / "d.png"
    residua.ensemble(kind(tmp_path / "e.safetensors"), [model, last], **quiet)
    assert (tmp_path / "e.safetensors").exists()


def test_check_says_what_is_in_the_folder(flat, capsys, tmp_path):
    found, _ = check_data(
        flat / "flat", labels=flat / "labels.csv", output=tmp_path / "c.png", size=np.int64(8), **quiet
    )
    assert found is not None
    said = answered(
        capsys, "check", flat / "flat", "--labels", flat / "labels.csv", "--size", 8,
        "--output", tmp_path / "c2.png",
    )  # fmt: skip
    assert "24" in said
    assert "cat" in said
