"""What is said and drawn of a sweep: the best first, pruned ones apart, how many there were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from residua.insight.evaluation.numbers import Evaluation
from residua.insight.sweeps.figure import best_figure, importance_figure, parallel_figure
from residua.insight.sweeps.numbers import Axis, SweepResult, TrialRow, best_row, best_so_far, ranked
from residua.insight.sweeps.text import counts_text, measured_text, sweep_text, trial_line


def row(number, accuracy, loss=1.0, state="done", **values):
    values = {"rate": 0.1 / (number + 1), "start": "frozen"} | values
    return TrialRow(number, values, state, accuracy, loss, 3, 61.0, f"out/trials/{number:04d}", "")


ROWS = (
    row(0, 0.8),
    row(1, 0.9, loss=0.5),
    row(2, 0.95, state="pruned", start="scratch"),
    row(3, 0.9, loss=0.4),
    replace(row(4, None, None, "failed"), note="--freeze needs --from", epochs=0),
    replace(row(5, 0.2, state="diverged"), note="diverged: the loss is nan"),
)
TEST = Evaluation(
    "pics", "test", 200, 180, 0.9, (0.85, 0.93), 1.0, 0.9, 0.3, 0.02, (), np.eye(2, dtype=np.int64)
)


def result(rows=ROWS, test=TEST):
    axes = (Axis("rate", log=True), Axis("start", ("scratch", "frozen")))
    shares = {"rate": 0.75, "start": 0.25}
    return SweepResult(
        "two-classes", Path("out"), "tpe", axes, rows, best_row(rows), shares, test, "residua train pics"
    )


def test_the_best_is_whole_and_of_equals_the_one_with_the_least_loss():
    assert best_row(ROWS).number == 3
    assert best_row(ROWS[4:]) is None
    assert [row.number for row in ranked(ROWS)] == [3, 1, 0, 2, 5, 4]
    assert best_so_far(ROWS) == [(0, 0.8), (1, 0.9), (2, 0.9), (3, 0.9), (4, 0.9), (5, 0.9)]
    assert best_so_far(ROWS[4:]) == []


def test_a_trials_line():
    assert trial_line(ROWS[1], best=True) == (
        "trial 1  rate 0.05  start frozen  validation 90.00 %  3 epochs  1 min 1 s  best"
    )
    assert trial_line(ROWS[4], best=False).endswith(
        "validation -  0 epochs  1 min 1 s  --freeze needs --from"
    )
    assert trial_line(ROWS[2], best=False).endswith("1 min 1 s  pruned")


def test_the_page_tells_among_how_many_the_winner_was_chosen():
    page = sweep_text(result())
    assert "two-classes, tpe: 6 trials (3 done, 1 pruned, 1 diverged, 1 failed)" in page
    assert "  1 could not be trained; trial 4: --freeze needs --from\n" in page
    assert "what mattered: rate 75 %, start 25 %" in page
    assert "Best: trial 3, validation accuracy 90.00 %" in page
    assert (
        "Test accuracy: 90.00 % (180 of 200 pictures; 95 % interval 85.00 to 93.00); "
        "measured once, for the best of 6 by validation"
    ) in page
    assert "Best model: out/trials/0003/best.safetensors\nThe best again: residua train pics" in page
    assert measured_text(result(ROWS[:1])).endswith("for the only trial")
    assert measured_text(result(test=None)) == "Test accuracy: there is no test split"
    assert counts_text(ROWS[:1]) == "1 trial (1 done)"
    many = tuple(row(number, 0.5 + number / 100) for number in range(30))
    assert "and 10 more in results.json" in sweep_text(result(many))


def test_it_is_written_as_plain_json():
    content = json.loads(json.dumps(result().to_dict()))
    assert (content["best"], content["trials"], content["test"]["chosen_among_trials"]) == (3, 6, 6)
    assert content["rows"][2]["values"] == {"rate": 0.1 / 3, "start": "scratch"}
    assert result(test=None).to_dict()["test"] is None


def test_parallel_coordinates_have_a_line_a_trial_and_the_best_on_top():
    figure = parallel_figure(result())
    (plot,) = figure.axes
    lines = [line for line in plot.lines if len(line.get_xdata()) == 3]
    assert len(lines) == 5  # one has no accuracy
    assert max(lines, key=lambda line: line.get_zorder()).get_linewidth() == 3
    heights = [list(line.get_ydata()) for line in lines]
    assert min(map(min, heights)) >= -0.06
    assert max(map(max, heights)) <= 1.06
    assert [line.get_linestyle() for line in lines].count("--") == 2
    labels = [label.get_text() for label in plot.get_xticklabels()]
    assert labels == ["rate\n(logarithmic)", "start", "validation\naccuracy (%)"]


def test_whole_numbers_have_whole_marks():
    rows = tuple(row(number, 0.5 + number / 10, width=3 + number) for number in range(4))
    found = SweepResult("s", Path("o"), "tpe", (Axis("width", whole=True),), rows, rows[3], {}, None, "")
    (plot,) = parallel_figure(found).axes
    assert [text.get_text() for text in plot.texts][:4] == ["3", "4", "5", "6"]


def test_one_trial_or_equal_ones_are_drawn():
    one = SweepResult(
        "s", Path("o"), "grid", (Axis("width"),), (row(0, 0.5, width=3),), row(0, 0.5), {}, None, ""
    )
    for figure in (parallel_figure(one), best_figure(one), importance_figure(one)):
        figure.canvas.draw()


def test_the_rise_of_the_best():
    (plot,) = best_figure(result()).axes
    assert list(plot.lines[-1].get_ydata()) == [80.0, 90.0, 90.0, 90.0, 90.0, 90.0]
    assert plot.lines[-1].get_label() == "best so far: 90.00 %"
    assert list(plot.lines[1].get_xdata()) == [2, 5]


def test_what_mattered_most_is_on_top():
    (plot,) = importance_figure(result()).axes
    assert [patch.get_width() for patch in plot.patches] == [25, 75]
