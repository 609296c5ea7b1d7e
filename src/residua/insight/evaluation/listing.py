"""The pictures of a split by their files, none of which is opened: for splits that outgrow memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np

from residua.config import EvaluateConfig
from residua.errors import ConfigError
from residua.insight.evaluation.class_matching import match_labels
from residua.insight.evaluation.model_data import open_data
from residua.models.model_file import Model


@dataclass(frozen=True)
class ListedSplit:
    """Which pictures are to be measured, labelled in the model's order of classes.

    data, split: their names. same: whether they are what the model was trained on, unchanged. left_out:
    pictures of each class that it does not know.
    """

    data: str
    split: str
    same: bool
    paths: Sequence[Path]
    labels: Sequence[int]
    left_out: dict[str, int]


def list_split(model: Model, config: EvaluateConfig, say: Callable[[str], None]) -> ListedSplit:
    """The pictures that `predict_split` would ask about, without opening them.

    Raises as it does, and ConfigError where they can be known by their pixels alone.
    """
    opened = open_data(model, config, say)
    name, data = opened.name, opened.data
    files = cache(data.labelled_files)
    try:
        parts = [files(split) for split in opened.splits(config.split, lambda split: len(files(split)[1]))]
    except ConfigError as problem:
        raise ConfigError(f"{problem}: measure them without --parts") from None
    paths = parts[0][0] if len(parts) == 1 else list(chain.from_iterable(part for part, _ in parts))
    labels = np.concatenate([labels for _, labels in parts])
    matched = match_labels(labels, data.classes, model.classes, name, config.unknown_classes, say)
    if not matched.kept.all():
        paths = [paths[row] for row in np.flatnonzero(matched.kept).tolist()]
    split = opened.called(config.split)
    return ListedSplit(name, split, opened.own, paths, matched.labels.tolist(), matched.left_out)
