"""An epoch whose last batch would be a picture or two: training goes through, and engines agree."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tiny import answered, paint_folder

OPTIONS = {"size": 8, "model": "resnet8", "width": 4, "batch": 16, "epochs": 1, "threads": 1, "rate": 0.02}
FLAGS = [part for name, value in OPTIONS.items() for part in (f"--{name}", str(value))]


@pytest.fixture
def odd(tmp_path, quiet_cache):
    """17 pictures of two classes to learn from; 8 to validate, 8 to test with."""
    for place, (split, count) in enumerate({"train": 9, "val": 4, "test": 4}.items()):
        paint_folder(tmp_path / "odd" / split, count=count, seed=1000 * place)
    (tmp_path / "odd" / "train" / "red" / "8.png").unlink()
    return tmp_path / "odd"


def validation_losses(capsys, folder, run, engine):
    answered(capsys, "train", folder, "--run", run, "--engine", engine, *FLAGS)
    entries = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [value for entry in entries for name, value in entry.items() if name == "validation_loss"]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_both_engines_train_through_it_and_agree(tmp_path, odd, capsys):
    pytest.importorskip("numba")
    losses = [validation_losses(capsys, odd, tmp_path / engine, engine) for engine in ("numpy", "numba")]
    assert np.isfinite(losses).all()
    assert losses[0]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    for verb in ("evaluate", "mistakes"):
        answered(capsys, verb, tmp_path / "numba", "--output", tmp_path / verb)


def test_check_counts_them(tmp_path, odd, capsys):
    out = answered(capsys, "check", odd, "--output", tmp_path / "check.png")
    assert "17" in out
    assert "Nothing stands against training" in out
