"""What capsules know: the decoder's reconstructions, and what each number of a class capsule stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import EvaluateConfig, ReconstructConfig
from residua.engines import Engine, open_engine
from residua.errors import DataError, ModelFileError
from residua.insight.evaluation.answers import read_pictures
from residua.insight.shared.plotting import new_figure, save_figure
from residua.layers import CapsuleNetwork
from residua.models.model_file import Model

Say = Callable[[str], None]
Floats = NDArray[np.float32]

MOST_CLASSES, EACH = 10, 2  # on the sheet of reconstructions
BLOCKS = 3  # classes whose dimensions are varied
# Sabour et al. 2017, figure 4: by intervals of 0.05 from -0.25 to 0.25.
STEPS = np.linspace(-0.25, 0.25, 11).astype(np.float32)


@dataclass(frozen=True)
class Look:
    """Some pictures under a capsule network: images (N, H, W, C) from 0 to 1, class capsules, answers.

    labels, answers: (N,), places in the model's classes; an answer is the longest capsule.
    """

    model: Model
    network: CapsuleNetwork
    engine: Engine
    data: str
    images: Floats
    labels: NDArray[np.int64]
    capsules: Floats
    answers: NDArray[np.int64]

    def draw(self, capsules: Floats, labels: NDArray[np.int64]) -> Floats:
        """What the decoder draws (N, H, W, C) from the capsules at these labels."""
        drawn = self.network.draw(self.engine, self.model.variables, capsules, labels)
        return np.asarray(self.engine.plain(drawn), np.float32)


def look(model: Model, name: str, config: ReconstructConfig, say: Say) -> Look:
    """Two pictures of each class (of the first ten) under the network.

    Raises ModelFileError for a network without a decoder, and as `evaluate_model`.
    """
    network = model.network
    if not isinstance(network, CapsuleNetwork) or network.decoder is None:
        raise ModelFileError(
            f"{name} holds {model.name}, which has no decoder that draws pictures: give one that was trained "
            "with --model capsnet"
        )
    asked = EvaluateConfig.of(config)
    data, _, pictures = read_pictures(model, asked, say)
    shown = [np.flatnonzero(pictures.labels == place)[:EACH] for place in range(len(model.classes))]
    places = np.concatenate([found for found in shown if len(found)][:MOST_CLASSES])
    chosen = pictures.take(places)
    if not len(chosen):
        raise DataError(f"the {config.split} split of {data} is empty: name another with --split")
    images = model.preprocessing.normalize(np.asarray(chosen.images))
    engine = open_engine(config.engine, threads=config.threads, work=model.work(len(images)))
    capsules = np.asarray(engine.plain(network.capsules(engine, model.variables, images)), np.float32)
    answers = np.linalg.norm(capsules, axis=2).argmax(axis=1)
    return Look(model, network, engine, data, images, chosen.labels, capsules, answers)


def varied(capsules: Floats, label: int) -> Floats:
    """(classes, dimension) -> (dimension * steps, classes, dimension): each number of one capsule moved."""
    dimension = capsules.shape[1]
    every = np.repeat(capsules[None], dimension * len(STEPS), axis=0).copy()
    rows = np.arange(len(every))
    every[rows, label, rows // len(STEPS)] += STEPS[rows % len(STEPS)]
    return every


def draw_reconstructions(seen: Look, path: Path) -> Path:
    """The pictures, and below each what the decoder draws from the capsule of the network's answer."""
    drawn = seen.draw(seen.capsules, seen.answers)
    names = seen.model.classes
    columns = min(len(drawn), 10)
    rows = -(-len(drawn) // columns)
    figure = new_figure(1.0 * columns + 0.4, 2.3 * rows + 0.6)
    # First one picture of each class, then the other.
    order = np.argsort(_repeats(seen.labels), kind="stable")
    axes = figure.subplots(2 * rows, columns, squeeze=False)
    for each in axes.flat:
        each.set_axis_off()
    for place, index in enumerate(order):
        row, column = divmod(place, columns)
        label, said = names[seen.labels[index]], names[seen.answers[index]]
        _show(axes[2 * row, column], seen.images[index])
        _show(axes[2 * row + 1, column], drawn[index])
        axes[2 * row, column].set_title(label, fontsize=9)
        if said != label:
            axes[2 * row + 1, column].set_title(f"as {said}", fontsize=9, color="#D55E00")
    figure.suptitle(
        f"{Path(seen.data).name or seen.data}: input above, below it the drawing from its class's capsule",
        fontsize=10,
    )
    return save_figure(figure, path)


def draw_dimensions(seen: Look, path: Path) -> Path:
    """What is drawn as each number of a class capsule moves from -0.25 to 0.25 beside its value."""
    firsts = np.flatnonzero(_repeats(seen.labels) == 0)
    chosen = firsts[np.unique(np.linspace(0, len(firsts) - 1, BLOCKS).round().astype(int))]
    dimension = seen.capsules.shape[2]
    figure = new_figure(4.2 * len(chosen) + 0.5, 0.37 * dimension + 1.0)
    axes = figure.subplots(1, len(chosen), squeeze=False)[0]
    for axis, index in zip(axes, chosen, strict=True):
        label = int(seen.labels[index])
        capsules = varied(seen.capsules[index], label)
        drawn = seen.draw(capsules, np.full(len(capsules), label))
        _, height, width, channels = drawn.shape
        tiles = drawn.reshape(dimension, len(STEPS), height, width, channels)
        _show(axis, tiles.transpose(0, 2, 1, 3, 4).reshape(dimension * height, -1, channels))
        axis.set_axis_on()
        axis.set_title(seen.model.classes[label], fontsize=10)
        shown = range(0, len(STEPS), 5)
        axis.set_xticks(
            [(place + 0.5) * width for place in shown], [f"{STEPS[place]:+.2f}" for place in shown]
        )
        rows = range(0, dimension, 1 if dimension <= 16 else dimension // 8)
        axis.set_yticks([(row + 0.5) * height for row in rows], [str(row + 1) for row in rows], fontsize=7)
        axis.set_xlabel("added to the number", fontsize=9)
    axes[0].set_ylabel("number of the capsule", fontsize=9)
    figure.suptitle("Each row: one number of the class's capsule varied, all others kept", fontsize=10)
    return save_figure(figure, path)


def _repeats(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many earlier places have the same label."""
    return np.array([(labels[:place] == label).sum() for place, label in enumerate(labels)], np.int64)


def _show(axes: Any, picture: Floats) -> None:
    grey = picture.shape[-1] == 1
    axes.imshow(picture[..., 0] if grey else picture, cmap="gray" if grey else None, vmin=0, vmax=1)
