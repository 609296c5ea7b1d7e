"""Which learning curves an experiment draws together, and what they are called."""

from __future__ import annotations

import json

import pytest

from residua.experiments import curves as curves_module
from residua.experiments.curves import MOST, draw_curves
from residua.experiments.recipe import Curves, Experiment, Variant

ROW = {"train_loss": 1.0, "train_error": 30.0, "validation_loss": 1.1, "validation_error": 40.0}
GROUPS = (Curves("even", "even numbers", ["v2", "v4"]), Curves("odd", "odd numbers", ["v1", "v3", "v5"]))


def experiment(count, curves=()):
    """One of so many variants; all but the first have a title."""
    variants = [Variant(f"v{number}", f"the {number}th" if number else "") for number in range(count)]
    return Experiment("mine", "Mine", "", tuple(variants), {}, {}, curves=curves)


def trained(folder, count, rows=2):
    """The first run of each variant, of seed 3."""
    runs = {f"v{number}": folder / f"v{number}" / "seed-3" for number in range(count)}
    for run in runs.values():
        run.mkdir(parents=True)
        (run / "run.toml").write_text("format = 1\n")
        lines = [json.dumps(ROW | {"epoch": epoch}) for epoch in range(1, rows + 1)]
        (run / "log.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return runs


@pytest.fixture
def told(monkeypatch):
    """What the curves of each picture are called."""
    names, real = [], curves_module.curves_figure

    def figure(runs, labels):
        names.append(labels)
        return real(runs, labels)

    monkeypatch.setattr(curves_module, "curves_figure", figure)
    return names


def test_curves_are_told_apart_by_what_the_variants_are_called(tmp_path, told):
    """Not by the paths of their folders, which say nothing to a reader and do not fit."""
    assert draw_curves(experiment(2), trained(tmp_path, 2), tmp_path, print) == ["curves.png"]
    assert told == [["v0, seed 3", "the 1th, seed 3"]]
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_groups_of_variants_have_a_picture_each(tmp_path, told):
    """Of what was trained: without the fifth the others are drawn all the same."""
    drawn = draw_curves(experiment(6, GROUPS), trained(tmp_path, 5), tmp_path, print)
    assert drawn == ["curves-even.png", "curves-odd.png"]
    assert told == [["the 2th, seed 3", "the 4th, seed 3"], ["the 1th, seed 3", "the 3th, seed 3"]]
    assert sorted(path.name for path in tmp_path.glob("*.png")) == drawn


@pytest.mark.parametrize(("count", "curves"), [(0, ()), (1, ()), (MOST + 1, ()), (4, GROUPS[:1])])
def test_too_few_and_too_many_are_not_drawn(tmp_path, told, count, curves):
    assert draw_curves(experiment(12, curves), trained(tmp_path, count), tmp_path, print) == []
    assert told == []


def test_a_picture_that_cannot_be_drawn_is_told_and_the_others_are_drawn(tmp_path):
    said, runs = [], trained(tmp_path, 5)
    (runs["v2"] / "log.jsonl").write_text("")
    assert draw_curves(experiment(6, GROUPS), runs, tmp_path, said.append) == ["curves-odd.png"]
    [line] = said
    assert line.startswith("Not drawn: ")
