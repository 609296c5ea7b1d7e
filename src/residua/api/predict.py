"""Naming what is in pictures, in Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_texts
from residua.config import PredictConfig
from residua.config.options import configure

if TYPE_CHECKING:
    from residua.insight.prediction.numbers import Prediction
    from residua.models.model_file import Model


def predict(
    model: str | Path | Model, files: str | Path | Sequence[str | Path], *, say: Any = print, **options: Any
) -> list[Prediction]:
    """Name what is in pictures: a prediction for each file, in the order and as often as they were named.

    Folders are searched through, in the order of their names. A bad picture's prediction has an `error`.
    options: the fields of `PredictConfig`. say: hears of files in folders that are not read, and of what is
    odd about pictures that are. Raises ResiduaError where there is nothing to predict.
    """
    return list(iterate_predictions(model, files, configure(PredictConfig, options), say))


def iterate_predictions(
    model: str | Path | Model,
    files: str | Path | Sequence[str | Path],
    config: PredictConfig,
    say: Any = print,
) -> Iterator[Prediction]:
    """As `predict`, one picture after the other as the answers come."""
    from residua.data.pictures.files import PassedOver, name_pictures, passed_over_line
    from residua.data.pictures.left_behind import passed_folders_line
    from residua.insight.prediction.numbers import predict_files
    from residua.models.model_file import Model, load_model

    loaded = model if isinstance(model, Model) else load_model(model)
    others: PassedOver = {}
    folders: list[Path] = []
    pictures = name_pictures(named_texts(files, "a picture"), others, folders.append)
    for line in (passed_over_line("", others), passed_folders_line("predict", folders)):
        if line:
            say(line)
    yield from predict_files(loaded, pictures, config, say)
