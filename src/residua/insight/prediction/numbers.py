"""Name what is in pictures, by a model file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import PageConfig, PredictConfig
from residua.cores import available_cores
from residua.data.pictures.decoding import fit_pixels
from residua.data.pictures.notes import note_lines
from residua.data.sources.readers.pixel_table import is_pixel_table, read_pixel_table
from residua.data.views import VIEWS, View, mean_probabilities
from residua.engines import Engine
from residua.engines.borrowing import borrow_engine
from residua.errors import ConfigError, PictureError
from residua.insight.shared.engine_choice import settle_engine
from residua.layers.cost import pictures_at_once
from residua.models.model_file import Model
from residua.progress import separate_bar
from residua.training.inference import make_infer
from residua.training.work import model_work

# What a picture is called, and its pixels where they are there already.
_Item = tuple[str, NDArray[np.uint8] | None]
# Hears of each picture that could be read: its name, (H, W, C) as the model takes it, its probabilities.
Watch = Callable[[str, NDArray[np.uint8], NDArray[np.float32]], object]


def unwatched(name: str, picture: NDArray[np.uint8], row: NDArray[np.float32]) -> None:
    """Nobody hears of single pictures."""


@dataclass(frozen=True)
class Prediction:
    """One picture: its most probable classes, best first, or why it could not be read.

    sure: whether the first is as probable as was asked for; None where nothing was asked. truth: its class,
    where that is known.
    """

    file: str
    top: tuple[tuple[str, float], ...]
    error: str | None = None
    sure: bool | None = None
    truth: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        values: dict[str, Any] = {"file": self.file}
        if self.truth is not None:
            values["truth"] = self.truth
        if self.error is not None:
            return values | {"error": self.error}
        name, probability = self.top[0]
        values |= {
            "class": name,
            "probability": probability,
            "top": [{"class": name, "probability": probability} for name, probability in self.top],
        }
        return values if self.sure is None else values | {"sure": self.sure}


def least_confidence(model: Model, config: PredictConfig | PageConfig) -> float | None:
    """The probability below which a model says 'not sure'; None where it always answers.

    Raises ConfigError where none was chosen for this model, or where two ways of choosing were given.
    """
    if config.reject is not None and config.reject_accuracy is not None:
        raise ConfigError("choose one of --reject and --reject-accuracy")
    if config.reject_accuracy is None:
        return config.reject
    if model.calibration is None:
        raise ConfigError(
            "--reject-accuracy takes a model whose thresholds are known: run `residua calibrate` on it "
            "first, or give a probability with --reject"
        )
    return model.calibration.threshold(config.reject_accuracy).threshold


def predict_files(
    model: Model,
    files: Sequence[Path | str],
    config: PredictConfig,
    say: Callable[[str], None] = lambda line: None,
    watch: Watch = unwatched,
) -> Iterator[Prediction]:
    """One prediction for each file, in their order; a picture that cannot be read is answered by its error.

    A table of pixels (Kaggle's test.csv) stands for its pictures, which are called test.csv[0] and so on.
    say: hears at the end what is odd about pictures that were used all the same. watch: see there.
    Raises DataError where such a table is damaged, ConfigError as `least_confidence`.
    """
    threshold = least_confidence(model, config)
    items = [item for file in files for item in _pictures_in(str(file))]
    work = model_work(model, len(VIEWS[config.views]) * len(items))
    config = settle_engine(config, work, say)
    with (
        borrow_engine(config.engine, threads=config.threads) as engine,
        separate_bar("Pictures", len(items)) as shown,
    ):
        for prediction in _predict_items(model, items, config, threshold, engine, say, watch):
            yield prediction
            if shown is not None:
                shown.advance(1)


def _predict_items(
    model: Model,
    items: Sequence[_Item],
    config: PredictConfig,
    threshold: float | None,
    engine: Engine,
    say: Callable[[str], None],
    watch: Watch,
) -> Iterator[Prediction]:
    """As `predict_files`, of pictures one by one."""
    shape, views = model.preprocessing, VIEWS[config.views]
    network, variables = model.frozen()
    infer = make_infer(engine, network)
    top = min(config.top, len(model.classes))

    odd: dict[str, list[str]] = {}  # names of pictures by what is said of them

    def read(item: _Item) -> tuple[NDArray[np.uint8] | PictureError, list[str]]:
        (name, pixels), notes = item, list[str]()
        try:
            if pixels is not None:
                return fit_pixels(pixels, *shape.stored, shape.channels), notes
            return shape.cut(shape.read(name, notes)), notes
        except PictureError as error:
            return error, notes

    at_once = pictures_at_once(network, (shape.height, shape.width, shape.channels))

    def answer(pictures: list[NDArray[np.uint8]], view: View) -> NDArray[np.float32]:
        parts = (np.stack(pictures[at : at + at_once]) for at in range(0, len(pictures), at_once))
        answers = [engine.plain(infer(variables, shape.normalize(part, view))) for part in parts]
        return np.concatenate([np.asarray(one, np.float32) for one in answers])

    with ThreadPoolExecutor(available_cores()) as pool:
        for start in range(0, len(items), config.batch):
            chunk = items[start : start + config.batch]
            pictures = []
            for (name, _), (picture, notes) in zip(chunk, pool.map(read, chunk), strict=True):
                pictures.append(picture)
                for note in notes:
                    odd.setdefault(note, []).append(name)
            good = [picture for picture in pictures if not isinstance(picture, PictureError)]
            rows: Iterator[NDArray[np.float32]] = iter(())
            if good:
                rows = iter(mean_probabilities([answer(good, view) for view in views], views))
            for (name, _), picture in zip(chunk, pictures, strict=True):
                if isinstance(picture, PictureError):
                    yield Prediction(name, (), str(picture), None if threshold is None else False)
                    continue
                row = next(rows)
                watch(name, picture, row)
                named = ranked(row, model.classes, top)
                yield Prediction(name, named, sure=None if threshold is None else named[0][1] >= threshold)
    for line in note_lines(odd):
        say(line)


def ranked(row: NDArray[np.float32], classes: Sequence[str], top: int) -> tuple[tuple[str, float], ...]:
    """The most probable classes with their probabilities, best first; of equal ones the first."""
    order = np.argsort(-row, kind="stable")[:top]
    return tuple((classes[index], float(row[index])) for index in order)


def _pictures_in(name: str) -> list[_Item]:
    """The pictures that a path stands for: itself, or the lines of a table of pixels."""
    path = Path(name)
    if path.suffix.lower() != ".csv" or not is_pixel_table(path):
        return [(name, None)]
    images, _ = read_pixel_table(path)
    return [(f"{name}[{number}]", image) for number, image in enumerate(images)]
