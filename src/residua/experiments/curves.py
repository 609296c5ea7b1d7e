"""Learning curves of an experiment: each variant's first run, all together or in the groups of its file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from residua.errors import ResiduaError
from residua.experiments.recipe import Curves, Experiment
from residua.experiments.training_runs import Say
from residua.insight.learning_curves.figure import curves_figure
from residua.insight.shared.plotting import save_figure

MOST = 8  # runs in one picture


def draw_curves(experiment: Experiment, firsts: Mapping[str, Path], folder: Path, say: Say) -> list[str]:
    """Draw what can be drawn into the folder; the names of its pictures.

    firsts: the run folder of each variant that was trained. A picture of one curve alone is not drawn: the
    run has its own; nor one of a whole experiment that has too many.
    """
    drawn = []
    for group in experiment.curves or (Curves("", "", [variant.name for variant in experiment.variants]),):
        runs = {name: firsts[name] for name in group.of if name in firsts}
        if not 2 <= len(runs) <= MOST:
            continue
        titles = [experiment.variant(name).title or name for name in runs]
        seeds = [run.name.replace("seed-", "seed ") for run in runs.values()]
        names = [f"{title}, {seed}" for title, seed in zip(titles, seeds, strict=True)]
        try:
            figure = curves_figure(list(runs.values()), names)
        except ResiduaError as error:  # one picture less is no reason to lose the others
            say(f"Not drawn: {error}")
            continue
        save_figure(figure, folder / group.file)
        drawn.append(group.file)
    return drawn
