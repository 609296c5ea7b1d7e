"""The picture of an experiment: all of it within the figure."""

from __future__ import annotations

from residua.experiments.catalogue import find_experiment
from residua.experiments.figure import results_figure
from residua.experiments.results import gather
from residua.experiments.training_runs import RunResult


def test_everything_is_within_the_picture():
    experiment = find_experiment("two-classes")
    names = ("squeezenet-published-0.001", "squeezenet-frozen-0.001", "vgg16-published-0.001")
    runs = {name: [RunResult(0, "finished", "", 2.0, (1.0, 4.0), 3, 140)] for name in names}
    figure = results_figure(gather(experiment, runs, {}, quick=True))
    figure.draw_without_rendering()
    width, height = figure.bbox.width, figure.bbox.height
    axes = figure.axes[0]
    (legend,) = [found for found in (*figure.legends, axes.get_legend()) if found is not None]
    for thing in (legend, axes.title, axes.xaxis.label, *axes.get_yticklabels()):
        box = thing.get_window_extent()
        assert -1 <= box.x0 <= box.x1 <= width + 1, thing
        assert -1 <= box.y0 <= box.y1 <= height + 1, thing
    assert len(axes.get_yticklabels()) == 3


def test_without_results_there_is_no_picture():
    assert results_figure(gather(find_experiment("resnet20"), {}, {}, quick=False)) is None
