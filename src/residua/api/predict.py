"""Naming what is in pictures, in Python."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_texts
from residua.config import PredictConfig, PredictPartsConfig
from residua.config.options import check, configure, split_options

if TYPE_CHECKING:
    from residua.bulk.run import Outcome
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
    from residua.insight.prediction.numbers import predict_files
    from residua.models.model_file import Model, load_model

    loaded = model if isinstance(model, Model) else load_model(model)
    yield from predict_files(loaded, _named(named_texts(files, "a picture"), say), config, say)


def predict_in_parts(
    model: str | Path,
    files: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    say: Any = print,
    **options: Any,
) -> Outcome:
    """Name what is in pictures by the million: in parts, in a folder, where the same call goes on.

    options: the fields of `PredictConfig` and `PredictPartsConfig`. say: hears what happens on the way.
    Raises ResiduaError; parts that are done are kept.
    """
    chosen, rest = split_options(PredictConfig, options)
    parts = configure(PredictPartsConfig, rest | {"output": str(output)})
    return answer_in_parts(model, files, configure(PredictConfig, chosen), parts, say)


def answer_in_parts(
    model: str | Path,
    files: str | Path | Sequence[str | Path],
    config: PredictConfig,
    parts: PredictPartsConfig,
    say: Any,
) -> Outcome:
    """As `predict_in_parts`, by its options."""
    from residua.bulk.predicting import predict_in_parts as run

    sources = named_texts(files, "a picture")
    if parts.scheduler is not None:  # whose workers have other current folders
        sources = [os.path.abspath(source) for source in sources]
    return run(model, lambda: _named(sources, say), sources, check(config), check(parts), say)


def _named(files: Sequence[str], say: Any) -> list[str]:
    """The pictures that files, folders and packed files stand for; `say` hears what is passed over."""
    from residua.data.pictures.files import PassedOver, name_pictures, passed_over_line
    from residua.data.pictures.left_behind import passed_folders_line

    others: PassedOver = {}
    folders: list[Path] = []
    pictures = name_pictures(files, others, folders.append)
    for line in (passed_over_line("", others), passed_folders_line("predict", folders)):
        if line:
            say(line)
    return pictures
